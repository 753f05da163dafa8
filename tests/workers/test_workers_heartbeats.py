"""A step that takes long tells that it lives; one that may be silent does not."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from workers.heartbeats import Heartbeats

ASKED = ExecuteActivityInput(fn=lambda: None, args=[], executor=None, headers={})


class Step(ActivityInboundInterceptor):
    """An activity that ends when it is told to."""

    def __init__(self) -> None:
        self.end = asyncio.Event()

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        await self.end.wait()
        return "done"


def environment(silence: timedelta | None) -> ActivityEnvironment:
    made = ActivityEnvironment()
    made.info = replace(made.info, heartbeat_timeout=silence)
    return made


async def run(made: ActivityEnvironment, step: Step) -> Any:
    asked = Heartbeats().intercept_activity(step).execute_activity
    return await asyncio.wait_for(made.run(asked, ASKED), 5)


async def test_a_long_step_tells_that_it_lives_until_it_ends() -> None:
    made, step, beats = environment(timedelta(milliseconds=15)), Step(), []

    def beat(*_: Any) -> None:
        beats.append(1)
        if len(beats) == 3:
            step.end.set()

    made.on_heartbeat = beat
    assert await run(made, step) == "done"
    assert asyncio.all_tasks() == {asyncio.current_task()}, "it still beats"


async def test_a_step_without_a_limit_of_silence_is_left_alone() -> None:
    made, step = environment(None), Step()
    step.end.set()
    assert await run(made, step) == "done"
