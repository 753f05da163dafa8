"""Returns: request, authorise, label, receive, inspect, refund or reject. One task per return."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.shipping import CarrierActivities, WarehouseActivities
    from contracts.commands import InspectReturn, RequestReturn
    from contracts.steps import LabelStep, Parcels, ReturnStep
    from domain.holds import SYSTEM
    from domain.ledger import units_of
    from domain.progress import LineUnits, ReturnProgress, ReturnStatus
    from domain.returns import NOT_ARRIVED, OPEN, returnable
    from domain.stock import StockAction
    from domain.units import UnitState
    from workflows.contents import UNWEIGHED
    from workflows.desk import Desk, cause_of
    from workflows.labels import Labels
    from workflows.money import Money
    from workflows.options import CARRIERS, WAREHOUSES, in_house, outside

RESTOCK, DAMAGED, REJECTED = "restock", "damaged", "rejected"


class Returning:
    """All returns of one order."""

    def __init__(self, desk: Desk, money: Money) -> None:
        self._desk = desk
        self._state = desk.state
        self._money = money
        self._labels = Labels(desk)

    @property
    def open(self) -> bool:
        """Whether any return is still under way."""
        return any(one.status in OPEN for one in self._state.returns.values())

    # what people ask: each decides in one step

    def request(self, ask: RequestReturn) -> ReturnProgress:
        """Open a return; it is authorised at once when the policy says so."""
        return_id = f"{self._state.order_id}-r{self._state.draw('return')}"
        terms = self._state.facts.terms if self._state.facts else None
        one = ReturnProgress(
            return_id=return_id,
            lines=ask.lines,
            reason=ask.reason[:500],
            resolution=ask.resolution,
            location=self._location(ask.lines),
        )
        self._state.returns[return_id] = one
        self._note(return_id, "return.requested", ask.reason[:200], ask.actor)
        if terms and terms.automatic_returns:
            self.authorise(return_id, True, SYSTEM)
        self._desk.spawn(self._run(return_id))
        return self._state.returns[return_id]

    def authorise(self, return_id: str, approve: bool, actor: str) -> None:
        """Allow a return, or refuse it."""
        status = ReturnStatus.AUTHORISED if approve else ReturnStatus.REJECTED
        seconds = self._state.facts.terms.ship_back if self._state.facts else 0
        self._change(
            return_id, status=status, expires_at=workflow.now() + timedelta(seconds=seconds)
        )
        self._note(return_id, f"return.{status}", "", actor)

    def receive(self, return_id: str, lines: tuple[LineUnits, ...], actor: str) -> None:
        """Note that a return's units have arrived; fewer may come than were announced."""
        if lines:
            self._change(return_id, lines=lines)
        self._change(return_id, status=ReturnStatus.RECEIVED)
        self._note(return_id, "return.received", "", actor)

    def inspect(self, ask: InspectReturn) -> None:
        """Book what inspection found: refunded units are returned, the rest is rejected."""
        one = self._state.returns[ask.return_id]
        found = ask.lines
        rejected = tuple(
            LineUnits(line_id=line.line_id, quantity=line.quantity)
            for line in found
            if line.disposition == REJECTED
        )
        kept = units_of(rejected)
        accepted = tuple(
            LineUnits(line_id=line.line_id, quantity=count)
            for line in one.lines
            if (count := line.quantity - kept.get(line.line_id, 0)) > 0
        )
        damaged = units_of(
            LineUnits(line_id=line.line_id, quantity=line.quantity)
            for line in found
            if line.disposition == DAMAGED
        )
        with_shipping = bool(self._state.facts and self._state.facts.terms.refund_shipping)
        for line in accepted:
            self._state.give_back(line, UnitState.DELIVERED, with_shipping)
            sound = line.quantity - damaged.get(line.line_id, 0)
            if sound > 0:
                some = (LineUnits(line_id=line.line_id, quantity=sound),)
                self._state.stock_at(StockAction.RESTOCK, one.location, some)
        self._change(
            ask.return_id,
            status=ReturnStatus.INSPECTED if accepted else ReturnStatus.REJECTED,
            lines=accepted or one.lines,
            rejected=rejected,
        )
        self._note(ask.return_id, "return.inspected", ask.reason, ask.actor)

    def call_off(self, return_id: str, actor: str) -> None:
        """Call off a return whose parcel has not come."""
        self._change(return_id, status=ReturnStatus.CANCELLED)
        self._note(return_id, "return.cancelled", "", actor)

    # the life of one return

    async def _run(self, return_id: str) -> None:
        await self._authorised(return_id)
        if self._status(return_id) is ReturnStatus.AUTHORISED:
            await self._label(return_id)
            await self._received(return_id)
        if self._status(return_id) is ReturnStatus.RECEIVED:
            await self._inspected(return_id)
        if self._status(return_id) is ReturnStatus.INSPECTED:
            await self._refund(return_id)
        one = self._state.returns[return_id]
        turned_away = one.lines if one.status is ReturnStatus.REJECTED else one.rejected
        if turned_away:
            self._desk.tell("return_rejected", return_id, turned_away)
        await self._desk.publish()

    async def _authorised(self, return_id: str) -> None:
        await self._desk.publish()
        await self._desk.patient(
            lambda: self._status(return_id) is not ReturnStatus.REQUESTED,
            self._desk.clocks.escalate_again,
            f"{return_id} waits to be authorised",
            "return decided",
        )

    async def _label(self, return_id: str) -> None:
        """Send the customer a label; without one the return goes on by the customer's own post."""
        if self._state.facts and self._state.facts.terms.return_label:
            await self._buy_label(return_id)
        if self._status(return_id) not in NOT_ARRIVED:
            return
        await self._announce(return_id)
        one = self._state.returns[return_id]
        self._desk.tell("return_authorised", return_id, one.lines, deadline=one.expires_at)
        await self._desk.publish()

    async def _buy_label(self, return_id: str) -> None:
        step = LabelStep(
            order_id=self._state.order_id,
            n=self._state.draw("effect"),
            subject=return_id,
            location=self._state.returns[return_id].location,
            parcel=UNWEIGHED,
            is_return=True,
        )
        patience = self._desk.clocks.provider_patience
        text = f"return label for {return_id}"
        try:
            bought = await outside(CarrierActivities.buy, step, CARRIERS, text, patience)
        except ActivityError as failed:
            self._note(return_id, "return.no_label", cause_of(failed))
            return
        self._change(return_id, tracking_number=bought.tracking_number, label_id=bought.label_id)
        if self._status(return_id) is ReturnStatus.AUTHORISED:
            self._change(return_id, status=ReturnStatus.LABEL_SENT)

    async def _announce(self, return_id: str) -> None:
        one = self._state.returns[return_id]
        step = ReturnStep(
            order_id=self._state.order_id,
            n=self._state.draw("effect"),
            return_id=return_id,
            location=one.location,
            tracking_number=one.tracking_number,
            lines=one.lines,
        )
        patience = self._desk.clocks.provider_patience
        try:
            await outside(
                WarehouseActivities.expect, step, WAREHOUSES, f"expect {return_id}", patience
            )
        except ActivityError as failed:
            self._note(return_id, "return.not_announced", cause_of(failed))

    async def _received(self, return_id: str) -> None:
        """Wait for the parcel until its time is over; one that is on its way may still come."""
        one = self._state.returns[return_id]
        deadline = one.expires_at or workflow.now()
        if not await self._desk.until(
            lambda: self._status(return_id) not in NOT_ARRIVED, deadline, "return sent back"
        ):
            if await self._scanned(one.tracking_number):
                await self._late(return_id)
            else:
                self._change(return_id, status=ReturnStatus.EXPIRED)
                self._note(return_id, "return.expired", "")
        closed = (ReturnStatus.EXPIRED, ReturnStatus.CANCELLED)
        if self._status(return_id) in closed and self._state.returns[return_id].label_id:
            why = await self._labels.void_label(return_id, self._state.returns[return_id].label_id)
            self._note(return_id, "label.kept" if why else "label.voided", why)

    async def _scanned(self, tracking_number: str) -> bool:
        ask = Parcels(order_id=self._state.order_id, tracking_number=tracking_number)
        return (
            bool(tracking_number)
            and (await in_house(OrderActivities.last_scan, ask)).at is not None
        )

    async def _late(self, return_id: str) -> None:
        self._change(return_id, status=ReturnStatus.IN_TRANSIT)
        await self._desk.patient(
            lambda: self._status(return_id) is not ReturnStatus.IN_TRANSIT,
            self._desk.clocks.lost_after,
            f"{return_id} was sent back and has not arrived",
            "return arrived",
        )

    async def _inspected(self, return_id: str) -> None:
        lines = self._state.returns[return_id].lines
        self._desk.tell("return_received", return_id, lines)
        await self._desk.publish()
        terms = self._state.facts.terms if self._state.facts else None
        await self._desk.patient(
            lambda: self._status(return_id) is not ReturnStatus.RECEIVED,
            terms.inspect_within if terms else self._desk.clocks.escalate_again,
            f"{return_id} is not inspected yet",
            "return inspected",
        )

    async def _refund(self, return_id: str) -> None:
        one = self._state.returns[return_id]
        refunded = await self._money.give_back()
        self._change(return_id, status=ReturnStatus.REFUNDED, refund=refunded)
        self._note(return_id, "return.refunded", str(refunded))
        self._desk.tell("refunded", return_id, one.lines, refunded)

    # parts

    def _location(self, lines: tuple[LineUnits, ...]) -> str:
        """Send a return to the policy's place, or to where its first line was shipped from."""
        if self._state.facts and self._state.facts.terms.return_location:
            return self._state.facts.terms.return_location
        for shipment in self._state.shipments.values():
            if shipment.delivered_at and lines[0].line_id in units_of(shipment.lines):
                return shipment.location
        return next((one.location for one in self._state.shipments.values()), "")

    def _status(self, return_id: str) -> ReturnStatus:
        return self._state.returns[return_id].status

    def _change(self, return_id: str, **changes: object) -> None:
        self._state.returns[return_id] = self._state.returns[return_id].model_copy(update=changes)

    def _note(self, return_id: str, kind: str, text: str, actor: str = SYSTEM) -> None:
        self._state.note(kind, workflow.now(), actor, text, return_id=return_id)

    def returnable(self) -> dict[str, int]:
        """Return how many units of each line may still be returned."""
        unreturnable = {
            fact.line_id for fact in self._state.line_facts.values() if not fact.returnable
        }
        return returnable(self._state.lines.values(), self._state.returns.values(), unreturnable)
