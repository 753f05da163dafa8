"""The order's money: authorise, adopt, capture, let go, give back.

Every amount follows from counters (``domain.ledger``); every call is one keyed effect. A call
whose outcome stays unknown is looked up at the provider before anything is tried anew.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.payments import PaymentActivities
    from contracts.steps import AuthoriseRequest
    from domain.errors import DomainError
    from domain.holds import SYSTEM
    from domain.ledger import Held, due, refund_owed, refund_parts, to_capture
    from domain.money import split
    from domain.order import PaymentForm
    from domain.payment import Authorisation, Capture, PaymentState, Refund
    from domain.progress import LineUnits
    from workflows.desk import Desk
    from workflows.payment_calls import PaymentCalls


class Money:
    """The money of one order. One call at a time, so no amount is decided on twice."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state = desk.state
        self._calls = PaymentCalls(desk)
        self._lock = asyncio.Lock()
        self._adopted = False
        self._method = ""
        self._customer = ""
        desk.wake_at = self._renew_at
        desk.on_wake = self._renew

    # what there is

    @property
    def form(self) -> PaymentForm:
        """How the money arrives."""
        return self._state.facts.payment.form if self._state.facts else PaymentForm.ELSEWHERE

    @property
    def collects(self) -> bool:
        """Whether we take money at all: not for cash on delivery, not for what is paid elsewhere,
        and not on an authorisation that only the storefront can capture."""
        facts = self._state.facts
        if facts and self.form is PaymentForm.AUTHORISED and not facts.payment.provider:
            return False
        return self.form not in (PaymentForm.COD, PaymentForm.ELSEWHERE)

    @property
    def due(self) -> int:
        """What remains to be collected, minor units."""
        return due(self._state.lines.values()) if self.collects else 0

    def pay_by(self, method: str, customer: str) -> None:
        """Use another method from now on."""
        self._method, self._customer = method, customer
        self._adopted = True

    # do: authorise, adopt

    async def secure(self) -> None:
        """See to it that everything due can be captured.

        Raises:
            DomainError: the provider says no, or the customer must act first.
        """
        async with self._lock:
            await self._adopt()
            await self._secure(self.due)

    async def _secure(self, amount: int) -> Held | None:
        if amount <= 0 or not self.collects or self.form is PaymentForm.CAPTURED:
            return None
        for held in self._state.payments:
            if held.live(workflow.now(), self._margin) and held.capturable >= amount:
                return held
        await self._let_go()
        return await self._authorise(self.due)

    async def _authorise(self, amount: int) -> Held:
        ask = AuthoriseRequest(
            order_id=self._state.order_id,
            n=0,
            amount=amount,
            currency=self._calls.currency,
            multi_capture=len(self._state.shipments) > 1,
            method=self._method,
            customer=self._customer,
        )
        text = f"authorise {amount} {self._calls.currency}"
        answer = await self._calls.make(PaymentActivities.authorise, ask, "authorise", text)
        return self._hold_on(answer)

    async def _adopt(self) -> None:
        facts = self._state.facts
        if self._adopted or facts is None or not facts.payment.reference:
            return
        if self.form not in (PaymentForm.AUTHORISED, PaymentForm.CAPTURED):
            return
        if not facts.payment.provider:
            self._trust_storefront()
            return
        step = self._calls.step(facts.payment.reference)
        answer = await self._calls.make(PaymentActivities.adopt, step, "adopt", "adopt payment")
        self._adopted = True
        self._customer = self._customer or answer.customer
        self._method = self._method or answer.reusable_method
        held = self._hold_on(answer)
        if held.captured:
            self._count_as_captured(held.captured - held.refunded)
        elif held.capturable < self.due:
            self._collect_only(held.capturable)

    def _trust_storefront(self) -> None:
        """Money taken by a provider we cannot call: booked as the storefront states it."""
        self._adopted = True
        facts = self._state.facts
        if facts and self.form is PaymentForm.CAPTURED:
            self._state.payments.append(Held(reference="", captured=facts.payment.amount))
            self._count_as_captured(facts.payment.amount)

    def _hold_on(self, answer: Authorisation) -> Held:
        if answer.state is PaymentState.ACTION_REQUIRED:
            self._state.action_required = True
            raise DomainError("the customer must confirm the payment", "action_required")
        if answer.state in (PaymentState.DECLINED, PaymentState.VOIDED):
            raise DomainError(f"the payment is {answer.state}", "declined")
        self._state.action_required = False
        self._state.voided = False
        held = Held(
            reference=answer.reference,
            capturable=answer.capturable,
            captured=answer.captured,
            refunded=answer.refunded,
            expires_at=answer.expires_at,
            multi_capture=answer.multi_capture,
        )
        self._state.payments.append(held)
        text = f"{answer.capturable or answer.captured} {self._calls.currency}"
        self._state.note("payment.secured", workflow.now(), SYSTEM, text)
        return held

    def _count_as_captured(self, amount: int) -> None:
        lines = self._state.lines
        for line in list(lines.values()):
            lines[line.line_id] = line.model_copy(
                update={"captured": line.units.ordered - line.units.cancelled}
            )
        if amount < sum(line.collect for line in lines.values()):
            self._collect_only(amount)

    def _collect_only(self, amount: int) -> None:
        """Go by the provider's real amount when it is less than the storefront said."""
        lines = list(self._state.lines.values())
        shares = split(max(0, amount), [line.collect for line in lines])
        for line, share in zip(lines, shares, strict=True):
            self._state.lines[line.line_id] = line.model_copy(update={"collect": share})
        text = f"the payment is {amount} {self._calls.currency}, less than the order says"
        self._state.note("payment.short", workflow.now(), SYSTEM, text)

    # do: capture

    async def capture(self, lines: Iterable[LineUnits]) -> int:
        """Take the money of units that are about to leave; returns the amount, minor units.

        Raises:
            DomainError: it cannot be taken; nothing was.
        """
        async with self._lock:
            await self._adopt()
            counts, amount = self._to_capture(lines)
            if amount > 0 and self.collects:
                held = await self._secure(amount)
                if held is not None:
                    await self._capture(held, amount, final=amount >= self.due)
            for line_id, count in counts.items():
                line = self._state.lines[line_id]
                self._state.lines[line_id] = line.model_copy(
                    update={"captured": line.captured + count}
                )
            return amount if self.collects else 0

    def _to_capture(self, lines: Iterable[LineUnits]) -> tuple[dict[str, int], int]:
        counts: dict[str, int] = {}
        amount = 0
        if not self.collects:
            return counts, amount
        for line in lines:
            count, value = to_capture(self._state.lines[line.line_id], line.quantity)
            counts[line.line_id] = counts.get(line.line_id, 0) + count
            amount += value
        return counts, amount

    async def _capture(self, held: Held, amount: int, final: bool) -> None:
        step = self._calls.step(held.reference, amount, final or not held.multi_capture)
        text = f"capture {amount} {self._calls.currency}"
        taken: Capture = await self._calls.make(PaymentActivities.capture, step, "capture", text)
        self._change(
            held.reference,
            captured=held.captured + taken.amount,
            capturable=0 if step.final else taken.capturable,
        )
        self._state.fees += taken.fee
        self._state.note("payment.captured", workflow.now(), SYSTEM, text)

    # undo: let go, give back

    async def let_go(self) -> None:
        """Release every live authorisation; one that never was is no error."""
        async with self._lock:
            try:
                await self._adopt()
            except DomainError as refused:
                self._state.note("payment.not_adopted", workflow.now(), SYSTEM, str(refused))
            await self._let_go()

    async def _let_go(self) -> None:
        for held in [one for one in self._state.payments if one.capturable]:
            step = self._calls.step(held.reference)
            try:
                await self._calls.make(PaymentActivities.void, step, "void", "void authorisation")
            except DomainError as refused:
                text = f"void refused: {refused}"
                self._state.note("payment.void_refused", workflow.now(), SYSTEM, text)
                await self._desk.publish(alert=("void_refused", text))
            self._change(held.reference, capturable=0)
            self._state.voided = True
            self._state.note("payment.voided", workflow.now(), SYSTEM, str(held.capturable))

    async def give_back(self) -> int:
        """Refund what was taken and is no longer owed; returns the amount, minor units."""
        async with self._lock:
            money = self._state.money()
            owed = refund_owed(self._state.lines.values(), money.captured, money.refunded)
            given = 0
            for reference, amount in refund_parts(self._state.payments, owed):
                given += await self._refund(reference, amount)
            return given

    async def _refund(self, reference: str, amount: int) -> int:
        text = f"refund {amount} {self._calls.currency}"
        if not reference:
            self._book_refund(reference, amount)
            await self._desk.publish(alert=("refund_at_storefront", f"{text} in the storefront"))
            return amount
        step = self._calls.step(reference, amount)
        try:
            answer: Refund = await self._calls.make(PaymentActivities.refund, step, "refund", text)
        except DomainError as refused:
            note = f"{text} refused: {refused}"
            self._state.note("payment.refund_refused", workflow.now(), SYSTEM, note)
            await self._desk.publish(alert=("refund_refused", note))
            return 0
        self._book_refund(reference, answer.amount)
        return answer.amount

    def _book_refund(self, reference: str, amount: int) -> None:
        held = next(one for one in self._state.payments if one.reference == reference)
        self._change(reference, refunded=held.refunded + amount)
        text = f"{amount} {self._calls.currency}"
        self._state.note("payment.refunded", workflow.now(), SYSTEM, text)

    # renewing

    @property
    def _margin(self) -> timedelta:
        terms = self._state.facts.terms if self._state.facts else None
        return timedelta(seconds=terms.expiry_margin if terms else 0)

    def _renew_at(self) -> datetime | None:
        if self._lock.locked():
            return None
        ends = [p.expires_at for p in self._state.payments if p.capturable and p.expires_at]
        return min(ends) - self._margin if ends else None

    async def _renew(self) -> None:
        """Release an authorisation that is about to lapse and take a new one."""
        try:
            async with self._lock:
                await self._let_go()
                if self.due and not self._state.over:
                    await self._authorise(self.due)
        except DomainError as refused:
            text = f"an authorisation could not be renewed: {refused}"
            self._state.note("payment.not_renewed", workflow.now(), SYSTEM, text)
        await self._desk.publish()

    def _change(self, reference: str, **changes: object) -> None:
        self._state.payments = [
            one.model_copy(update=changes) if one.reference == reference else one
            for one in self._state.payments
        ]
