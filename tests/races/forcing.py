"""Forces the order of two things that happen to one order. Nothing here hopes for a moment.

Four ways (TEMPORAL.md T1, T7):

- ``away``: nobody is at work while a deadline passes, a call-back comes and a command is asked;
  whoever returns finds all of it in one activation.
- ``during``: a step stands at a gate of a fake provider, before or after its effect, and the
  command is accepted before the step goes on.
- ``during`` with ``Moment.WITH_ANSWER``: the step's result and the command come in one activation;
  with ``Moment.ANSWER_LOST`` the step was done, and whoever did it is gone before it could say so.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from temporalio.api.enums.v1 import EventType
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from contracts.commands import Milestone
from contracts.orders import ORDERS
from domain.frozen import Wire
from tests.fakes.gates import PATIENCE, Gate
from tests.workflows.world import Running

ONCE, AGAIN = ("a",), ("a", "a", "b")
ASKED = {"asked once": ONCE, "asked again and under another id": AGAIN}
"""How often a command is sent, by the ids of its updates."""

TIMER_FIRED, TASK_DONE = "TIMER_FIRED", "WORKFLOW_TASK_COMPLETED"
STEP_ENDS = ("ACTIVITY_TASK_COMPLETED", "ACTIVITY_TASK_FAILED")
ADMITTED, ACCEPTED = (
    Stage.Value(f"UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_{name}")
    for name in ("ADMITTED", "ACCEPTED")
)


class Moment(StrEnum):
    """When a command comes, seen from the step that it races with."""

    BEFORE = "before the effect"
    AFTER = "after the effect"
    WITH_ANSWER = "with the answer"
    ANSWER_LOST = "after an effect whose answer was lost"

    @property
    def after(self) -> bool:
        """On which side of its effect the step is held."""
        return self in (Moment.AFTER, Moment.ANSWER_LOST)


DURING = (Moment.BEFORE, Moment.AFTER, Moment.WITH_ANSWER)


class Asked(Protocol):
    """Something that is asked of an order; ``key`` is the id of its update."""

    @property
    def key(self) -> str: ...
    async def send(self, running: Running) -> "Answer":
        """Send it and wait for the answer."""


@dataclass(frozen=True)
class Ask:
    """One command, sent under the id of its update."""

    command: str
    model: Wire
    answer: type[Wire]
    key: str = "a"

    async def send(self, running: Running) -> "Answer":
        """Send it to the process itself; a refusal's answer is its code."""
        try:
            return await running.ask(self.command, self.model, self.answer, key=self.key)
        except WorkflowUpdateFailedError as refused:
            return str(getattr(refused.cause, "type", "")) or str(refused.cause)

    def under(self, keys: Sequence[str]) -> list["Ask"]:
        """Return the same command, sent under each of these ids."""
        return [Ask(self.command, self.model, self.answer, key) for key in keys]


Answer = Any
"""What an update returned; of a refused one, its code."""
Answers = dict[str, Answer]
"""One answer for each id; a command that was sent again got its first answer again."""


async def away(
    running: Running,
    asks: Sequence[Asked],
    *,
    passes: timedelta | None = None,
    told: Sequence[Milestone] = (),
) -> Answers:
    """Let a deadline pass, call-backs and commands come while nobody is at work; then go on.

    Asserts that the race was one: no task was completed between the first and the last of them.
    """
    world = running.world
    if world.at_work:
        await quiet(running)
        await world.rest()
    before = len(await history(running))
    skip = asyncio.create_task(running.skip(passes)) if passes else None
    if skip:
        await until(running, lambda events: TIMER_FIRED in events[before:])
    for milestone in told:
        await running.handle.signal("milestone", milestone)
    sent = await _sent(running, asks, ADMITTED)
    await world.work()
    if skip:
        await skip
    answers = await _answers(sent)
    _in_one_task((await history(running))[before:])
    return _by_id(asks, answers)


async def during(
    running: Running, gate: Gate, asks: Sequence[Asked], moment: Moment = Moment.BEFORE
) -> Answers:
    """Ask while a step stands at a gate; the gate opens when every command was accepted."""
    await gate.reached()
    if moment in (Moment.WITH_ANSWER, Moment.ANSWER_LOST):
        return await _with_answer(running, gate, asks, lost=moment is Moment.ANSWER_LOST)
    try:
        sent = await _sent(running, asks, ACCEPTED)
    finally:
        gate.open()
    return _by_id(asks, await _answers(sent))


async def _with_answer(
    running: Running, gate: Gate, asks: Sequence[Asked], *, lost: bool
) -> Answers:
    """Let the step end and the commands come while nobody decides, or nobody is there at all."""
    world, queues = running.world, () if lost else (ORDERS,)
    await quiet(running, steps=1)
    await world.rest(*queues)
    before = len(await history(running))
    gate.open()
    if not lost:
        await until(running, lambda events: any(name in events[before:] for name in STEP_ENDS))
    sent = await _sent(running, asks, ADMITTED)
    await world.work(*queues)
    answers = await _answers(sent)
    _in_one_task((await history(running))[before:])
    return _by_id(asks, answers)


async def _answers(sent: Sequence["asyncio.Task[Answer]"]) -> list[Answer]:
    """Wait for all answers; an order whose code fails gives none, for ever."""
    return await asyncio.wait_for(asyncio.gather(*sent), PATIENCE)


def _by_id(asks: Sequence[Asked], answers: Sequence[Answer]) -> Answers:
    found: Answers = {}
    for ask, answer in zip(asks, answers, strict=True):
        assert found.setdefault(ask.key, answer) == answer, "one id, two answers"
    return found


async def _sent(
    running: Running, asks: Sequence[Asked], stage: int
) -> list["asyncio.Task[Answer]"]:
    """Send commands one after the other; each when the server holds the last one, or when the order
    has taken it (or refused)."""
    sent = []
    for ask in asks:
        sent.append(asyncio.create_task(ask.send(running)))
        await _reached(running, ask.key, stage, sent[-1])
    return sent


async def _reached(running: Running, key: str, stage: int, sent: "asyncio.Task[Answer]") -> None:
    """Wait until an update has come so far; a refused one leaves nothing but its answer."""
    service, namespace = running.world.client.workflow_service, running.world.client.namespace
    request = PollWorkflowExecutionUpdateRequest(namespace=namespace, wait_policy=WaitPolicy())
    request.update_ref.CopyFrom(UpdateRef(update_id=key))
    request.update_ref.workflow_execution.workflow_id = running.handle.id
    for _ in range(int(PATIENCE / 0.01)):
        try:
            if (await service.poll_workflow_execution_update(request)).stage >= stage:
                return
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        if sent.done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"update {key} never came")


def _in_one_task(since: list[str]) -> None:
    """Assert that what came while nobody decided was decided on in one task."""
    accepted = [i for i, name in enumerate(since) if name == "WORKFLOW_EXECUTION_UPDATE_ACCEPTED"]
    if accepted:
        assert since[: accepted[-1]].count(TASK_DONE) == 1, since


# what the server knows


async def quiet(running: Running, *, steps: int = 0) -> None:
    """Wait until the order does nothing but wait, with so many steps at gates, and the server
    knows it: a worker that stops in the middle of a task keeps everybody waiting for 10 s."""
    for _ in range(int(PATIENCE / 0.01)):
        shown = (await running.handle.describe()).raw_description
        deciding = shown.HasField("pending_workflow_task")
        if not deciding and len(shown.pending_activities) == steps:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never quiet: {shown.pending_activities}")


async def until(running: Running, reached: Callable[[list[str]], bool]) -> None:
    """Wait until an order's history is as wished."""
    for _ in range(int(PATIENCE / 0.02)):
        if reached(await history(running)):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never came: {await history(running)}")


async def history(running: Running) -> list[str]:
    """Return the names of an order's events."""
    start = len("EVENT_TYPE_")
    return [
        EventType.Name(event.event_type)[start:]
        async for event in running.handle.fetch_history_events()
    ]
