"""Steps tell that they live, so that those of a worker that died are given to another in seconds.

Without it a step would be missed only when all of its time is over. A step that ends before the
first beat sends none.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

BEATS = 3
"""How many there are in the time after which silence counts as death."""


class Heartbeats(Interceptor):
    """Lets every activity that has a heartbeat time-out beat while it runs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Wrap one activity."""
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        silence = activity.info().heartbeat_timeout
        if not silence:
            return await super().execute_activity(input)
        beating = asyncio.create_task(_beat(silence / BEATS))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating


async def _beat(pause: timedelta) -> None:
    while True:
        await asyncio.sleep(pause.total_seconds())
        activity.heartbeat()
