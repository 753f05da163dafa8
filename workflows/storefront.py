"""What the storefront tells of money later than of the order: it was paid, or captured."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from contracts.commands import Paid
    from contracts.steps import PaymentFacts
    from domain.holds import HoldKind
    from domain.order import PaymentForm
    from workflows.desk import Desk
    from workflows.money import Money
    from workflows.refusals import refuse

MADE = (PaymentForm.AUTHORISED, PaymentForm.CAPTURED)


class StorefrontPayment:
    """Takes over a payment that came after the order."""

    def __init__(self, desk: Desk, money: Money) -> None:
        self._state = desk.state
        self._money = money

    def may_pay(self, ask: Paid) -> None:
        """Refuse what is no payment, and a second payment beside the one that the order has."""
        if ask.form not in MADE:
            refuse("form", f"form: {ask.form} is no payment that was made")
        payment = facts_of(ask)
        known = self._state.facts.payment if self._state.facts else payment
        same = bool(payment.provider) and payment.reference == known.reference
        if self._state.payments and not same and payment != known:
            refuse("already_paid", "another payment has been taken already")

    async def take(self, ask: Paid) -> None:
        """Go by this payment from now on, also when the order is screened again."""
        facts, payment = self._state.facts, facts_of(ask)
        if facts is None or payment == facts.payment:
            return
        self._state.paid = payment
        self._state.facts = facts.model_copy(update={"payment": payment})
        self._state.note("payment.at_storefront", workflow.now(), ask.actor, ask.reason)
        await self._money.paid(payment.reference if payment.provider else "")
        self._state.lift_kind(HoldKind.PAYMENT, workflow.now(), ask.actor, "paid")


def facts_of(ask: Paid) -> PaymentFacts:
    """Return the payment as the order knows payments."""
    return PaymentFacts(
        form=ask.form, provider=ask.provider, reference=ask.reference, amount=ask.amount
    )
