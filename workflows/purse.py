"""What the order knows of its payments: every answer of the provider, booked. Never awaits."""

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.errors import DomainError
    from domain.holds import SYSTEM
    from domain.ledger import Held, collectable, safe_until
    from domain.money import split
    from domain.payment import Authorisation, PaymentState
    from workflows.state import OrderState

UNFINISHED = (PaymentState.ACTION_REQUIRED, PaymentState.PENDING)


class Purse:
    """Books payments in the order's state. ``unfinished`` is a payment that the customer must
    still confirm at the provider; it is read again, never made a second time."""

    def __init__(self, state: OrderState) -> None:
        self._state = state
        self.unfinished = ""

    @property
    def currency(self) -> str:
        """The order's currency."""
        return self._state.currency

    @property
    def live(self) -> tuple[Held, ...]:
        """The authorisations that still hold something."""
        return tuple(one for one in self._state.payments if one.capturable)

    def usable(self, amount: int) -> Held | None:
        """Return an authorisation from which an amount can be captured, safely before its end."""
        now = workflow.now()
        return next((p for p in self.live if p.live(now) and p.capturable >= amount), None)

    def safe(self, reference: str) -> bool:
        """Whether something can still be captured from an authorisation, safely before its end."""
        return any(one.reference == reference and one.live(workflow.now()) for one in self.live)

    @property
    def renew_at(self) -> datetime | None:
        """When the first authorisation must be let go and taken anew."""
        ends = (p.safe_until for p in self.live if p.renewable and p.safe_until)
        return min(ends, default=None)

    def take(self, answer: Authorisation, renewable: bool) -> Held:
        """Take over a payment as the provider shows it.

        Raises:
            DomainError: there is nothing to take (yet); the code says why.
        """
        waits = answer.state in UNFINISHED
        self.unfinished = answer.reference if waits else ""
        self._state.action_required = waits
        if waits:
            raise DomainError("the customer must confirm the payment", "action_required")
        if answer.state in (PaymentState.DECLINED, PaymentState.VOIDED):
            raise DomainError(f"the payment is {answer.state}", "declined")
        self._state.voided = False
        held = Held(
            reference=answer.reference,
            capturable=answer.capturable,
            captured=answer.captured,
            refunded=answer.refunded,
            expires_at=answer.expires_at,
            safe_until=safe_until(workflow.now(), answer.expires_at, self._margin),
            renewable=renewable,
            multi_capture=answer.multi_capture,
        )
        self._state.payments.append(held)
        self._sum("payment.secured", answer.capturable or answer.captured)
        return held

    @property
    def _margin(self) -> timedelta:
        terms = self._state.facts.terms if self._state.facts else None
        return timedelta(seconds=terms.expiry_margin if terms else 0)

    def trust(self, amount: int) -> None:
        """Book money taken by a provider that we cannot call, as the storefront states it."""
        self._state.payments.append(Held(reference="", captured=amount))
        self.count_as_captured(amount)

    def count_as_captured(self, amount: int) -> None:
        """Count every unit as paid for with the storefront's capture."""
        lines = self._state.lines
        for line in list(lines.values()):
            lines[line.line_id] = line.model_copy(
                update={"captured": line.units.ordered - line.units.cancelled}
            )
        if amount < sum(line.collect for line in lines.values()):
            self.collect_only(amount)

    def collect_only(self, amount: int) -> None:
        """Go by the provider's real amount when it is less than the storefront said."""
        lines = list(self._state.lines.values())
        shares = split(max(0, amount), [line.collect for line in lines])
        for line, share in zip(lines, shares, strict=True):
            self._state.lines[line.line_id] = line.model_copy(update={"collect": share})
        text = f"the payment is {amount} {self.currency}, less than the order says"
        self.note("payment.short", text)

    def captured(self, held: Held, amount: int, fee: int, left: int) -> None:
        """Book a capture; ``left`` is what the authorisation still holds."""
        self.change(held.reference, captured=held.captured + amount, capturable=left)
        self._state.fees += fee
        self._sum("payment.captured", amount)

    def count(self, units: dict[str, int]) -> None:
        """Count units as paid for; they may have been counted by ``go_by`` meanwhile."""
        for line_id, count in units.items():
            line = self._state.lines[line_id]
            paid = max(line.captured, min(line.captured + count, collectable(line)))
            self._state.lines[line_id] = line.model_copy(update={"captured": paid})

    def known(self, reference: str) -> Held | None:
        """Return a payment at a provider by its reference."""
        payments = self._state.payments
        return next((one for one in payments if reference and one.reference == reference), None)

    def go_by(self, held: Held, now: Authorisation) -> None:
        """Go by what the provider shows. What somebody else has captured (the merchant, in the
        storefront) pays for every unit, or it would be taken a second time."""
        elsewhere = now.captured - held.captured
        self.change(held.reference, capturable=now.capturable, captured=now.captured)
        if elsewhere > 0:
            self.change(held.reference, refunded=max(held.refunded, now.refunded))
            self.count_as_captured(now.captured - now.refunded)
            self._sum("payment.captured_elsewhere", elsewhere)

    def let_go(self, held: Held) -> None:
        """Book that an authorisation holds nothing any more."""
        self.change(held.reference, capturable=0)
        self._state.voided = True
        self._sum("payment.voided", held.capturable)

    def refunded(self, reference: str, amount: int) -> None:
        """Book a refund."""
        held = next(one for one in self._state.payments if one.reference == reference)
        self.change(reference, refunded=held.refunded + amount)
        self._sum("payment.refunded", amount)

    def change(self, reference: str, **changes: object) -> None:
        """Change what is known of one payment."""
        self._state.payments = [
            one.model_copy(update=changes) if one.reference == reference else one
            for one in self._state.payments
        ]

    def note(self, kind: str, text: str) -> None:
        """Add a line about the money to the order's history."""
        self._state.note(kind, workflow.now(), SYSTEM, text)

    def _sum(self, kind: str, amount: int) -> None:
        self.note(kind, f"{amount} {self.currency}")
