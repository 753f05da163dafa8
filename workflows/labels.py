"""Labels: bought for a packed parcel, voided when it will not go. Do and undo side by side."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.shipping import CarrierActivities
    from contracts.steps import LabelBought, LabelStep, VoidLabel
    from domain.holds import SYSTEM, Hold, HoldKind
    from domain.parcel import Parcel
    from workflows.contents import UNWEIGHED
    from workflows.desk import Desk, cause_of, refusal_of
    from workflows.options import CARRIERS, outside


class Labels:
    """Buys and voids the labels of shipments."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state = desk.state

    async def buy(self, shipment_id: str, parcel: Parcel | None) -> Hold | None:
        """Buy a label; one that cannot be bought leaves a hold that a person must lift."""
        terms = self._state.facts.terms if self._state.facts else None
        step = LabelStep(
            order_id=self._state.order_id,
            n=self._state.draw("effect"),
            subject=shipment_id,
            location=self._state.shipments[shipment_id].location,
            parcel=parcel or UNWEIGHED,
            service=terms.service if terms else "",
            within_days=terms.days if terms else 0,
        )
        text = f"label for {shipment_id}"
        patience = self._desk.clocks.provider_patience
        try:
            bought = await outside(CarrierActivities.buy, step, CARRIERS, text, patience)
        except ActivityError as failed:
            return self._refused(shipment_id, failed)
        self._take(shipment_id, bought)
        return None

    def _refused(self, shipment_id: str, failed: ActivityError) -> Hold:
        """Hold the order; a customer whose address is at fault is asked for a better one."""
        refused = refusal_of(failed)
        why = f"no label for {shipment_id}: {cause_of(failed)}"
        kind = HoldKind.ADDRESS if refused else HoldKind.OPS
        hold = self._desk.hold(kind, why, self._desk.clocks.escalate_again)
        if refused and "address" in refused.code.lower():
            self._desk.tell("on_hold_action", deadline=hold.expires_at, reason=str(refused))
        return hold

    def _take(self, shipment_id: str, bought: LabelBought) -> None:
        self._state.update(
            shipment_id,
            label_id=bought.label_id,
            label_cost=bought.cost,
            carrier=bought.carrier,
            service=bought.service,
            tracking_number=bought.tracking_number,
            tracking_url=bought.tracking_url,
            expected_on=bought.expected_on,
        )

    async def void(self, shipment_id: str) -> None:
        """Ask a label's money back; one that was never bought is no error."""
        shipment = self._state.shipments[shipment_id]
        if not shipment.label_id:
            return
        self._state.update(shipment_id, label_id="", tracking_number="", tracking_url="")
        why = await self.void_label(shipment_id, shipment.label_id)
        kind = "label.kept" if why else "label.voided"
        self._state.note(kind, workflow.now(), SYSTEM, why, shipment=shipment_id)
        if why:
            cost = f"label of {shipment_id} cost {shipment.label_cost} and stays: {why}"
            await self._desk.publish(alert=("label_not_voided", cost))

    async def void_label(self, subject: str, label_id: str) -> str:
        """Ask for a label's money; returns why it was not given, empty when it was."""
        step = VoidLabel(
            order_id=self._state.order_id,
            n=self._state.draw("effect"),
            subject=subject,
            label_id=label_id,
        )
        patience = self._desk.clocks.provider_patience
        text = f"void label of {subject}"
        try:
            voided = await outside(CarrierActivities.void, step, CARRIERS, text, patience)
        except ActivityError as failed:
            return cause_of(failed)
        return "" if voided else "refused by the carrier"
