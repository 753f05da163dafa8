"""Waiting for a condition, unmoved by a cancel that is meant for somebody else.

An operator's cancel of the workflow reaches ``Order.run`` and nobody else. With its "single batch"
flag, which will become the default, the SDK ends every wait that was begun before the cancel with
``CancelledError`` all the same, also in tasks that nobody cancelled: the process would be torn down
in the middle and keep its stock and money.
"""

import asyncio
from collections.abc import Callable

from temporalio import workflow


async def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    while True:
        try:
            await workflow.wait_condition(condition)
            return
        except asyncio.CancelledError:
            if cancelled():
                raise


def cancelled() -> bool:
    """Whether it is the task at hand that was cancelled."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
