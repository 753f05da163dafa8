"""Getting an order paid: try, tell the customer what is wrong, try again when they have acted."""

from collections.abc import Awaitable, Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.errors import DomainError
    from domain.holds import SYSTEM, Expiry, HoldKind
    from workflows.desk import Desk
    from workflows.money import Money


class Paying:
    """Waits for the customer's money, with a deadline; without it the order is cancelled."""

    def __init__(self, desk: Desk, money: Money) -> None:
        self._desk = desk
        self._state = desk.state
        self._money = money

    async def insist(self, attempt: Callable[[], Awaitable[object]]) -> None:
        """Try until the money is there, or nothing is left that it could be for."""
        while not self._state.called_off:
            try:
                await attempt()
                return
            except DomainError as refused:
                await self._ask(refused)
            if self._state.over and not self._state.called_off:
                return

    async def _ask(self, refused: DomainError) -> None:
        """Ask the customer for another way to pay, unless they have already named one."""
        why = f"{refused} ({refused.code})"
        self._state.note("payment.refused", workflow.now(), SYSTEM, why)
        if self._state.called_off or self._money.has_news:
            return
        if self._state.over:
            await self._desk.publish(alert=("unpaid", f"delivered and not paid: {why}"))
            return
        seconds = self._state.facts.terms.action_deadline if self._state.facts else 0
        hold = self._desk.hold(HoldKind.PAYMENT, why, seconds, Expiry.CANCEL)
        self._desk.tell("payment_failed", deadline=hold.expires_at, reason=refused.code)
        await self._desk.hold_out(hold)
