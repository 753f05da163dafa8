"""Calls to the payment provider: keyed, patient, and looked up when their outcome is unknown."""

from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.payments import PaymentActivities
    from contracts.steps import AuthoriseRequest, Found, PaymentStep
    from domain.errors import DomainError
    from domain.holds import SYSTEM, Expiry, HoldKind
    from domain.payment import Authorisation
    from workflows.desk import Desk, cause_of, refusal_of
    from workflows.options import PAYMENTS, outside

Ask = TypeVar("Ask", AuthoriseRequest, PaymentStep)


class PaymentCalls:
    """Makes one payment effect at a time, each under a key of its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state = desk.state

    @property
    def currency(self) -> str:
        """The order's currency."""
        return self._state.currency

    async def make(self, method: Any, ask: Ask, purpose: str, text: str) -> Any:
        """Make one keyed effect; look it up when its outcome stays unknown (INVARIANTS M8).

        A void is never proved by a look-up: it is repeated until the provider takes it.
        """
        while True:
            ask = ask.model_copy(update={"n": self._state.draw("effect")})
            try:
                patience = self._desk.clocks.provider_patience
                return await outside(method, ask, PAYMENTS, text, patience)
            except ActivityError as failed:
                refused = refusal_of(failed)
                if refused:
                    raise refused from None
                found = await self._look_up(ask, purpose, cause_of(failed))
            if purpose == "void":
                continue
            effect = found.authorisation or found.capture or found.refund
            if effect is not None:
                return effect
            if purpose == "capture" and not self._in_time(ask):
                raise DomainError("the authorisation ended while it was looked up", "lapsed")

    def _in_time(self, ask: Ask) -> bool:
        """Whether a capture may be tried again (INVARIANTS M7)."""
        reference, now = getattr(ask, "reference", ""), workflow.now()
        return any(one.reference == reference and one.live(now) for one in self._state.payments)

    async def _look_up(self, ask: Ask, purpose: str, why: str) -> Found:
        """Ask the provider whether an effect exists, until it answers; visibly."""
        hold = self._desk.hold(
            HoldKind.PAYMENT,
            f"outcome of {purpose} unknown ({why}); it is being looked up",
            self._desk.clocks.look_again,
            Expiry.ESCALATE,
        )
        await self._desk.publish()
        step = self.step(getattr(ask, "reference", "")).model_copy(
            update={"n": ask.n, "purpose": purpose}
        )
        while True:
            try:
                found: Found = await outside(
                    PaymentActivities.find,
                    step,
                    PAYMENTS,
                    f"look up {purpose}",
                    self._desk.clocks.look_again,
                )
                self._state.lift(hold.hold_id, workflow.now(), SYSTEM, "looked up")
                return found
            except ActivityError as failed:
                if refusal_of(failed):
                    await workflow.sleep(self._desk.clocks.look_again)

    async def void(self, reference: str) -> bool:
        """Release an authorisation; a refusal is shown to the operators."""
        step = self.step(reference)
        return await self._allowed(PaymentActivities.void, step, "void", f"void {reference}")

    async def refund(self, reference: str, amount: int) -> bool:
        """Give money back; a refusal is shown to the operators."""
        text = f"refund {amount} {self.currency}"
        step = self.step(reference, amount)
        return await self._allowed(PaymentActivities.refund, step, "refund", text)

    async def _allowed(self, method: Any, ask: PaymentStep, purpose: str, text: str) -> bool:
        try:
            await self.make(method, ask, purpose, text)
        except DomainError as refused:
            why = f"{text} refused: {refused}"
            self._state.note(f"payment.{purpose}_refused", workflow.now(), SYSTEM, why)
            await self._desk.publish(alert=(f"{purpose}_refused", why))
            return False
        return True

    async def read(self, reference: str) -> Authorisation:
        """Read how a payment stands, as often as it takes."""
        step, patience = self.step(reference), self._desk.clocks.look_again
        while True:
            try:
                return await outside(
                    PaymentActivities.retrieve, step, PAYMENTS, "read payment", patience
                )
            except ActivityError as failed:
                refused = refusal_of(failed)
                if refused:
                    raise refused from None

    def step(self, reference: str, amount: int = 0, final: bool = True) -> PaymentStep:
        """Return a step on one payment; its number is drawn when it is made."""
        return PaymentStep(
            order_id=self._state.order_id,
            n=0,
            reference=reference,
            amount=amount,
            currency=self.currency,
            final=final,
            provider=self._state.facts.payment.provider if self._state.facts else "",
        )
