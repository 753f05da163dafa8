"""Placing units at locations, now or when stock comes."""

from datetime import date, datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from contracts.commands import Cancel
    from contracts.steps import Placed, PlaceRequest, Terms
    from domain.calendar import release_date, start_of
    from domain.holds import SYSTEM, Expiry, HoldKind
    from domain.progress import LineUnits, ShipmentProgress, ShipmentStatus
    from domain.stock import StockAction
    from domain.units import UnitState
    from workflows.cancelling import Cancelling
    from workflows.desk import Desk
    from workflows.money import Money
    from workflows.options import in_house


Wait = tuple[datetime, HoldKind, str]
"""Until when an order waits to be released, under which kind of hold, and why."""


class Placing:
    """Routes and reserves what is open; queues what is short."""

    def __init__(self, desk: Desk, money: Money, cancelling: Cancelling) -> None:
        self.desk = desk
        self.state = desk.state
        self.money = money
        self._cancelling = cancelling
        self.release_on: date | None = None
        self._launched = False

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
            if (launch := self._launch_of(line)) is None or launch <= today
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
        self._take(placed)
        unavailable, _ = self._still_open(placed.unavailable)
        if unavailable:
            never = Cancel(actor=SYSTEM, reason="out of stock", lines=unavailable)
            await self._cancelling.cancel(never)

    def _take(self, placed: Placed) -> None:
        """Take over a placement. What was cancelled while it was made gives its stock back."""
        self.state.allocation_no = placed.n
        for place in placed.shipments:
            lines, gone = self._still_open(place.lines)
            self.state.stock_at(StockAction.RELEASE, place.location, gone)
            if lines:
                shipment_id = f"{self.state.order_id}-s{self.state.draw('shipment')}"
                self.state.shipments[shipment_id] = ShipmentProgress(
                    shipment_id=shipment_id, location=place.location, lines=lines
                )
                self.state.move_all(lines, UnitState.OPEN, UnitState.RESERVED)
        short, _ = self._still_open(placed.backordered)
        self.state.move_all(short, UnitState.OPEN, UnitState.BACKORDERED)

    def _still_open(
        self, lines: tuple[LineUnits, ...]
    ) -> tuple[tuple[LineUnits, ...], tuple[LineUnits, ...]]:
        """Split placed units into those that are still open and those that are not."""
        kept, gone = [], []
        for line in lines:
            some = min(line.quantity, self.state.lines[line.line_id].units.open)
            kept.append(LineUnits(line_id=line.line_id, quantity=some))
            gone.append(LineUnits(line_id=line.line_id, quantity=line.quantity - some))
        return tuple(one for one in kept if one.quantity), tuple(
            one for one in gone if one.quantity
        )

    def reservation_lost(self) -> None:
        """Open again what was reserved for too long; it is placed anew before it ships."""
        for shipment_id in self.state.planned():
            shipment = self.state.shipments[shipment_id]
            self.state.stock(StockAction.RELEASE, shipment, shipment.lines)
            self.state.move_all(shipment.lines, UnitState.RESERVED, UnitState.OPEN)
            self.state.update(shipment_id, status=ShipmentStatus.CANCELLED)
            self.state.note("reservation.expired", workflow.now(), SYSTEM, shipment_id)

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
        """Try to place again what waits for stock, in the end also where it was short before."""
        await self._place_waiting()
        if self.state.bars and self.state.standing(UnitState.BACKORDERED):
            self.state.bars.clear()
            await self._place_waiting()
        if not self.state.standing(UnitState.BACKORDERED):
            self.state.lift_kind(HoldKind.BACKORDER, workflow.now(), SYSTEM, "stock came")
        await self.desk.publish()

    async def _place_waiting(self) -> None:
        waiting = self.state.standing(UnitState.BACKORDERED)
        self.state.move_all(waiting, UnitState.BACKORDERED, UnitState.OPEN)
        await self.place()

    # schedules and launches

    def _launch_of(self, line: LineUnits) -> date | None:
        return None if self._launched else self.state.line_facts[line.line_id].waits_until

    def waive(self, wait: Wait) -> None:
        """Let a wait count no more: a person lifted its hold before its time."""
        if wait[1] is HoldKind.SCHEDULE:
            self.release_on = None
        else:
            self._launched = True

    def set_release(self, deliver_on: date | None, actor: str) -> None:
        """Move the delivery date, or take it away; the schedule's hold begins anew."""
        why = f"rescheduled for {deliver_on}" if deliver_on else "ship now"
        if self.release_on or deliver_on:
            self.state.note("order.rescheduled", workflow.now(), actor, why)
        self.release_on = release_date(deliver_on, self.terms.transit_days, 0)
        self.state.lift_kind(HoldKind.SCHEDULE, workflow.now(), actor, why)

    def release_at(self) -> Wait | None:
        """Return until when the order must wait, why, and under which kind of hold."""
        waits = [
            (start_of(launch), HoldKind.PREORDER, f"launch on {launch}")
            for line in self.state.standing(UnitState.OPEN)
            if (launch := self._launch_of(line))
        ]
        if self.release_on:
            text = f"to be released on {self.release_on}"
            waits.append((start_of(self.release_on), HoldKind.SCHEDULE, text))
        later = [wait for wait in waits if wait[0] > workflow.now()]
        return max(later) if later else None
