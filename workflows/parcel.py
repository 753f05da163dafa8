"""One parcel's life: release, pick and pack, label, capture, hand over, deliver.

Until its capture begins a parcel can still be stopped, if the warehouse agrees; from then on it
goes, and a customer who changed their mind gets a return instead.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.shipping import WarehouseActivities
    from contracts.commands import Milestone, MilestoneKind
    from contracts.steps import WarehouseStep
    from domain.errors import DomainError
    from domain.holds import SYSTEM, HoldKind
    from domain.parcel import Parcel as PackedParcel
    from domain.progress import LineUnits, ShipmentProgress, ShipmentStatus
    from domain.stock import Bar, StockAction
    from domain.units import UnitState
    from workflows.desk import Desk, cause_of
    from workflows.labels import Labels
    from workflows.money import Money
    from workflows.options import WAREHOUSES, outside
    from workflows.tracing import Tracing

BEFORE_HAND_OVER = frozenset(
    {ShipmentStatus.RELEASED, ShipmentStatus.PICKED, ShipmentStatus.PACKED}
)


class Stopped(Exception):
    """The parcel will not go: cancelled, refused, or nothing was found to send."""


class Parcel:
    """Drives one shipment from its release to its end."""

    def __init__(self, desk: Desk, money: Money, shipment_id: str) -> None:
        self.shipment_id = shipment_id
        self.committed = False
        self._desk = desk
        self._state = desk.state
        self._money = money
        self._stop_asked = False
        self._accepted = False
        self._packed: PackedParcel | None = None
        self._handed_over = False
        self._labels = Labels(desk)
        self._tracing = Tracing(desk, money)

    @property
    def shipment(self) -> ShipmentProgress:
        """The shipment as it stands."""
        return self._state.shipments[self.shipment_id]

    async def run(self) -> None:
        """Bring the parcel to the customer, or take it apart again."""
        try:
            await self.release()
            await self.pack()
            await self.label()
            await self.capture()
            await self.hand_over()
        except Stopped:
            await self._labels.void(self.shipment_id)
            await self._desk.publish()
            return
        await self._tracing.follow(self.shipment_id)

    # the journey

    async def release(self) -> None:
        """Hand the shipment to its warehouse; one that refuses is barred for these lines."""
        await self._unhindered()
        shipment = self.shipment
        self._state.update(self.shipment_id, status=ShipmentStatus.RELEASED)
        self._state.move_all(shipment.lines, UnitState.RESERVED, UnitState.RELEASED)
        self._note("shipment.released", shipment.location)
        try:
            await outside(
                WarehouseActivities.release,
                self._warehouse_step(shipment.lines),
                WAREHOUSES,
                f"release {self.shipment_id} at {shipment.location}",
                self._desk.clocks.provider_patience,
            )
        except ActivityError as failed:
            self._turn_back(shipment.lines, f"refused by the warehouse: {cause_of(failed)}")
        self._accepted = True
        await self._desk.publish()

    async def pack(self) -> None:
        """Wait until the warehouse has packed; what it could not find is placed elsewhere."""
        await self._desk.patient(
            lambda: self._packed is not None or self._gone,
            self._desk.clocks.warehouse,
            f"{self.shipment_id} is not packed yet",
        )
        await self._unhindered()

    async def label(self) -> None:
        """Buy the label; one that is refused waits for a person to mend what is wrong."""
        await self._unhindered()
        while not await self._labels.buy(self.shipment_id, self._packed):
            await self._unhindered()

    async def capture(self) -> None:
        """Take the parcel's money; without it the label is voided and nothing leaves."""
        while True:
            await self._unhindered()
            self.committed = True
            try:
                value = await self._money.capture((*self.shipment.lines, *self._digital()))
                self._state.update(self.shipment_id, value=value)
                return
            except DomainError as refused:
                self.committed = False
                await self._labels.void(self.shipment_id)
                await self._ask_for_payment(str(refused))
            await self.label()

    async def hand_over(self) -> None:
        """Let the carrier have the parcel; from here it is on its way."""
        self._state.update(self.shipment_id, status=ShipmentStatus.LABELLED)
        await self._desk.publish()
        await self._desk.patient(
            lambda: self._handed_over or self._gone,
            self._desk.clocks.hand_over,
            f"{self.shipment_id} is labelled but not handed over",
        )
        if self._gone:
            raise Stopped
        self._state.move_all(self.shipment.lines, UnitState.PACKED, UnitState.SHIPPED)
        self._state.stock(StockAction.CONSUME, self.shipment, self.shipment.lines)
        self._state.update(
            self.shipment_id,
            status=ShipmentStatus.HANDED_OVER,
            handed_over_at=workflow.now(),
        )
        self._note("shipment.handed_over", self.shipment.tracking_number)
        await self._desk.publish()
        self._desk.tell("shipped", self.shipment_id, self.shipment.lines)

    # what others tell us

    def heard(self, milestone: Milestone) -> None:
        """Take in a call-back. Repeats and late comers change nothing."""
        status = self.shipment.status
        if milestone.kind is MilestoneKind.SHORT_PICKED and status in BEFORE_HAND_OVER:
            self._short(milestone)
        elif milestone.kind is MilestoneKind.PICKED and status is ShipmentStatus.RELEASED:
            self._state.update(self.shipment_id, status=ShipmentStatus.PICKED)
        elif milestone.kind is MilestoneKind.PACKED and status in BEFORE_HAND_OVER:
            self._pack(milestone)
        elif milestone.kind is MilestoneKind.HANDED_OVER and status is ShipmentStatus.LABELLED:
            self._handed_over = True
        elif milestone.kind is MilestoneKind.SHORT_PICKED and status is ShipmentStatus.LABELLED:
            self._refuse_late(milestone)
        else:
            self._tracing.heard(self.shipment_id, milestone)

    def _pack(self, milestone: Milestone) -> None:
        if self._packed is None:
            self._state.move_all(self.shipment.lines, UnitState.RELEASED, UnitState.PACKED)
            self._packed = milestone.parcel or PackedParcel(weight_grams=500)
            self._state.update(self.shipment_id, status=ShipmentStatus.PACKED)
            self._note("shipment.packed", f"{self._packed.weight_grams} g")

    def _short(self, milestone: Milestone) -> None:
        """Place elsewhere what the location could not find, and bar it for those lines."""
        if self._packed is not None:
            return
        self._give_up(self._missing(milestone), "short pick")

    def _refuse_late(self, milestone: Milestone) -> None:
        """Take back units that the warehouse cannot hand over although they are paid for."""
        missing = self._missing(milestone)
        self._state.stock(StockAction.RELEASE, self.shipment, missing)
        self._state.move_all(missing, UnitState.PACKED, UnitState.CANCELLED)
        self._state.drop_from(self.shipment_id, missing)
        self._note("shipment.refused_late", milestone.detail)
        self._desk.spawn(self._give_back(missing))

    async def _give_back(self, lines: tuple[LineUnits, ...]) -> None:
        amount = await self._money.give_back()
        self._desk.tell("cancelled", lines=lines, amount=amount)
        await self._desk.publish()

    def _missing(self, milestone: Milestone) -> tuple[LineUnits, ...]:
        found = {line.line_id: line.quantity for line in milestone.lines}
        return tuple(
            LineUnits(line_id=line.line_id, quantity=short)
            for line in self.shipment.lines
            if (short := line.quantity - found.get(line.line_id, 0)) > 0
        )

    # stopping

    @property
    def stoppable(self) -> bool:
        """Whether the warehouse may still be asked to stop."""
        return self.shipment.status in BEFORE_HAND_OVER and not self.committed

    def being_asked(self) -> None:
        """Note that the warehouse is about to be asked to stop; the parcel waits for its answer."""
        self._stop_asked = True

    async def stop(self, lines: tuple[LineUnits, ...]) -> bool:
        """Ask the warehouse to stop units; True when it agreed and they are cancelled.

        The parcel does not move on while the question is open (TEMPORAL.md T3: the step is awaited
        before it is undone).
        """
        await workflow.wait_condition(lambda: self._accepted or self._gone)
        agreed = False
        if not self._gone:
            try:
                agreed = await outside(
                    WarehouseActivities.stop,
                    self._warehouse_step(lines),
                    WAREHOUSES,
                    f"stop {self.shipment_id}",
                    self._desk.clocks.provider_patience,
                )
            except ActivityError as failed:
                self._note("shipment.stop_failed", cause_of(failed))
        if agreed:
            source = UnitState.PACKED if self._packed else UnitState.RELEASED
            self._state.stock(StockAction.RELEASE, self.shipment, lines)
            self._state.move_all(lines, source, UnitState.CANCELLED)
            self._state.drop_from(self.shipment_id, lines)
            self._note("shipment.stopped", "the warehouse agreed")
        self._stop_asked = False
        return agreed

    # parts

    @property
    def _gone(self) -> bool:
        return self.shipment.status is ShipmentStatus.CANCELLED

    async def _unhindered(self) -> None:
        """Wait while a stop is being asked for or a person holds the order; stop when told so."""
        kinds = (HoldKind.OPS, HoldKind.ADDRESS, HoldKind.DATA)
        await workflow.wait_condition(
            lambda: (
                self._gone
                or not (
                    self._stop_asked
                    or any(hold.kind in kinds for hold in self._state.holds.values())
                )
            )
        )
        if self._gone:
            raise Stopped

    async def _ask_for_payment(self, why: str) -> None:
        terms = self._state.facts.terms if self._state.facts else None
        seconds = terms.action_deadline if terms else self._desk.clocks.escalate_again
        hold = self._desk.hold(HoldKind.PAYMENT, why, seconds)
        self._desk.tell("payment_failed", deadline=hold.expires_at, reason=why)
        await self._desk.publish()
        await workflow.wait_condition(lambda: self._gone or self._desk.lifted(hold))

    def _turn_back(self, lines: tuple[LineUnits, ...], why: str) -> None:
        self._give_up(lines, why)
        raise Stopped

    def _give_up(self, lines: tuple[LineUnits, ...], why: str) -> None:
        """Put units back to be placed at another location."""
        if not lines:
            return
        self._state.stock(StockAction.RELEASE, self.shipment, lines)
        self._state.move_all(lines, UnitState.RELEASED, UnitState.OPEN)
        for line in lines:
            bar = Bar(line_id=line.line_id, location=self.shipment.location, reason=why)
            self._state.bars.append(bar)
        self._note("shipment.short", f"{why} at {self.shipment.location}")
        self._state.drop_from(self.shipment_id, lines)

    def _digital(self) -> tuple[LineUnits, ...]:
        return self._state.standing(UnitState.DELIVERED, parcel=False)

    def _warehouse_step(self, lines: tuple[LineUnits, ...]) -> WarehouseStep:
        return WarehouseStep(
            order_id=self._state.order_id,
            n=self._state.draw("effect"),
            shipment_id=self.shipment_id,
            location=self.shipment.location,
            lines=lines,
        )

    def _note(self, kind: str, text: str) -> None:
        self._state.note(kind, workflow.now(), SYSTEM, text, shipment=self.shipment_id)
