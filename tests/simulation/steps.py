"""Activities as server and workers do them: attempts, retries, time-outs, answers that get lost.

The real activity classes run here, without threads: ``asyncio.to_thread`` becomes a pause, where an
attempt may be cut off (its worker died) or stand still until long after its time-out.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_commands import ScheduleActivity, ScheduleLocalActivity
from temporalio.exceptions import ApplicationError

from tests.simulation import failures
from tests.simulation.clock import Agenda
from tests.simulation.instance import PAYLOADS, activity_of
from tests.simulation.luck import Fate, Luck
from workers.compose import Activities

LOCAL_RETRY_LIMIT = 10.0
"""Seconds up to which the SDK waits inside a workflow task before it asks for a timer instead."""


class _Pause:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def _paused(call: Callable[..., Any], *args: Any, **named: Any) -> Any:
    await _Pause()
    return call(*args, **named)


@contextmanager
def without_threads() -> Iterator[None]:
    """Let activities pause where they would use a thread."""
    before = asyncio.to_thread
    asyncio.to_thread = _paused  # type: ignore[assignment]
    try:
        yield
    finally:
        asyncio.to_thread = before


class Step:
    """One scheduled activity and how far it has come."""

    def __init__(
        self,
        command: ScheduleActivity | ScheduleLocalActivity,
        ask: Any,
        now: datetime,
        told: Callable[["Step"], None],
    ) -> None:
        self.seq: int = command.seq
        self.name: str = command.activity_type
        self.activity_id: str = command.activity_id
        self.ask = ask
        self.told = told
        self.scheduled_at = now
        self.attempt = 0
        self.live = 0
        self.begun_at = now
        self.limit = command.start_to_close_timeout.ToTimedelta()
        patience = command.schedule_to_close_timeout.ToTimedelta()
        self.until = now + patience if patience else datetime.max.replace(tzinfo=now.tzinfo)
        policy = command.retry_policy
        self.first = policy.initial_interval.ToTimedelta().total_seconds() or 1.0
        self.factor = policy.backoff_coefficient or 2.0
        self.longest = policy.maximum_interval.ToTimedelta().total_seconds() or self.first * 100
        self.last: Failure | None = None
        self.result: Any = None
        self.failure: Failure | None = None
        self.backoff: float | None = None
        self.cancelled = False
        self.done = False
        self.unknown = False

    def pause(self, asked: float | None) -> float:
        """Return the seconds before the next attempt."""
        backoff = min(self.first * self.factor ** min(self.attempt - 1, 30), self.longest)
        return asked if asked is not None else float(backoff)


class Steps:
    """Does the activities of all orders of one shop."""

    def __init__(self, activities: Activities, agenda: Agenda, luck: Luck) -> None:
        self._agenda = agenda
        self._luck = luck
        self._methods = {
            activity_of(method)[0]: (method, activity_of(method)[1])
            for methods in activities.values()
            for method in methods
        }
        self.epoch = 0
        self.away_until = agenda.now()

    def step(
        self, command: ScheduleActivity | ScheduleLocalActivity, told: Callable[[Step], None]
    ) -> Step:
        """Return a scheduled step with what it is asked to do, as its model."""
        _, model = self._methods[command.activity_type]
        ask = PAYLOADS.from_payloads(list(command.arguments), [model])[0]
        return Step(command, ask, self._agenda.now(), told)

    def cancel(self, step: Step) -> None:
        """Tell the workflow at once that a step is cancelled; the attempt goes on unseen."""
        if not step.done:
            cause = failures.cancelled()
            step.failure, step.cancelled = cause, True
            step.done = True
            step.told(step)

    def workers_die(self, away: float) -> None:
        """Lose every attempt under way; nobody works for some seconds."""
        self.epoch += 1
        self.away_until = max(self.away_until, self._agenda.now() + timedelta(seconds=away))

    # activities on task queues

    def schedule(self, step: Step) -> None:
        """Do a step as soon as a worker takes it."""
        self._agenda.after(self._luck.queue_delay(), self._begin, step)

    def _begin(self, step: Step) -> None:
        if step.done:
            return
        if self._agenda.now() < self.away_until:
            self._agenda.at(min(self.away_until, step.until), self._begin, step)
            if self.away_until >= step.until:
                self._agenda.at(step.until, self._give_up, step)
            return
        step.attempt = step.live = step.attempt + 1
        step.begun_at = self._agenda.now()
        seconds = self._luck.call_time(step.name)
        self._agenda.after(seconds, self._work, step, step.attempt, self.epoch)
        if seconds > step.limit.total_seconds():
            self._lost(step, step.attempt)

    def _work(self, step: Step, attempt: int, epoch: int) -> None:
        """Begin an attempt. Its workers may have died; it may have timed out and go on unseen."""
        if epoch != self.epoch:
            self._lost(step, attempt)
            return
        method, _ = self._methods[step.name]
        self._advance(step, attempt, epoch, method(step.ask), self._luck.fate(step.name))

    def _advance(
        self, step: Step, attempt: int, epoch: int, work: Coroutine[Any, Any, Any], fate: Fate
    ) -> None:
        if epoch != self.epoch:
            work.close()
            self._lost(step, attempt)
            return
        try:
            while True:
                work.send(None)
                fate.pauses -= 1
                if fate.pauses == 0 and fate.dies:
                    work.close()
                    self._lost(step, attempt)
                    return
                if fate.pauses == 0 and fate.stalls:
                    seconds = fate.stalls
                    self._agenda.after(seconds, self._advance, step, attempt, epoch, work, fate)
                    if timedelta(seconds=seconds) + self._agenda.now() > step.begun_at + step.limit:
                        self._lost(step, attempt)
                    return
        except StopIteration as done:
            if fate.answer_lost or fate.dies:
                self._lost(step, attempt)
            else:
                self._finish(step, attempt, done.value, None)
        except ApplicationError as error:
            self._finish(step, attempt, None, error)

    def _lost(self, step: Step, attempt: int) -> None:
        """Nothing will be heard of an attempt: the server waits until its time is over."""
        due = min(step.begun_at + step.limit, step.until)
        self._agenda.at(due, self._timed_out, step, attempt)

    def _timed_out(self, step: Step, attempt: int) -> None:
        if step.done or step.live != attempt:
            return
        if self._agenda.now() >= step.until:
            self._give_up(step)
        else:
            self._retry(step, failures.start_to_close(), None)

    def _give_up(self, step: Step) -> None:
        if not step.done:
            self._fail(step, failures.schedule_to_close(step.last), failures.TIMED_OUT, True)

    def _finish(
        self, step: Step, attempt: int, result: Any, error: ApplicationError | None
    ) -> None:
        if step.done or step.live != attempt:
            return
        if self._agenda.now() >= step.until:
            self._give_up(step)
        elif error is None:
            step.result, step.done = result, True
            step.told(step)
        elif error.non_retryable:
            self._fail(step, failures.refusal(error), failures.FINAL, False)
        else:
            self._retry(step, failures.refusal(error), failures.wait_before(error))

    def _retry(self, step: Step, why: Failure, asked: float | None) -> None:
        step.last, step.live = why, 0
        again = self._agenda.now() + timedelta(seconds=step.pause(asked))
        if again >= step.until:
            self._fail(step, why, failures.TIMED_OUT, True)
        else:
            self._agenda.at(again, self._begin, step)

    def _fail(self, step: Step, why: Failure, state: int, unknown: bool) -> None:
        step.failure = failures.step_failed(step.name, step.activity_id, why, state)
        step.done, step.unknown = True, unknown
        step.told(step)

    # local activities: inside a workflow task, in this worker

    def do_here(self, step: Step) -> None:
        """Do a local activity within the open workflow task."""
        self._agenda.after(self._luck.local_time(), self._local, step)

    def _local(self, step: Step) -> None:
        if step.done:
            return
        step.attempt += 1
        method, _ = self._methods[step.name]
        try:
            step.result = method(step.ask)
        except ApplicationError as error:
            if error.non_retryable:
                self._fail(step, failures.refusal(error), failures.FINAL, False)
                return
            wait = step.pause(failures.wait_before(error))
            if wait <= LOCAL_RETRY_LIMIT:
                self._agenda.after(wait, self._local, step)
                return
            step.backoff = wait
        step.done = True
        step.told(step)
