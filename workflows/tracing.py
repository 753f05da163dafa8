"""Following a parcel from hand-over to its end: delivered, returned to sender, or a claim."""

from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from contracts.commands import Milestone, MilestoneKind
    from contracts.steps import Parcels
    from domain.holds import SYSTEM
    from domain.policy import LostParcel
    from domain.progress import ShipmentStatus
    from domain.units import UnitState
    from workflows.desk import Desk
    from workflows.money import Money
    from workflows.options import in_house

FATES = {
    MilestoneKind.DELIVERED: ShipmentStatus.DELIVERED,
    MilestoneKind.RETURNED_TO_SENDER: ShipmentStatus.RETURNED_TO_SENDER,
    MilestoneKind.LOST: ShipmentStatus.LOST,
}


class Tracing:
    """Waits for a parcel's end and settles it. Scans are rows; only an end is a milestone."""

    def __init__(self, desk: Desk, money: Money) -> None:
        self._desk = desk
        self._state = desk.state
        self._money = money
        self._fate: Milestone | None = None

    def heard(self, shipment_id: str, milestone: Milestone) -> None:
        """Take in a carrier's milestone; the first end counts, whatever comes later."""
        status = self._state.shipments[shipment_id].status
        if milestone.kind in FATES and self._fate is None:
            self._fate = milestone
        elif milestone.kind is MilestoneKind.EXCEPTION and status is ShipmentStatus.HANDED_OVER:
            self._note(shipment_id, "shipment.exception", milestone.detail)

    async def follow(self, shipment_id: str) -> None:
        """Follow the parcel to its end; silence for too long makes it a claim."""
        await self._await_fate(shipment_id)
        fate = self._fate
        status = FATES[fate.kind] if fate else ShipmentStatus.LOST
        shipment = self._state.update(shipment_id, status=status)
        why = fate.detail if fate else "no scan for too long"
        self._note(shipment_id, f"shipment.{status}", why)
        if fate is None or status is not ShipmentStatus.DELIVERED:
            await self._claim(shipment_id, status)
            return
        self._state.update(shipment_id, delivered_at=fate.at, signed_by=fate.signed_by)
        self._state.move_all(shipment.lines, UnitState.SHIPPED, UnitState.DELIVERED)
        self._state.open_return_window(fate.at)
        self._desk.tell("delivered", shipment_id, shipment.lines)
        await self._desk.publish()

    async def _await_fate(self, shipment_id: str) -> None:
        """Wait for the parcel's end; look at its scans before calling it silent."""
        clocks = self._desk.clocks
        shipment = self._state.shipments[shipment_id]
        seen: datetime = shipment.handed_over_at or workflow.now()
        wait = clocks.first_scan
        ask = Parcels(order_id=self._state.order_id, tracking_number=shipment.tracking_number)
        while not await self._desk.until(
            lambda: self._fate is not None, seen + timedelta(seconds=wait), "a scan"
        ):
            last = await in_house(OrderActivities.last_scan, ask)
            if last.at and last.at > seen:
                seen, wait = last.at, clocks.next_scan
            elif wait >= clocks.lost_after:
                return
            else:
                wait = clocks.lost_after
                text = f"{shipment_id}: no scan since {seen:%Y-%m-%d %H:%M}Z"
                self._note(shipment_id, "shipment.silent", text)
                await self._desk.publish(alert=("parcel_silent", text))

    async def _claim(self, shipment_id: str, status: ShipmentStatus) -> None:
        """Settle a parcel that will not arrive: send it again, or give the money back."""
        lines = self._state.shipments[shipment_id].lines
        terms = self._state.facts.terms if self._state.facts else None
        if status is ShipmentStatus.LOST and terms and terms.lost_parcel is LostParcel.RESHIP:
            self._state.move_all(lines, UnitState.SHIPPED, UnitState.OPEN)
            self._desk.tell("claim_lost", shipment_id, lines)
            await self._desk.publish(alert=("parcel_lost", f"{shipment_id} is sent again"))
            return
        for line in lines:
            self._state.give_back(line, UnitState.SHIPPED, with_shipping=True)
        await self._desk.publish(alert=(f"parcel_{status}", f"claim for {shipment_id}"))
        refunded = await self._money.give_back()
        template = "claim_lost" if status is ShipmentStatus.LOST else "refunded"
        self._desk.tell(template, shipment_id, lines, refunded)
        await self._desk.publish()

    def _note(self, shipment_id: str, kind: str, text: str) -> None:
        self._state.note(kind, workflow.now(), SYSTEM, text, shipment=shipment_id)
