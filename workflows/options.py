"""How steps are tried: one place for time-outs, retries and task queues."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from contracts.orders import CARRIERS, MESSAGES, PAYMENTS, WAREHOUSES

In = TypeVar("In")
Out = TypeVar("Out")

GENTLY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
)
SILENCE = timedelta(seconds=5)
"""A step that has not told for so long that it lives died with its worker; another repeats it."""


async def in_house(step: Callable[[Any, In], Out], request: In) -> Out:
    """Do a database step: a local activity, one transaction, tried until the database is back."""
    return await workflow.execute_local_activity_method(
        step,
        request,
        start_to_close_timeout=timedelta(seconds=10),
        retry_policy=GENTLY,
    )


async def outside(
    step: Callable[[Any, In], Awaitable[Out]],
    request: In,
    queue: str,
    summary: str,
    patience: float,
) -> Out:
    """Ask a provider: a normal activity on its own task queue, the same key at every attempt.

    Args:
        summary: shown in the Temporal UI; amounts and ids, nothing personal.
        patience: seconds until we stop repeating and look the effect up (TEMPORAL.md T9).
    """
    return await workflow.execute_activity_method(
        step,
        request,
        task_queue=queue,
        start_to_close_timeout=timedelta(seconds=30),
        schedule_to_close_timeout=timedelta(seconds=patience),
        heartbeat_timeout=SILENCE,
        retry_policy=GENTLY,
        summary=summary,
    )


__all__ = ["CARRIERS", "GENTLY", "MESSAGES", "PAYMENTS", "WAREHOUSES", "in_house", "outside"]
