"""The life of an order, from acceptance to the end of its return window."""

import asyncio
from datetime import timedelta
from functools import partial

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.orders import SOFT, OrderActivities
    from contracts.commands import Cancel
    from contracts.orders import WORKFLOW, OrderRef, OrderResult
    from contracts.steps import Screen, Screened
    from domain.holds import SYSTEM, Expiry, Hold, HoldKind
    from domain.policy import Verdict
    from domain.progress import LineUnits, OrderStatus
    from domain.units import UnitState
    from workflows.cancelling import Cancelling
    from workflows.commands import Commands
    from workflows.desk import Desk
    from workflows.money import Money
    from workflows.options import in_house
    from workflows.parcel import Parcel
    from workflows.paying import Paying
    from workflows.placing import Placing
    from workflows.returning import Returning
    from workflows.screening import Screening
    from workflows.state import OrderState
    from workflows.storefront import StorefrontPayment
    from workflows.waiting import wait_for


class CalledOff(Exception):
    """Nothing is left to bring to the customer."""


@workflow.defn(name=WORKFLOW)
class Order(Commands):
    """One order. Reads like the business; each verb is a method below."""

    @workflow.init
    def __init__(self, order: OrderRef) -> None:
        self.state = OrderState(order.order_id)
        self.desk = Desk(self.state)
        self.money = Money(self.desk)
        self.paying = Paying(self.desk, self.money)
        self.storefront = StorefrontPayment(self.desk, self.money)
        self.parcels: dict[str, Parcel] = {}
        self.cancelling = Cancelling(self.desk, self.money, self.parcels)
        self.returning = Returning(self.desk, self.money)
        self.screening = Screening(self.desk)
        self.placing = Placing(self.desk, self.money, self.cancelling)
        self.stock_came = False
        self.sending = False
        self.desk.on_expiry = self._hold_expired
        self._order = order

    @workflow.run
    async def run(self, order: OrderRef) -> OrderResult:
        """Run the process. A cancel of the workflow itself is an operator's cancel of the order:
        it interrupts no step and takes the same way out."""
        life = asyncio.create_task(self._life())
        while not life.done():
            try:
                await workflow.wait_condition(lambda: life.done() or self.desk.broken is not None)
            except asyncio.CancelledError:
                self.desk.spawn(self._operator_stop())
            if self.desk.broken:
                raise self.desk.broken
        return life.result()

    async def _life(self) -> OrderResult:
        try:
            await self.validate()
            await self.grade()
            await self.reserve()
            await self.authorise()
            await self.wait_out_grace()
            await self.wait_for_release()
            await self.ship()
            await self.accept_returns()
        except CalledOff:
            pass
        return await self.complete()

    # the verbs, in order

    async def validate(self) -> None:
        """Check everything about the order; what is wrong is a hold that says what to mend."""
        waived: tuple[str, ...] = ()
        while True:
            ask = Screen(order_id=self.state.order_id, waived=waived)
            found = await in_house(OrderActivities.screen, ask)
            self.state.take(found)
            self.state.problems = found.problems
            self.placing.release_on = found.release_on
            if self._order.cancel_reason is not None:
                reason = self._order.cancel_reason
                self.cancelling.cancel_unreleased("storefront", reason, told=reason)
            self._go_on()
            if not found.problems:
                return
            await self.screening.hold(found)
            self._go_on()
            if any(field == SOFT for field, _ in found.problems):
                waived = (SOFT,)

    async def grade(self) -> None:
        """Grade the order for fraud: accept, review by a person, or reject."""
        facts = self._facts
        verdict, reasons = facts.grade, facts.reasons
        if facts.vendor:
            verdict, reasons = await self.screening.ask_vendor(facts)
        self.state.grade = verdict
        if verdict is Verdict.REJECT:
            self.cancelling.reject(", ".join(reasons) or "rejected by grading", SYSTEM)
        elif verdict is Verdict.REVIEW:
            expiry = {Verdict.ACCEPT: Expiry.RELEASE, Verdict.REJECT: Expiry.REJECT}
            await self.desk.hold_out(
                self.desk.hold(
                    HoldKind.FRAUD_REVIEW,
                    ", ".join(reasons) or "graded for review",
                    facts.terms.review_sla,
                    expiry.get(facts.terms.review_expiry, Expiry.ESCALATE),
                )
            )
        self._go_on()
        self.state.accepted = True
        self.state.note("order.accepted", workflow.now(), SYSTEM, f"graded {verdict}")

    async def reserve(self) -> None:
        """Route the order and reserve its stock; what is short is backordered."""
        await self.placing.place()
        self._go_on()
        self.state.promise = workflow.now() + timedelta(days=self._facts.terms.transit_days)
        self.desk.tell("confirmation")

    async def authorise(self) -> None:
        """Secure the money; a decline waits for another method, with a deadline."""
        await self.paying.insist(self.money.secure)
        self._go_on()

    async def wait_out_grace(self) -> None:
        """Let the customer change their mind; counted from when the order was placed."""
        left = self._facts.terms.grace - (workflow.now() - self._facts.placed_at).total_seconds()
        if left > 0:
            hold = self.desk.hold(HoldKind.GRACE, "the customer may cancel", left, Expiry.RELEASE)
            self.state.grace_until = hold.expires_at
            await self.desk.hold_out(hold)
        await self._no_holds()

    async def wait_for_release(self) -> None:
        """Wait for the wished delivery date and for launches; money is not held meanwhile."""
        while until := self.placing.release_at():
            kind, why = until[1], until[2]
            seconds = (until[0] - workflow.now()).total_seconds()
            hold = self.desk.hold(kind, why, seconds, Expiry.RELEASE)
            self.state.promise = until[0] + timedelta(days=self._facts.terms.transit_days)
            if seconds > self._facts.terms.reverse_after:
                if kind is HoldKind.PREORDER:
                    self.desk.tell("delay", deadline=self.state.promise, reason=why)
                await self.money.let_go()
            await self.desk.hold_out(hold)
            self._go_on()
            if self.placing.release_at() == until:
                self.placing.waive(until)
        self.sending = True
        await self._no_holds()
        await self.placing.place()
        await self.authorise()

    async def ship(self) -> None:
        """Send everything: parcels side by side, what is short when stock comes."""
        await self._deliver_without_parcel()
        if self._facts.terms.capture_at_order:
            await self._take(self.state.uncancelled())
        while self.state.live:
            await self.placing.place()
            self._start_parcels()
            self.placing.wait_for_stock()
            await wait_for(self._something_to_do)
            if self.stock_came:
                self.stock_came = False
                await self.placing.stock_arrived()
                await self.authorise()
        await self._parcels_done()
        await self._take(self.state.standing(UnitState.DELIVERED, parcel=False))
        if self.state.live:
            await self.ship()

    async def accept_returns(self) -> None:
        """Take returns until the window ends and the last one is settled."""
        if self.state.return_until:
            await self.desk.until(lambda: False, self.state.return_until, "returns")
            if self.returning.open:
                await self.desk.publish()
            await wait_for(lambda: not self.returning.open)

    async def complete(self) -> OrderResult:
        """Let go of money and stock that the order no longer needs, and end it."""
        await self.money.let_go()
        await self.money.give_back()
        self.state.ended = self._ending()
        self.state.ended_at = workflow.now()
        self.state.holds.clear()
        self.state.note(f"order.{self.state.ended}", workflow.now(), SYSTEM)
        await self.desk.publish()
        await self.desk.finish()
        await wait_for(workflow.all_handlers_finished)
        if self.state.events or self.state.moves:
            await self.desk.publish()
        money = self.state.money()
        return OrderResult(
            order_id=self.state.order_id,
            status=self.state.ended,
            captured=money.captured,
            refunded=money.refunded,
        )

    # parts of the verbs

    @property
    def _facts(self) -> Screened:
        assert self.state.facts is not None
        return self.state.facts

    def _go_on(self) -> None:
        """Leave the main line when everything was called off meanwhile."""
        if self.state.rejected or self.state.called_off:
            raise CalledOff

    async def _no_holds(self) -> None:
        await wait_for(lambda: not self.state.holds or self.state.over)
        self._go_on()

    async def _deliver_without_parcel(self) -> None:
        """Deliver gift cards, downloads, services: paid for first, or with the first parcel."""
        if not any(line.parcel and line.units.live for line in self.state.lines.values()):
            await self._take(self.state.standing(UnitState.OPEN, parcel=False))
        self.state.move_all(
            self.state.standing(UnitState.OPEN, parcel=False), UnitState.OPEN, UnitState.DELIVERED
        )

    async def _take(self, lines: tuple[LineUnits, ...]) -> None:
        await self.paying.insist(partial(self.money.capture, lines))
        self._go_on()

    def _start_parcels(self) -> None:
        for shipment_id in self.state.planned():
            if shipment_id not in self.parcels:
                parcel = Parcel(self.desk, self.money, shipment_id)
                self.parcels[shipment_id] = parcel
                self.desk.spawn(parcel.run())

    def _something_to_do(self) -> bool:
        return (
            self.stock_came
            or not self.state.live
            or bool(self.state.standing(UnitState.OPEN))
            or any(one not in self.parcels for one in self.state.planned())
        )

    async def _parcels_done(self) -> None:
        """Wait until every parcel has reached its end, or one must be sent again."""
        await wait_for(lambda: bool(self.state.live) or not self.state.travelling())

    async def _hold_expired(self, hold: Hold) -> None:
        if hold.on_expiry is Expiry.REJECT and not self.state.accepted:
            self.cancelling.reject(f"{hold.kind} hold ran out", SYSTEM)
        else:
            await self.cancelling.cancel_waiting(hold)

    async def _operator_stop(self) -> None:
        await self._read()
        await self.cancelling.cancel(Cancel(actor="operator", reason="stopped in the Temporal UI"))

    def _ending(self) -> OrderStatus:
        if self.state.rejected:
            return OrderStatus.REJECTED
        return OrderStatus.CANCELLED if self.state.all_cancelled() else OrderStatus.COMPLETED
