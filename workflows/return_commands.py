"""Commands about returns, and what every command shares."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from contracts.commands import (
        AuthoriseReturn,
        CancelReturn,
        Done,
        InspectReturn,
        ReceiveReturn,
        RequestReturn,
        ReturnAnswer,
    )
    from domain.ledger import units_of
    from domain.progress import ReturnStatus
    from domain.returns import NOT_ARRIVED
    from workflows.desk import Desk
    from workflows.refusals import refuse
    from workflows.returning import DAMAGED, REJECTED, RESTOCK, Returning
    from workflows.state import OrderState

DISPOSITIONS = (RESTOCK, DAMAGED, REJECTED)


class ReturnCommands:
    """What may be asked about the returns of a running order."""

    state: OrderState
    desk: Desk
    returning: Returning

    @workflow.update(description='Return units: {"lines":[{"line_id":"1","quantity":1}]}')
    async def request_return(self, ask: RequestReturn) -> ReturnAnswer:
        """Open a return."""
        opened = self.returning.request(ask)
        await self.desk.publish()
        return ReturnAnswer(return_id=opened.return_id, status=opened.status)

    @request_return.validator
    def _may_return(self, ask: RequestReturn) -> None:
        self._open()
        terms = self.state.facts.terms if self.state.facts else None
        if terms and ask.resolution not in terms.resolutions:
            refuse("resolution_not_offered", f"resolution: {ask.resolution} is not offered")
        if self.state.return_until and workflow.now() >= self.state.return_until:
            refuse("return_window_over", "the return window is over")
        left = self.returning.returnable()
        wanted = units_of(ask.lines)
        if not wanted or any(count < 1 for count in wanted.values()):
            refuse("lines", "lines: say which units come back")
        for line_id, count in wanted.items():
            if count > left.get(line_id, 0):
                text = f"line {line_id}: {left.get(line_id, 0)} of {count} units can come back"
                refuse("not_returnable", text)

    @workflow.update(description='Allow or refuse a return: {"return_id":"...","approve":true}')
    async def authorise_return(self, ask: AuthoriseReturn) -> Done:
        """Decide a return that waits for a person."""
        self.returning.authorise(ask.return_id, ask.approve, ask.actor)
        return await self._done()

    @authorise_return.validator
    def _may_authorise_return(self, ask: AuthoriseReturn) -> None:
        self._return_in(ask.return_id, frozenset({ReturnStatus.REQUESTED}))

    @workflow.update(description='A return has arrived: {"return_id":"..."}')
    async def receive_return(self, ask: ReceiveReturn) -> Done:
        """Note that a return has arrived."""
        self.returning.receive(ask.return_id, ask.lines, ask.actor)
        return await self._done()

    @receive_return.validator
    def _may_receive(self, ask: ReceiveReturn) -> None:
        self._return_in(ask.return_id, NOT_ARRIVED)
        announced = units_of(self.state.returns[ask.return_id].lines)
        for line_id, count in units_of(ask.lines).items():
            if not 0 < count <= announced.get(line_id, 0):
                refuse("quantity", f"line {line_id}: {announced.get(line_id, 0)} were announced")

    @workflow.update(description='A return was inspected: {"return_id":"...","lines":[]}')
    async def inspect_return(self, ask: InspectReturn) -> Done:
        """Book the result of an inspection; the refund follows."""
        self.returning.inspect(ask)
        return await self._done()

    @inspect_return.validator
    def _may_inspect(self, ask: InspectReturn) -> None:
        self._return_in(ask.return_id, frozenset({ReturnStatus.RECEIVED}))
        received = units_of(self.state.returns[ask.return_id].lines)
        inspected: dict[str, int] = {}
        for line in ask.lines:
            inspected[line.line_id] = inspected.get(line.line_id, 0) + line.quantity
            if line.disposition not in DISPOSITIONS:
                refuse("disposition", f"disposition: {line.disposition!r} is unknown")
        for line_id, count in inspected.items():
            if not 0 < count <= received.get(line_id, 0):
                refuse("quantity", f"line {line_id}: {received.get(line_id, 0)} were received")
        if inspected and inspected != received:
            refuse("quantity", "lines: say of each received unit what it is, or of none")

    @workflow.update(description='Call a return off: {"return_id":"..."}')
    async def cancel_return(self, ask: CancelReturn) -> Done:
        """Call off a return whose parcel has not come."""
        self.returning.call_off(ask.return_id, ask.actor)
        return await self._done()

    @cancel_return.validator
    def _may_cancel_return(self, ask: CancelReturn) -> None:
        self._return_in(ask.return_id, NOT_ARRIVED | {ReturnStatus.REQUESTED})

    # shared checks

    async def _done(self) -> Done:
        await self.desk.publish()
        return Done(status=self.state.status())

    def _open(self) -> None:
        if self.state.ended is not None:
            refuse("order_ended", f"the order is {self.state.ended}")

    def _return_in(self, return_id: str, allowed: frozenset[ReturnStatus]) -> None:
        one = self.state.returns.get(return_id)
        if one is None:
            refuse("return_unknown", f"return_id: {return_id} is not of this order")
        elif one.status not in allowed:
            refuse("return_state", f"return {return_id} is {one.status}")
