"""Placing units at locations, now or when stock comes."""

from datetime import date, datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from contracts.steps import PlaceRequest, Terms
    from domain.calendar import start_of
    from domain.holds import SYSTEM, Expiry, HoldKind
    from domain.units import UnitState
    from workflows.desk import Desk
    from workflows.money import Money
    from workflows.options import in_house


class Placing:
    """Routes and reserves what is open; queues what is short."""

    def __init__(self, desk: Desk, money: Money) -> None:
        self.desk = desk
        self.state = desk.state
        self.money = money
        self.release_on: date | None = None

    @property
    def terms(self) -> Terms:
        """The order's terms."""
        assert self.state.facts is not None
        return self.state.facts.terms

    async def place(self) -> None:
        """Reserve what is open, except what has not been launched yet."""
        today = workflow.now().date()
        lines = tuple(
            line
            for line in self.state.standing(UnitState.OPEN)
            if (launch := self.state.line_facts[line.line_id].waits_until) is None
            or launch <= today
        )
        if not lines:
            return
        ask = PlaceRequest(
            order_id=self.state.order_id,
            lines=lines,
            n=self.state.allocation_no,
            bars=tuple(self.state.bars),
        )
        placed = await in_house(OrderActivities.place, ask)
        self.state.place(placed)

    def wait_for_stock(self) -> None:
        """Hold what is backordered until stock comes or its deadline ends it."""
        waiting = any(hold.kind is HoldKind.BACKORDER for hold in self.state.holds.values())
        if self.state.standing(UnitState.BACKORDERED) and not waiting:
            seconds = self.terms.backorder_deadline
            hold = self.desk.hold(HoldKind.BACKORDER, "out of stock", seconds, Expiry.CANCEL)
            self.desk.tell("backordered", deadline=hold.expires_at)
            self.desk.spawn(self._reverse_for_long_wait(seconds))

    async def _reverse_for_long_wait(self, seconds: float) -> None:
        """Do not hold a customer's money for goods that will not ship soon (C56)."""
        if seconds > self.terms.reverse_after and not self.state.planned_or_moving():
            await self.money.let_go()
        await self.desk.publish()

    async def stock_arrived(self) -> None:
        """Try to place again what waits for stock."""
        waiting = self.state.standing(UnitState.BACKORDERED)
        self.state.move_all(waiting, UnitState.BACKORDERED, UnitState.OPEN)
        await self.place()
        if not self.state.standing(UnitState.BACKORDERED):
            self.state.lift_kind(HoldKind.BACKORDER, workflow.now(), SYSTEM, "stock came")
        await self.desk.publish()

    def release_at(self) -> tuple[datetime, HoldKind, str] | None:
        """Return until when the order must wait, why, and under which kind of hold."""
        waits = [
            (start_of(launch), HoldKind.PREORDER, f"launch on {launch}")
            for line in self.state.standing(UnitState.OPEN)
            if (launch := self.state.line_facts[line.line_id].waits_until)
        ]
        if self.release_on:
            text = f"to be released on {self.release_on}"
            waits.append((start_of(self.release_on), HoldKind.SCHEDULE, text))
        later = [wait for wait in waits if wait[0] > workflow.now()]
        return max(later) if later else None
