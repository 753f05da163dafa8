"""The order's money: authorise, adopt, capture, let go, give back.

Every amount follows from counters (``domain.ledger``); every call is one keyed effect. A call
whose outcome stays unknown is looked up at the provider before anything is tried anew.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.payments import PaymentActivities
    from contracts.steps import AuthoriseRequest
    from domain.errors import DomainError
    from domain.ledger import Held, due, refund_owed, refund_parts, to_capture, units_of
    from domain.order import PaymentForm
    from domain.payment import Authorisation, Capture
    from domain.progress import LineUnits
    from domain.units import UnitState
    from workflows.desk import Desk
    from workflows.payment_calls import PaymentCalls
    from workflows.purse import Purse


class Money:
    """The money of one order. One call at a time, so no amount is decided on twice."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state = desk.state
        self._purse = Purse(desk.state)
        self._calls = PaymentCalls(desk)
        self._lock = asyncio.Lock()
        self._adopted = False
        self._method = ""
        self._customer = ""
        self._new_method = False
        self._confirmed: set[str] = set()
        desk.wake_at = lambda: self._purse.renew_at
        desk.on_wake = self._renew

    # what there is, and what we are told

    @property
    def form(self) -> PaymentForm:
        """How the money arrives."""
        return self._state.facts.payment.form if self._state.facts else PaymentForm.ELSEWHERE

    @property
    def collects(self) -> bool:
        """Whether we take money: not for cash on delivery, nor what the storefront captures."""
        facts = self._state.facts
        if facts and self.form is PaymentForm.AUTHORISED and not facts.payment.provider:
            return False
        return self.form not in (PaymentForm.COD, PaymentForm.ELSEWHERE)

    @property
    def due(self) -> int:
        """What remains to be collected, minor units."""
        return due(self._state.lines.values()) if self.collects else 0

    @property
    def has_news(self) -> bool:
        """Whether the customer has acted and a new try may succeed."""
        return self._new_method or self._purse.unfinished in self._confirmed

    def pay_by(self, method: str, customer: str) -> None:
        """Use another method from now on; what the old one holds is let go first."""
        self._method, self._customer, self._new_method = method, customer, True

    async def paid(self, reference: str) -> None:
        """Adopt what the storefront was paid later; a payment that we have is read again."""
        held = self._purse.known(reference)
        self._adopted = self._adopted and bool(self._state.payments)
        if held:
            async with self._lock:
                await self._reread(held)

    def confirmed(self, reference: str) -> None:
        """Note that the customer has confirmed a payment at the provider."""
        self._confirmed.add(reference)

    # do: authorise, adopt

    async def secure(self) -> None:
        """See to it that everything due can be captured, and that nothing more was taken.

        Raises:
            DomainError: the provider says no, or the customer must act first.
        """
        async with self._lock:
            await self._adopt()
            await self._secure(self.due)
            await self._give_back()

    async def _secure(self, amount: int) -> Held | None:
        if amount <= 0 or not self.collects:
            return None
        if self._new_method:
            await self._let_go()
            self._new_method = False
        elif reference := self._purse.unfinished:
            self._confirmed.discard(reference)
            self._accept(await self._calls.read(reference))
        if (held := self._purse.usable(amount)) is not None:
            return held
        await self._let_go()
        return await self._authorise(self.due) if self.due else None

    async def _authorise(self, amount: int) -> Held:
        ask = AuthoriseRequest(
            order_id=self._state.order_id,
            n=0,
            amount=amount,
            currency=self._purse.currency,
            multi_capture=self._several_captures,
            method=self._method,
            customer=self._customer,
        )
        text = f"authorise {amount} {self._purse.currency}"
        answer = await self._calls.make(PaymentActivities.authorise, ask, "authorise", text)
        return self._accept(answer)

    @property
    def _renewable(self) -> bool:
        """Whether an authorisation can be taken anew; an adopted one may come without a method."""
        return self.form is PaymentForm.METHOD or bool(self._method)

    @property
    def _several_captures(self) -> bool:
        return len(self._state.shipments) > 1 or bool(self._state.standing(UnitState.BACKORDERED))

    async def _adopt(self) -> None:
        facts = self._state.facts
        if self._adopted or facts is None:
            return
        if self.form not in (PaymentForm.AUTHORISED, PaymentForm.CAPTURED):
            return
        payment = facts.payment
        if not (payment.provider and payment.reference):
            self._adopted = True
            if self.form is PaymentForm.CAPTURED:
                self._purse.trust(payment.amount)
            return
        step = self._calls.step(payment.reference)
        try:
            answer: Authorisation = await self._calls.make(
                PaymentActivities.adopt, step, "adopt", "adopt payment"
            )
        except DomainError:
            if not self._method:
                raise
            self._adopted = True
            return
        self._adopted = True
        self._customer = self._customer or answer.customer
        self._method = self._method or answer.reusable_method
        self._accept(answer)

    def _accept(self, answer: Authorisation) -> Held:
        """Take over what the provider shows; an adopted payment may be captured, or short."""
        held = self._purse.take(answer, self._renewable)
        facts = self._state.facts
        adopted = facts is not None and facts.payment.reference == held.reference
        if held.captured:
            self._purse.count_as_captured(held.captured - held.refunded)
        elif adopted and held.capturable < self.due:
            self._purse.collect_only(held.capturable)
        return held

    # do: capture

    async def capture(self, lines: Iterable[LineUnits]) -> int:
        """Take the money of units that are about to leave; returns the amount, minor units.

        Raises:
            DomainError: it cannot be taken; nothing was.
        """
        async with self._lock:
            if not self.collects:
                return 0
            await self._adopt()
            units, amount = self._to_capture(units_of(lines))
            if amount > 0:
                await self._take(amount)
            self._purse.count(units)
            return amount

    def _to_capture(self, wanted: dict[str, int]) -> tuple[dict[str, int], int]:
        """Return the units and the amount to take: the units that leave, or all when what is held
        can be captured only once and never be taken anew."""
        lines = self._state.lines
        found = {line_id: to_capture(lines[line_id], count) for line_id, count in wanted.items()}
        amount = sum(value for _, value in found.values())
        once = any(not one.multi_capture for one in self._purse.live) and not self._renewable
        if once and 0 < amount < self.due:
            return self._to_capture(units_of(self._state.uncancelled()))
        return {line_id: count for line_id, (count, _) in found.items()}, amount

    async def _take(self, amount: int) -> None:
        """Capture; an authorisation that turns out to have lapsed is taken anew, once."""
        held = await self._secure(amount)
        try:
            await self._capture(held, amount)
        except DomainError:
            if held is None or self._purse.safe(held.reference):
                raise
            amount = min(amount, self.due)
            await self._capture(await self._secure(amount), amount)

    async def _capture(self, held: Held | None, amount: int) -> None:
        if held is None:
            return
        final = amount >= self.due or not held.multi_capture
        step = self._calls.step(held.reference, amount, final)
        text = f"capture {amount} {self._purse.currency}"
        try:
            taken: Capture = await self._calls.make(
                PaymentActivities.capture, step, "capture", text
            )
        except DomainError:
            await self._reread(held)
            raise
        self._purse.captured(held, taken.amount, taken.fee, 0 if final else taken.capturable)

    async def _reread(self, held: Held) -> None:
        """Go by the provider's word after it refused something about a payment."""
        with suppress(DomainError):
            self._purse.go_by(held, await self._calls.read(held.reference))

    # undo: let go, give back

    async def let_go(self) -> None:
        """Release every live authorisation; one that never was is no error."""
        async with self._lock:
            try:
                await self._adopt()
            except DomainError as refused:
                self._purse.note("payment.not_adopted", str(refused))
            await self._let_go()

    async def _let_go(self) -> None:
        if reference := self._purse.unfinished:
            self._purse.unfinished = ""
            self._state.action_required = False
            await self._calls.void(reference)
        for held in self._purse.live:
            if not await self._calls.void(held.reference):
                await self._reread(held)
            self._purse.let_go(held)

    async def give_back(self) -> int:
        """Refund what was taken and is no longer owed; returns the amount, minor units."""
        async with self._lock:
            return await self._give_back()

    async def settle(self) -> None:
        """Bring the money in line with a cancel: what is no longer owed is let go or given back."""
        async with self._lock:
            given = await self._give_back()
            held = self._purse.live
            if held and not self.due:
                await self._let_go()
        if given or held:
            await self._desk.publish()

    async def _give_back(self) -> int:
        money = self._state.money()
        owed = refund_owed(self._state.lines.values(), money.captured, money.refunded)
        given = 0
        for reference, amount in refund_parts(self._state.payments, owed):
            if not reference:
                text = f"refund {amount} {self._purse.currency} in the storefront"
                await self._desk.publish(alert=("refund_at_storefront", text))
            elif not await self._calls.refund(reference, amount):
                continue
            self._purse.refunded(reference, amount)
            given += amount
        return given

    # renewing

    async def _renew(self) -> None:
        """Release an authorisation that is about to lapse and take a new one."""
        async with self._lock:
            when = self._purse.renew_at
            if when is None or workflow.now() < when:
                return
            await self._let_go()
            try:
                if self.due and not self._state.over:
                    await self._authorise(self.due)
            except DomainError as refused:
                text = f"an authorisation could not be renewed: {refused}"
                self._purse.note("payment.not_renewed", text)
                await self._desk.publish(alert=("payment_not_renewed", text))
                return
        await self._desk.publish()
