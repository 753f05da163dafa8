"""Which calls fail, and how: single ones by chance, whole providers by the hour."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fakes.faults import Fault, FaultPlan
from tests.simulation.clock import Agenda
from tests.simulation.luck import Luck

B, A, U = Fault.BEFORE, Fault.AFTER, Fault.UNAVAILABLE
SHARES: dict[str, dict[Fault, float]] = {
    "payments.authorise": {
        B: 4, A: 4, U: 2, Fault.DECLINE: 3, Fault.STUCK: 0.4, Fault.STUCK_AFTER: 0.6,
    },
    "payments.adopt": {B: 4, A: 4, U: 2, Fault.STUCK: 0.4, Fault.STUCK_AFTER: 0.4},
    "payments.capture": {
        B: 4, A: 4, U: 2, Fault.DECLINE: 2, Fault.STUCK: 0.5, Fault.STUCK_AFTER: 0.7,
    },
    "payments.void": {B: 4, A: 4, U: 2, Fault.STUCK: 0.3, Fault.STUCK_AFTER: 0.3},
    "payments.refund": {B: 4, A: 4, U: 2, Fault.STUCK: 0.5, Fault.STUCK_AFTER: 0.5},
    "payments.find": {B: 20, U: 10},
    "payments.retrieve": {B: 10},
    "carriers.buy": {B: 4, A: 4, U: 2, Fault.REFUSE: 2, Fault.STUCK: 0.3},
    "carriers.document": {B: 5},
    "carriers.void": {B: 4, A: 4, U: 2, Fault.REFUSE: 1},
    "warehouse.release": {B: 4, A: 4, U: 2, Fault.REFUSE: 3},
    "warehouse.cancel": {B: 4, A: 4, U: 2, Fault.REFUSE: 1},
    "warehouse.expect_return": {B: 4, A: 4, Fault.REFUSE: 1},
    "mail.send": {B: 3, A: 3, Fault.REFUSE: 1},
    "store.project": {B: 1, A: 1},
    "store.reserve": {B: 1, A: 1},
    "store.intend": {B: 0.5, A: 0.5},
    "store.conclude": {B: 0.5, A: 0.5},
    "store.claim": {B: 0.5},
    "store.settle": {B: 0.5, A: 0.5},
    "store.get": {B: 0.3},
    "store.change_address": {A: 2},
    "store.change_lines": {A: 2},
    "store.save_label": {B: 1, A: 1},
    "fraud.grade": {B: 6, U: 3, A: 4},
}  # fmt: skip
"""Per cent of the calls, at full strength."""


@dataclass
class Outage:
    """A provider that is away, or says 503, for a while."""

    provider: str
    begins: datetime
    ends: datetime
    fault: Fault


@dataclass
class Faults(FaultPlan):
    """A fault plan that follows a shop's chance; ``strength`` 1 is a very bad day."""

    agenda: Agenda = None  # type: ignore[assignment]
    luck: Luck = None  # type: ignore[assignment]
    strength: float = 0.0
    outages: list[Outage] = field(default_factory=list)
    poisoned: set[str] = field(default_factory=set)

    def draw(self, call: str, key: str) -> Fault | None:
        """Return what happens to this call, and count it."""
        if call.startswith("store.") and not self.luck.in_step:
            return None
        if self._poisoned(call, key):
            return B
        fault = self._outage(call) or self._chance(call)
        if fault:
            self.luck.count(f"{call}: {fault}")
        return fault

    def _poisoned(self, call: str, key: str) -> bool:
        """Whether this is an order for which every provider fails."""
        mine = bool(self.poisoned) and key.partition(":")[0] in self.poisoned
        return mine and not call.startswith("store.")

    def _outage(self, call: str) -> Fault | None:
        now, provider = self.agenda.now(), call.partition(".")[0]
        for one in self.outages:
            if one.provider == provider and one.begins <= now < one.ends:
                return one.fault
        return None

    def _chance(self, call: str) -> Fault | None:
        if not self.luck.storm or not self.strength:
            return None
        dice = self.luck.rng.random() * 100
        for fault, share in SHARES.get(call, {}).items():
            dice -= share * self.strength
            if dice < 0:
                return fault
        return None


class AskedByActivities:
    """A store as activities see it: what they ask may fail, what the world looks up does not."""

    def __init__(self, store: Any, luck: Luck) -> None:
        self._store = store
        self._luck = luck

    def __getattr__(self, name: str) -> Any:
        asked, luck = getattr(self._store, name), self._luck

        def ask(*args: Any, **named: Any) -> Any:
            luck.in_step = True
            try:
                return asked(*args, **named)
            finally:
                luck.in_step = False

        setattr(self, name, ask)
        return ask
