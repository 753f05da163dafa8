"""``python -m workers [QUEUE …]``: run workers until SIGTERM or SIGINT."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial

from temporalio.client import Client

from adapters.settings import Settings
from adapters.telemetry import logs
from adapters.telemetry.metrics import Metrics, temporal_runtime
from adapters.telemetry.watch import LoopWatch, TaskFailureAlarm
from adapters.temporal.client import connect
from contracts.orders import CARRIERS, MESSAGES, ORDERS, PAYMENTS, WAREHOUSES, order_of
from ports.stores import Store
from workers.compose import activities, now, outside
from workers.running import THREADS, workers

log = logging.getLogger(__name__)

PATIENCE, PAUSE = 60.0, 0.5
"""Seconds that a starting worker waits for Temporal, and between two tries."""


async def main(queues: list[str]) -> None:
    """Run until told to stop; steps under way are finished first."""
    settings = Settings().check()
    logs.configure(settings.log_level)
    runtime = temporal_runtime(settings.metrics_address)
    client = await patiently(partial(connect, settings, runtime=runtime))
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    metrics = Metrics()
    world = outside(settings)
    TaskFailureAlarm(metrics, partial(tell_operators, world.store)).install()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="step") as threads:
        async with AsyncExitStack() as running:
            host = str(settings.metrics_host)
            running.enter_context(metrics.served(host, settings.worker_metrics_port))
            for worker in workers(
                client,
                activities(world),
                threads,
                queues=queues,
                sandbox=settings.workflow_sandbox,
                sticky_seconds=settings.sticky_timeout,
                rates=rates(settings),
            ):
                await running.enter_async_context(worker)
            watch = asyncio.create_task(LoopWatch(metrics).run())
            print("workers are ready", flush=True)
            await stop.wait()
            watch.cancel()


async def patiently(
    connect: Callable[[], Awaitable[Client]], patience: float = PATIENCE, pause: float = PAUSE
) -> Client:
    """Connect; Temporal may be on its way back at the same time as this worker."""
    until = asyncio.get_running_loop().time() + patience
    while True:
        try:
            return await connect()
        except RuntimeError:  # what the SDK raises when nobody answers
            if asyncio.get_running_loop().time() > until:
                raise
            log.warning("Temporal does not answer yet")
            await asyncio.sleep(pause)


def rates(settings: Settings) -> dict[str, float]:
    """Return how many activities a second each task queue may do; 0 is unlimited."""
    return {
        ORDERS: settings.rate_orders,
        PAYMENTS: settings.rate_payments,
        CARRIERS: settings.rate_carriers,
        WAREHOUSES: settings.rate_warehouses,
        MESSAGES: settings.rate_messages,
    }


def tell_operators(store: Store, workflow: str) -> None:
    """Alert the operators of a programming error; the order waits for the fixed version."""
    text = f"A programming error holds {workflow}; it goes on with the fixed version."
    subject = order_of(workflow) or workflow or "unknown"
    store.alert("workflow_task_failed", subject, text, now())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
    logging.shutdown()
    sys.stdout.flush()
    # Threads of the SDK's core may still call into Python while it takes itself apart, which
    # aborts it (exit code 134): all is done, so leave without taking it apart.
    os._exit(0)
