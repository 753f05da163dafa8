"""What all fake providers share: keys that make one effect, faults, and an append-only ledger."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from domain.errors import DomainError, EffectRefused, PaymentDeclined, ProviderUnavailable
from tests.fakes.faults import Fault, FaultPlan

T = TypeVar("T")
Clock = Callable[[], datetime]
RETRY_AFTER = 30.0


def standing_clock() -> datetime:
    """Return a moment that never moves; the fakes' clock unless they are given one."""
    return datetime(2026, 1, 5, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One thing that really happened at the provider; amounts in minor units."""

    at: datetime
    kind: str
    order_id: str
    key: str
    reference: str
    amount: int = 0
    currency: str = ""
    detail: str = ""


class Ledger:
    """Rows in the order in which they happened; there is no way to take one out."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._of_order: dict[str, list[Row]] = {}
        self.watchers: list[Callable[[Row], None]] = []
        """Told of each row as it is written: the outside world that reacts to it."""

    def append(self, row: Row) -> None:
        """Write down one row."""
        self._rows.append(row)
        self._of_order.setdefault(row.order_id, []).append(row)
        for watcher in self.watchers:
            watcher(row)

    def rows(self, order_id: str | None = None, kind: str | None = None) -> tuple[Row, ...]:
        """Return the rows, of one order or kind or all."""
        rows = self._rows if order_id is None else self._of_order.get(order_id, [])
        return tuple(row for row in rows if kind is None or row.kind == kind)

    def total(self, kind: str, order_id: str | None = None) -> int:
        """Return the sum of the amounts of a kind."""
        return sum(row.amount for row in self.rows(order_id, kind))


@dataclass
class Desk:
    """Where calls of one fake provider are handed in.

    The first answer to a key, a refusal too, is the answer to every repeat; the key with other
    parameters is refused (``key_reused``), as at Stripe.
    """

    name: str
    now: Clock = standing_clock
    faults: FaultPlan = field(default_factory=FaultPlan)
    ledger: Ledger = field(default_factory=Ledger)
    _answers: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)
    _count: int = 0

    def new_id(self, prefix: str) -> str:
        """Return the next id; the same in every run."""
        self._count += 1
        return f"{prefix}_{self._count:06d}"

    def record(self, kind: str, order_id: str, key: str, reference: str, **more: Any) -> None:
        """Append a ledger row at the provider's time."""
        self.ledger.append(Row(self.now(), kind, order_id, key, reference, **more))

    def read(self, call: str, key: str = "") -> None:
        """Let a fault strike a call that changes nothing."""
        if self.faults.draw(f"{self.name}.{call}", key):
            raise ProviderUnavailable(f"{self.name}.{call}: no answer")

    def do(self, call: str, key: str, params: Hashable, effect: Callable[[], T]) -> T:
        """Answer a call: a stored answer, a fault, or the effect; and store what was answered."""
        fault = self.faults.draw(f"{self.name}.{call}", key)
        if fault is Fault.BEFORE:
            raise ProviderUnavailable(f"{self.name}.{call}: connection refused")
        if fault is Fault.UNAVAILABLE:
            raise ProviderUnavailable(f"{self.name}.{call}: 503", RETRY_AFTER)
        answer = self._answered(call, key, params, fault, effect)
        if fault is Fault.AFTER:
            raise ProviderUnavailable(f"{self.name}.{call}: connection lost")
        if isinstance(answer, Exception):
            raise answer
        result: T = answer
        return result

    def _answered(
        self, call: str, key: str, params: Hashable, fault: Fault | None, effect: Callable[[], T]
    ) -> T | Exception:
        if key in self._answers:
            first, answer = self._answers[key]
            if first != (call, params):
                return EffectRefused(f"{key} was used for something else", "key_reused")
            return answer  # type: ignore[no-any-return]
        answer = self._effect(call, fault, effect)
        self._answers[key] = ((call, params), answer)
        return answer

    def _effect(self, call: str, fault: Fault | None, effect: Callable[[], T]) -> T | Exception:
        if fault is Fault.DECLINE:
            return PaymentDeclined(f"{call}: declined", "card_declined")
        if fault is Fault.REFUSE:
            return EffectRefused(f"{call}: refused")
        if fault is Fault.STUCK:
            return ProviderUnavailable(f"{self.name}.{call}: 500")
        try:
            done = effect()
        except DomainError as refusal:
            return refusal
        return ProviderUnavailable(f"{call}: 500") if fault is Fault.STUCK_AFTER else done
