"""Workers: one per task queue, in one process or in many."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from os import getpid
from socket import gethostname

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from contracts.orders import ORDERS
from workers.compose import Activities
from workers.heartbeats import Heartbeats
from workflows.order import Order

BUILD = "1"
"""Written into every task of a history; the SDK's default is a hash of 32 characters."""
THREADS = 32
"""Steps that one worker does at the same time, each in a thread."""

PASSED_THROUGH = ("domain", "contracts", "ports", "activities", "pydantic", "pydantic_core")
"""Modules that are the same inside and outside the sandbox (TEMPORAL.md, imports)."""


def sandboxed() -> WorkflowRunner:
    """Return the sandbox that tests, and installations that wish it, run workflows in."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)


def workers(
    client: Client,
    activities: Activities,
    threads: ThreadPoolExecutor,
    *,
    queues: Sequence[str] = (),
    sandbox: bool = True,
    sticky_seconds: float = 1.5,
    grace_seconds: float = 20.0,
    rates: dict[str, float] | None = None,
) -> list[Worker]:
    """Return a worker for each queue.

    Args:
        queues: task queues to serve; none means all.
        sticky_seconds: how long a dead worker's orders wait for it (TEMPORAL.md T4).
        grace_seconds: how long steps under way may finish after a stop was asked for.
        rates: activities per second for a whole task queue, so that a provider's limit holds;
            none, or 0, is unlimited.
    """
    identity = f"{gethostname()[-5:]}:{getpid()}"
    return [
        Worker(
            client,
            task_queue=queue,
            activities=activities[queue],
            workflows=[Order] if queue == ORDERS else [],
            workflow_runner=sandboxed() if sandbox else UnsandboxedWorkflowRunner(),
            activity_executor=threads,
            identity=identity,
            build_id=BUILD,
            interceptors=[Heartbeats()],
            max_concurrent_activities=THREADS,
            max_task_queue_activities_per_second=(rates or {}).get(queue) or None,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=sticky_seconds),
            graceful_shutdown_timeout=timedelta(seconds=grace_seconds),
        )
        for queue in queues or sorted(activities)
    ]
