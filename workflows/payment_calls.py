"""Calls to the payment provider: keyed, patient, and looked up when their outcome is unknown."""

from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.payments import PaymentActivities
    from contracts.steps import AuthoriseRequest, Found, PaymentStep
    from domain.holds import SYSTEM, Expiry, HoldKind
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
        return self._state.facts.currency if self._state.facts else "XXX"

    async def make(self, method: Any, ask: Ask, purpose: str, text: str) -> Any:
        """Make one keyed effect; look it up when its outcome stays unknown (INVARIANTS M8)."""
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
                return None
            effect = found.authorisation or found.capture or found.refund
            if effect is not None:
                return effect

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
            except ActivityError:
                continue

    def step(self, reference: str, amount: int = 0, final: bool = True) -> PaymentStep:
        """Return a step on one payment; its number is drawn when it is made."""
        return PaymentStep(
            order_id=self._state.order_id,
            n=0,
            reference=reference,
            amount=amount,
            currency=self.currency,
            final=final,
        )
