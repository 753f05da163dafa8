"""The order's desk: what every part of the process needs. Wait, hold, tell, record.

Waiting follows one pattern (TEMPORAL.md T1): a decision is one synchronous step on the state; a
wait ends when its condition holds or its deadline has passed, and whoever waited reads the state
again and never trusts which of both it was.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.messages import MessageActivities
    from activities.orders import OrderActivities
    from contracts.steps import MessageStep, Record
    from domain.errors import DomainError
    from domain.holds import SYSTEM, Expiry, Hold, HoldKind
    from domain.policy import Clocks
    from domain.progress import LineUnits
    from workflows.options import MESSAGES, in_house, outside
    from workflows.state import OrderState
    from workflows.visibility import Shown, changes, details, shown
    from workflows.waiting import cancelled, wait_for

Expired = Callable[[Hold], Awaitable[None]]


class Desk:
    """Shared by the main line, the parcels, the returns and the commands of one order."""

    def __init__(self, state: OrderState) -> None:
        self.state = state
        self.wake_at: Callable[[], datetime | None] = lambda: None
        self.on_wake: Callable[[], Awaitable[None]] | None = None
        self.on_expiry: Expired | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._shown: Shown = {}
        self._queue: tuple[object, ...] = ()
        self.broken: BaseException | None = None

    @property
    def clocks(self) -> Clocks:
        """The policy's clocks; the shipped ones until the order is read."""
        return self.state.facts.terms.clocks if self.state.facts else Clocks()

    # waiting

    async def until(self, condition: Callable[[], bool], deadline: datetime, awaited: str) -> bool:
        """Wait until a condition holds; False when the deadline passed first.

        ``awaited`` is what the Temporal UI shows beside the timer, with the deadline.

        Wakes in between when an authorisation must be renewed, so that no wait lets one lapse; also
        one that was taken while we waited.
        """
        while not condition():
            now = workflow.now()
            if now >= deadline:
                return False
            wake = self.wake_at()
            if wake and now >= wake and self.on_wake:
                await self.on_wake()
                continue
            stop = min(deadline, wake) if wake else deadline
            try:
                stirred = partial(self._stirred, condition, stop)
                await workflow.wait_condition(
                    stirred,
                    timeout=stop - now,
                    timeout_summary=f"{awaited} until {deadline:%d %b %H:%M}Z",
                )
            except TimeoutError:
                continue
            except asyncio.CancelledError:
                if cancelled():
                    raise
        return True

    def _stirred(self, condition: Callable[[], bool], stop: datetime) -> bool:
        wake = self.wake_at()
        return condition() or (wake is not None and wake < stop)

    async def patient(
        self, condition: Callable[[], bool], seconds: float, late: str, awaited: str
    ) -> None:
        """Wait for somebody outside, and tell the operators each time a deadline passes."""
        deadline = workflow.now() + timedelta(seconds=seconds)
        while not await self.until(condition, deadline, awaited):
            self.state.note("stage.late", workflow.now(), SYSTEM, late)
            await self.publish(alert=("late", late))
            deadline = workflow.now() + timedelta(seconds=self.clocks.escalate_again)

    # holds

    def hold(
        self,
        kind: HoldKind,
        reason: str,
        seconds: float,
        on_expiry: Expiry = Expiry.ESCALATE,
        placed_by: str = SYSTEM,
        fields: tuple[str, ...] = (),
    ) -> Hold:
        """Place a hold and watch its deadline."""
        hold = self.state.hold(kind, reason, workflow.now(), seconds, on_expiry, placed_by, fields)
        self.spawn(self._watch(hold.hold_id))
        return hold

    def lifted(self, hold: Hold) -> bool:
        """Whether a hold is gone, or nothing is left that it could hold."""
        return hold.hold_id not in self.state.holds or self.state.over

    async def hold_out(self, hold: Hold) -> None:
        """Publish a hold and wait until it is lifted."""
        await self.publish()
        await wait_for(lambda: self.lifted(hold))

    async def _watch(self, hold_id: str) -> None:
        while (hold := self.state.holds.get(hold_id)) and self.state.ended is None:
            if not await self.until(
                partial(self._moved, hold), hold.expires_at + self._jitter(hold), hold.kind
            ):
                await self._expire(hold)

    def _moved(self, hold: Hold) -> bool:
        return self.state.holds.get(hold.hold_id) != hold or self.state.ended is not None

    async def _expire(self, hold: Hold) -> None:
        if hold.on_expiry is Expiry.ESCALATE:
            later = workflow.now() + timedelta(seconds=self.clocks.escalate_again)
            self.state.holds[hold.hold_id] = hold.model_copy(update={"expires_at": later})
            text = f"{hold.kind} hold is overdue: {hold.reason}"
            self.state.note("hold.overdue", workflow.now(), SYSTEM, text)
            await self.publish(alert=("hold_overdue", text))
            return
        self.state.lift(hold.hold_id, workflow.now(), SYSTEM, "time is up")
        if hold.on_expiry is not Expiry.RELEASE and self.on_expiry:
            await self.on_expiry(hold)
        elif self.state.holds:
            # Another hold keeps the order: what has changed is written now, and leaves an event.
            await self.publish()

    def _jitter(self, hold: Hold) -> timedelta:
        """Spread the ends of grace periods that began together by up to 1 %, at most 5 s."""
        if hold.kind is not HoldKind.GRACE:
            return timedelta()
        length = (hold.expires_at - hold.placed_at).total_seconds()
        return timedelta(seconds=workflow.random().uniform(0, min(5.0, length / 100)))

    # telling

    def tell(
        self,
        template: str,
        subject: str = "",
        lines: tuple[LineUnits, ...] = (),
        amount: int | None = None,
        deadline: datetime | None = None,
        reason: str = "",
    ) -> None:
        """Tell the customer something; the process does not wait for the mail."""
        step = MessageStep(
            order_id=self.state.order_id,
            n=self.state.draw("effect"),
            template=template,
            subject=subject,
            amount=amount,
            lines=lines,
            deadline=deadline,
            reason=reason,
        )
        self.spawn(self._send(step))

    async def _send(self, step: MessageStep) -> None:
        patience = self.clocks.provider_patience
        try:
            await outside(MessageActivities.send, step, MESSAGES, step.template, patience)
        except ActivityError as failed:
            text = f"{step.template}: {cause_of(failed)}"
            self.state.note("message.failed", workflow.now(), SYSTEM, text)
            await self.publish(alert=("message_failed", text))

    # recording

    async def publish(self, alert: tuple[str, str] | None = None) -> None:
        """Show the present state in the Temporal UI and write it to the database."""
        state = self.state
        state.version += 1
        progress = state.progress()
        workflow.set_current_details(details(progress, state.facts.page if state.facts else ""))
        after = shown(state)
        updates = changes(self._shown, after)
        self._shown = after
        if updates:
            workflow.upsert_search_attributes(updates)
        events, moves, queue = tuple(state.events), tuple(state.moves), state.queue()
        state.events, state.moves = [], []
        changed = queue != self._queue
        self._queue = queue
        record = Record(
            progress=progress,
            events=events,
            moves=moves,
            queue=queue if changed else None,
            alert=alert,
            at=workflow.now(),
        )
        await in_house(OrderActivities.record, record)

    # background work

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside the main line; the order does not end before it has."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.broken = self.broken or error

    async def finish(self) -> None:
        """Wait for all background work."""
        while self._tasks:
            await workflow.wait([*self._tasks])


def refusal_of(failed: ActivityError) -> DomainError | None:
    """Return the final refusal behind a failed step, None when its outcome is unknown."""
    cause = failed.cause
    if isinstance(cause, ApplicationError) and cause.non_retryable:
        return DomainError(cause.message, cause.type or "refused")
    return None


def cause_of(failed: ActivityError) -> str:
    """Say in a few words why a step failed."""
    return (str(failed.cause) if failed.cause else str(failed))[:200]
