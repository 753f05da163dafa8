"""Commands of people, warehouses and carriers: updates with validators, and one signal.

A validator refuses without leaving a trace in history. A handler decides in its first step and
only then waits for anything.
"""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from contracts.commands import (
        Cancel,
        CancelAnswer,
        ChangeAddress,
        ChangeLines,
        Done,
        HoldAnswer,
        Milestone,
        MilestoneKind,
        NewMethod,
        Paid,
        PlaceHold,
        ReleaseHold,
        Reschedule,
        Review,
        ShipNow,
    )
    from contracts.steps import Amend
    from domain.calendar import start_of
    from domain.holds import Expiry, HoldKind
    from domain.ledger import units_of
    from domain.policy import Verdict
    from domain.progress import LineUnits, OrderProgress, ShipmentStatus
    from workflows.cancelling import Cancelling
    from workflows.money import Money
    from workflows.options import in_house
    from workflows.parcel import Parcel
    from workflows.placing import Placing
    from workflows.refusals import refuse
    from workflows.return_commands import ReturnCommands
    from workflows.storefront import StorefrontPayment
    from workflows.waiting import wait_for


class Commands(ReturnCommands):
    """What may be asked of a running order. ``workflows.order.Order`` adds the process."""

    money: Money
    parcels: dict[str, Parcel]
    cancelling: Cancelling
    storefront: StorefrontPayment
    placing: Placing
    stock_came: bool = False
    sending: bool = False

    @workflow.query(description="The whole order at its present version")
    def progress(self) -> OrderProgress:
        """Return the whole picture."""
        return self.state.progress()

    @workflow.signal(description="A warehouse or carrier call-back; sent by the API")
    def milestone(self, milestone: Milestone) -> None:
        """Take in what happened outside."""
        if milestone.kind is MilestoneKind.STOCK:
            self.stock_came = True
        elif milestone.kind is MilestoneKind.RESERVATION_EXPIRED:
            self.placing.reservation_lost()
        elif milestone.kind is MilestoneKind.ACTION_DONE:
            self.money.confirmed(milestone.subject)
            self.state.lift_kind(HoldKind.PAYMENT, workflow.now(), "customer", "confirmed")
        elif milestone.kind is MilestoneKind.DISPUTED:
            text = f"{milestone.amount}: {milestone.detail}"
            self.state.note("payment.disputed", workflow.now(), "provider", text)
        elif milestone.subject in self.parcels:
            self.parcels[milestone.subject].heard(milestone)

    # cancel

    @workflow.update(description='Cancel all, or units: {"lines":[{"line_id":"1","quantity":1}]}')
    async def cancel(self, ask: Cancel) -> CancelAnswer:
        """Cancel units; the answer says which."""
        await self._read()
        self._known(ask)
        return await self.cancelling.cancel(ask)

    @cancel.validator
    def _may_cancel(self, ask: Cancel) -> None:
        self._open()
        self._known(ask)

    # holds and review

    @workflow.update(description='Hold the order: {"reason":"..."}; it escalates when overdue')
    async def place_hold(self, ask: PlaceHold) -> HoldAnswer:
        """Hold the order."""
        await self._read()
        terms = self.state.facts.terms if self.state.facts else None
        seconds = float(terms.hold_deadline if terms else self.desk.clocks.escalate_again)
        if ask.expires_at:
            seconds = (ask.expires_at - workflow.now()).total_seconds()
        reason = ask.reason or "held by an operator"
        hold = self.desk.hold(HoldKind.OPS, reason, seconds, Expiry(ask.expiry), ask.actor)
        await self.desk.publish()
        return HoldAnswer(hold_id=hold.hold_id, expires_at=hold.expires_at)

    @place_hold.validator
    def _may_hold(self, ask: PlaceHold) -> None:
        self._open()
        if ask.expires_at and ask.expires_at <= workflow.now():
            refuse("expires_at", "expires_at: is not in the future")
        if ask.expiry not in set(Expiry):
            refuse("expiry", f"expiry: {ask.expiry!r} is none of {', '.join(Expiry)}")

    @workflow.update(description='Lift one hold: {"hold_id":"h1","reason":"..."}')
    async def release_hold(self, ask: ReleaseHold) -> Done:
        """Lift a hold."""
        self.state.lift(ask.hold_id, workflow.now(), ask.actor, ask.reason)
        return await self._done()

    @release_hold.validator
    def _may_release(self, ask: ReleaseHold) -> None:
        self._open()
        if ask.hold_id not in self.state.holds:
            refuse("hold_unknown", f"hold_id: {ask.hold_id} is not in place")

    @workflow.update(description='Decide a fraud review: {"decision":"accept"} or "reject"')
    async def review(self, ask: Review) -> Done:
        """Decide a fraud review."""
        if ask.decision is Verdict.REJECT:
            self.cancelling.reject(ask.reason or "rejected in review", ask.actor)
        self.state.lift_kind(HoldKind.FRAUD_REVIEW, workflow.now(), ask.actor, ask.decision)
        return await self._done()

    @review.validator
    def _may_review(self, ask: Review) -> None:
        self._open()
        self._held(HoldKind.FRAUD_REVIEW)
        if ask.decision is Verdict.REVIEW:
            refuse("decision", "decision: is accept or reject")

    # changes before release

    @workflow.update(description="End the grace period and a schedule at once: {}")
    async def ship_now(self, ask: ShipNow) -> Done:
        """Ship without waiting any longer."""
        self.placing.set_release(None, ask.actor)
        self.state.lift_kind(HoldKind.GRACE, workflow.now(), ask.actor, "ship now")
        return await self._done()

    @ship_now.validator
    def _may_ship_now(self, ask: ShipNow) -> None:
        self._open()
        self._held(HoldKind.GRACE, HoldKind.SCHEDULE)

    @workflow.update(description='Move the delivery date: {"deliver_on":"2027-01-31"}')
    async def reschedule(self, ask: Reschedule) -> Done:
        """Move the delivery date of an order that has not been released."""
        self.placing.set_release(ask.deliver_on, ask.actor)
        return await self._done()

    @reschedule.validator
    def _may_reschedule(self, ask: Reschedule) -> None:
        self._open()
        self._unreleased()
        if self.sending:
            refuse("too_late", "the order is being sent, or waits for stock")
        if start_of(ask.deliver_on) <= workflow.now():
            refuse("deliver_on", "deliver_on: is not in the future")

    @workflow.update(description="Send what is not released to another address: {address: {...}}")
    async def change_address(self, ask: ChangeAddress) -> Done:
        """Change the address; nothing is released while it is being written."""
        writing = self.desk.hold(HoldKind.ADDRESS, "the address is being changed", 3600)
        amend = Amend(order_id=self.state.order_id, address=ask.address)
        amended = await in_house(OrderActivities.amend, amend)
        self.state.lift(writing.hold_id, workflow.now(), ask.actor, "address written")
        if amended.problems:
            problems = "; ".join(f"{field}: {text}" for field, text in amended.problems)
            raise ApplicationError(problems, type="invalid_address", non_retryable=True)
        self.state.lift_kind(HoldKind.ADDRESS, workflow.now(), ask.actor, "new address")
        self.state.note("address.changed", workflow.now(), ask.actor, ask.reason)
        return await self._done()

    @change_address.validator
    def _may_change_address(self, ask: ChangeAddress) -> None:
        self._open()
        if not any(hold.kind is HoldKind.ADDRESS for hold in self.state.holds.values()):
            self._unreleased()

    @workflow.update(description='Change lines: {"set":[{"line_id":"1","quantity":1}],"add":[]}')
    async def change_lines(self, ask: ChangeLines) -> Done:
        """Lower quantities and add lines before anything is released."""
        await self._read()
        self._lowers(ask)
        less = tuple(
            LineUnits(line_id=line_id, quantity=cut)
            for line_id, count in units_of(ask.set).items()
            if (cut := self._collectable(line_id) - count) > 0
        )
        if ask.add:
            writing = self.desk.hold(HoldKind.DATA, "lines are being added", 3600)
            amend = Amend(order_id=self.state.order_id, add=ask.add)
            amended = await in_house(OrderActivities.amend, amend)
            self.state.lift(writing.hold_id, workflow.now(), ask.actor, "lines written")
            if amended.problems:
                problems = "; ".join(f"{field}: {text}" for field, text in amended.problems)
                raise ApplicationError(problems, type="invalid_lines", non_retryable=True)
            if not self.cancelling.take_in(amended.lines):
                refuse("too_late", "nothing of the order is left to be sent")
        if less:
            reason = ask.reason or "lines changed"
            await self.cancelling.cancel(Cancel(actor=ask.actor, reason=reason, lines=less))
        self.state.note("lines.changed", workflow.now(), ask.actor, ask.reason)
        return await self._done()

    @change_lines.validator
    def _may_change_lines(self, ask: ChangeLines) -> None:
        self._open()
        self._unreleased()
        if ask.add and self.state.over:
            refuse("too_late", "nothing of the order is left to be sent")
        self._lowers(ask)

    def _lowers(self, ask: ChangeLines) -> None:
        if self.state.facts is None:
            return
        for line_id, count in units_of(ask.set).items():
            if line_id not in self.state.lines:
                refuse("line_unknown", f"set: line {line_id} is not in the order")
            if not 0 <= count <= self._collectable(line_id):
                refuse("quantity", f"set: line {line_id}: a quantity can only be lowered")

    @workflow.update(description='Pay by another method: {"method":"pm_...","customer":"cus_..."}')
    async def payment_method(self, ask: NewMethod) -> Done:
        """Pay by another method."""
        self.money.pay_by(ask.method, ask.customer)
        self.state.lift_kind(HoldKind.PAYMENT, workflow.now(), ask.actor, "new method")
        return await self._done()

    @payment_method.validator
    def _may_pay(self, ask: NewMethod) -> None:
        self._open()
        if not ask.method:
            refuse("method", "method: is missing")

    @workflow.update(description='The storefront was paid: {"form":"captured","amount":1250}')
    async def paid(self, ask: Paid) -> Done:
        """Take over a payment that the storefront got after it had placed the order."""
        await self._read()
        await self.storefront.take(ask)
        return await self._done()

    @paid.validator
    def _may_be_paid(self, ask: Paid) -> None:
        self._open()
        self.storefront.may_pay(ask)

    # shared checks

    async def _read(self) -> None:
        """Wait until the order is read; mostly it is, and nothing is waited for."""
        if self.state.facts is None:
            await wait_for(lambda: self.state.facts is not None)

    def _held(self, *kinds: HoldKind) -> None:
        if not any(hold.kind in kinds for hold in self.state.holds.values()):
            refuse("not_held", f"the order has no {' or '.join(kinds)} hold")

    def _unreleased(self) -> None:
        early = (ShipmentStatus.PLANNED, ShipmentStatus.CANCELLED)
        if any(one.status not in early for one in self.state.shipments.values()):
            refuse("too_late", "a part of the order has been released to a warehouse")

    def _known(self, ask: Cancel) -> None:
        if self.state.facts is None:
            return
        for line_id, count in units_of(ask.lines).items():
            line = self.state.lines.get(line_id)
            if line is None:
                refuse("line_unknown", f"lines: {line_id} is not in the order")
            elif not 0 < count <= self._collectable(line_id):
                left = self._collectable(line_id)
                refuse("quantity", f"lines: {line_id}: {left} units are not cancelled yet")

    def _collectable(self, line_id: str) -> int:
        units = self.state.lines[line_id].units
        return units.ordered - units.cancelled
