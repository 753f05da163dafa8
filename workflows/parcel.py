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
    from domain.holds import SYSTEM, Hold, HoldKind
    from domain.progress import LineUnits, ShipmentProgress, ShipmentStatus
    from domain.units import UnitState
    from workflows.contents import Contents
    from workflows.desk import Desk, cause_of, refusal_of
    from workflows.labels import Labels
    from workflows.money import Money
    from workflows.options import WAREHOUSES, outside
    from workflows.tracing import FATES, Tracing
    from workflows.waiting import wait_for

BEFORE_HAND_OVER = frozenset(
    {ShipmentStatus.RELEASED, ShipmentStatus.PICKED, ShipmentStatus.PACKED}
)
CARRIER_HAS_IT = frozenset({MilestoneKind.HANDED_OVER, MilestoneKind.IN_TRANSIT, *FATES})
"""Whoever says so: a warehouse that forgot to tell does not hold up what the carrier delivers."""


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
        self._contents = Contents(desk.state, shipment_id)
        self._questions = 0
        self._unheard: list[Milestone] = []
        self._offered = False
        self._refused = False
        self._handed_over = False
        self._labels = Labels(desk)
        self._tracing = Tracing(desk, money)

    @property
    def shipment(self) -> ShipmentProgress:
        """The shipment as it stands."""
        return self._contents.shipment

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
        self._contents.release()
        step = self._warehouse_step(self.shipment.lines)
        while (failed := await self._offer(step)) is not None:
            self._refused = refusal_of(failed) is not None
            if self._refused:
                await wait_for(lambda: not self._questions)
                self._give_up(self.shipment.lines, f"refused by the warehouse: {cause_of(failed)}")
                raise Stopped
            why = f"{self.shipment_id} may or may not be at the warehouse: {cause_of(failed)}"
            await self._mended(self._desk.hold(HoldKind.OPS, why, self._desk.clocks.escalate_again))
        await self._desk.publish()

    async def _offer(self, step: WarehouseStep) -> ActivityError | None:
        """Ask the warehouse to pick; as often as we like, it knows the shipment by its id."""
        text = f"release {self.shipment_id} at {step.location}"
        patience = self._desk.clocks.provider_patience
        self._offered = False
        try:
            await outside(WarehouseActivities.release, step, WAREHOUSES, text, patience)
        except ActivityError as failed:
            return failed
        finally:
            self._offered = True
        return None

    async def pack(self) -> None:
        """Wait until the warehouse has packed; what it could not find is placed elsewhere."""
        await self._desk.patient(
            lambda: self._contents.packed is not None or self._contents.gone,
            self._desk.clocks.warehouse,
            f"{self.shipment_id} is not packed yet",
            "packed",
        )

    async def label(self) -> None:
        """Buy the label; one that is refused waits for a person to mend what is wrong."""
        await self._unhindered()
        while hold := await self._labels.buy(self.shipment_id, self._contents.packed):
            await self._mended(hold)

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
                await self._mended(self._ask_for_payment(refused))
            await self.label()

    async def hand_over(self) -> None:
        """Let the carrier have the parcel; from here it is on its way."""
        if self._contents.gone:
            raise Stopped
        self._state.update(self.shipment_id, status=ShipmentStatus.LABELLED)
        await self._desk.publish()
        await self._desk.patient(
            lambda: self._handed_over or self._contents.gone,
            self._desk.clocks.hand_over,
            f"{self.shipment_id} is labelled but not handed over",
            "handed over",
        )
        if self._contents.gone:
            raise Stopped
        self._contents.leave()
        await self._desk.publish()
        self._desk.tell("shipped", self.shipment_id, self.shipment.lines)

    # what others tell us

    def heard(self, milestone: Milestone) -> None:
        """Take in a call-back. Repeats and late comers change nothing.

        While the warehouse is being asked to stop, what it tells waits for its answer.
        """
        if self._questions:
            self._unheard.append(milestone)
        elif self.shipment.status in BEFORE_HAND_OVER:
            self._heard_from_warehouse(milestone)
        elif self.shipment.status is ShipmentStatus.LABELLED:
            self._heard_at_the_door(milestone)
        elif not self._contents.gone:
            self._tracing.heard(self.shipment_id, milestone)

    def _heard_from_warehouse(self, milestone: Milestone) -> None:
        if milestone.kind is MilestoneKind.SHORT_PICKED and self.committed:
            self._refuse_late(milestone)
        elif milestone.kind is MilestoneKind.SHORT_PICKED:
            self._give_up(self._contents.missing(milestone.lines), "short pick")
        elif milestone.kind is MilestoneKind.PACKED:
            self._contents.pack(milestone.parcel)
        elif milestone.kind is MilestoneKind.PICKED and self._contents.packed is None:
            self._contents.pick()

    def _heard_at_the_door(self, milestone: Milestone) -> None:
        if milestone.kind in CARRIER_HAS_IT:
            self._handed_over = True
            self._tracing.heard(self.shipment_id, milestone)
        elif milestone.kind is MilestoneKind.SHORT_PICKED and not self._handed_over:
            self._refuse_late(milestone)

    def _refuse_late(self, milestone: Milestone) -> None:
        """Take back units that the warehouse cannot hand over although they are paid for."""
        missing = self._contents.cancel(self._contents.missing(milestone.lines))
        if missing:
            self._contents.note("shipment.refused_late", milestone.detail)
            self._desk.spawn(self._give_back(missing))

    async def _give_back(self, lines: tuple[LineUnits, ...]) -> None:
        amount = await self._money.give_back()
        self._desk.tell("cancelled", lines=lines, amount=amount)
        await self._desk.publish()

    def _give_up(self, lines: tuple[LineUnits, ...], why: str) -> None:
        """Place units elsewhere, and have the stock of this location looked at."""
        if lines and not self._contents.gone:
            self._contents.give_up(lines, why)
            text = f"{self.shipment_id} at {self.shipment.location}: {why}"
            self._desk.spawn(self._desk.publish(alert=("short_shipment", text)))

    # stopping

    @property
    def stoppable(self) -> bool:
        """Whether the warehouse may still be asked to stop."""
        return self.shipment.status in BEFORE_HAND_OVER and not self.committed

    def being_asked(self) -> None:
        """Note that the warehouse is about to be asked to stop; the parcel waits for its answer."""
        self._questions += 1

    async def stop(self, lines: tuple[LineUnits, ...]) -> tuple[LineUnits, ...]:
        """Ask the warehouse to stop units; returns those that are cancelled because it agreed.

        The parcel does not move on while the question is open (TEMPORAL.md T3: the step is awaited
        before it is undone).
        """
        await wait_for(lambda: self._offered or self._contents.gone)
        agreed = self._refused or (not self._contents.gone and await self._ask_to_stop(lines))
        cancelled = self._contents.cancel(lines) if agreed else ()
        if cancelled:
            self._contents.note("shipment.stopped", "the warehouse agreed")
        self._questions -= 1
        while self._unheard and not self._questions:
            self.heard(self._unheard.pop(0))
        return cancelled

    async def _ask_to_stop(self, lines: tuple[LineUnits, ...]) -> bool:
        step = self._warehouse_step(lines)
        patience = self._desk.clocks.provider_patience
        try:
            return await outside(
                WarehouseActivities.stop, step, WAREHOUSES, f"stop {self.shipment_id}", patience
            )
        except ActivityError as failed:
            self._contents.note("shipment.stop_failed", cause_of(failed))
            return False

    # parts

    async def _unhindered(self) -> None:
        """Wait while a stop is being asked for or a person holds the order; stop when told so."""
        kinds = (HoldKind.OPS, HoldKind.ADDRESS, HoldKind.DATA)
        await wait_for(
            lambda: (
                not self._questions
                and (
                    self._contents.gone
                    or not any(hold.kind in kinds for hold in self._state.holds.values())
                )
            )
        )
        if self._contents.gone:
            raise Stopped

    async def _mended(self, hold: Hold) -> None:
        """Wait until what a hold asks for was done, or the parcel will not go any more."""
        await self._desk.publish()
        await wait_for(lambda: self._contents.gone or self._desk.lifted(hold))
        self._state.lift(hold.hold_id, workflow.now(), SYSTEM, "the parcel will not go")
        await self._unhindered()

    def _ask_for_payment(self, refused: DomainError) -> Hold:
        terms = self._state.facts.terms if self._state.facts else None
        seconds = terms.action_deadline if terms else self._desk.clocks.escalate_again
        hold = self._desk.hold(HoldKind.PAYMENT, str(refused), seconds)
        self._desk.tell("payment_failed", deadline=hold.expires_at, reason=refused.code)
        return hold

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
