"""``python -m bench.worker bare|ours``: one worker process; both kinds are set up alike."""

import argparse
import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from adapters.temporal.converter import data_converter
from bench.bare import QUEUE, Bare, step
from bench.quiet import quiet_world
from bench.shop import KEYS, PROVIDER
from bench.words import say
from workers.compose import activities
from workers.running import BUILD, THREADS, sandboxed, workers

STICKY = 1.5


async def main(kind: str, address: str, database: str, sandbox: bool) -> None:
    """Run until SIGTERM."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    ours = kind == "ours"
    converter = data_converter(KEYS) if ours else pydantic_data_converter
    client = await Client.connect(address, data_converter=converter)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="step") as threads:
        running = _ours(client, threads, database, sandbox) if ours else [_bare(client, sandbox)]
        async with AsyncExitStack() as stack:
            for worker in running:
                await stack.enter_async_context(worker)
            say("ready")
            await stop.wait()


def _ours(
    client: Client, threads: ThreadPoolExecutor, database: str, sandbox: bool
) -> list[Worker]:
    return workers(
        client,
        activities(quiet_world(database, PROVIDER)),
        threads,
        sandbox=sandbox,
        sticky_seconds=STICKY,
        grace_seconds=0.5,
    )


def _bare(client: Client, sandbox: bool) -> Worker:
    return Worker(
        client,
        task_queue=QUEUE,
        activities=[step],
        workflows=[Bare],
        workflow_runner=sandboxed() if sandbox else UnsandboxedWorkflowRunner(),
        build_id=BUILD,
        max_concurrent_activities=THREADS,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=STICKY),
        graceful_shutdown_timeout=timedelta(seconds=0.5),
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("kind", choices=["bare", "ours"])
    options.add_argument("--address", required=True)
    options.add_argument("--database", default="")
    options.add_argument("--sandbox", action="store_true")
    chosen = options.parse_args()
    asyncio.run(main(chosen.kind, chosen.address, chosen.database, chosen.sandbox))
