"""A programming error in a workflow: the order waits, somebody is told at once, a deploy mends it.

On a real server, because the alarm goes by what the SDK logs, which an upgrade may change.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from safety_versions import Broken, Fixed, Waiting
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from adapters.telemetry import logs
from adapters.telemetry.metrics import Metrics, temporal_runtime
from adapters.telemetry.watch import TaskFailureAlarm
from adapters.temporal.converter import data_converter
from adapters.temporal.keys import KeyRing
from contracts.orders import ORDERS, workflow_id
from tests.fakes.stores import MemoryStore
from workers.__main__ import tell_operators
from workers.running import sandboxed

AT_ONCE = 20.0
"""Seconds; five minutes are promised, and the first failed task is told of."""


class Shift:
    """The operators' list and the worker's counters, with an alarm that fills both."""

    def __init__(self) -> None:
        self.store, self.metrics, self.log = MemoryStore(), Metrics(), StringIO()
        self._loop, self._rung = asyncio.get_running_loop(), asyncio.Event()
        self._alarm = TaskFailureAlarm(self.metrics, self._tell)

    def __enter__(self) -> "Shift":
        logs.configure("WARNING", self.log)
        self._alarm.install()
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.uninstall()

    def _tell(self, failed: str) -> None:
        tell_operators(self.store, failed)
        self._loop.call_soon_threadsafe(self._rung.set)

    async def rung(self) -> dict[str, Any]:
        """Wait for the alarm; return the alert."""
        await asyncio.wait_for(self._rung.wait(), AT_ONCE)
        (alert,) = self.store.alerts()
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        assert "workflow_task.failed" in [line["event"] for line in lines]
        assert b"waybill_workflow_task_failures_total 0.0" not in self.metrics.render()
        return dict(alert)


@pytest.fixture
def quiet_again() -> Any:
    """Put the logging of this process back as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(Path(sys.executable).with_name("temporal"))
    ) as environment:
        yield environment.client.service_client.config.target_host


async def connected(address: str, ring: KeyRing) -> Client:
    converter = data_converter(ring)
    return await Client.connect(address, data_converter=converter, runtime=temporal_runtime())


def worker(client: Client, version: type) -> Worker:
    """Return a worker as ``workers.running`` builds it, that keeps no order in memory."""
    return Worker(
        client,
        task_queue=ORDERS,
        workflows=[version],
        workflow_runner=sandboxed(),
        max_cached_workflows=0,
    )


@pytest.mark.usefixtures("quiet_again")
async def test_an_order_held_by_a_programming_error_is_told_of_and_goes_on_when_it_is_mended(
    address: str, ring: KeyRing
) -> None:
    client = await connected(address, ring)
    order_id = f"shop-{uuid4().hex[:8]}"
    with Shift() as shift:
        async with worker(client, Broken):
            handle = await client.start_workflow(
                "Order", {"order_id": order_id}, id=workflow_id(order_id), task_queue=ORDERS
            )
            alert = await shift.rung()
        assert (alert["kind"], alert["subject"]) == ("workflow_task_failed", order_id)
    async with worker(client, Fixed):
        assert await asyncio.wait_for(handle.result(), 60) == order_id


@pytest.mark.usefixtures("quiet_again")
@pytest.mark.parametrize("trouble", ["a version that does not fit", "a key that is missing"])
async def test_an_order_that_a_worker_cannot_go_on_with_is_told_of(
    address: str, ring: KeyRing, old_ring: KeyRing, trouble: str
) -> None:
    sealed = await connected(address, ring)
    order_id = f"shop-{uuid4().hex[:8]}"
    async with worker(sealed, Waiting):
        handle = await sealed.start_workflow(
            "Order", {"order_id": order_id}, id=workflow_id(order_id), task_queue=ORDERS
        )
        await begun(handle)
    lost = trouble == "a key that is missing"
    with Shift() as shift:
        async with worker(await connected(address, old_ring if lost else ring), Fixed):
            await handle.signal("wake up")
            alert = await shift.rung()
    run = handle.first_execution_run_id
    assert alert["kind"] == "workflow_task_failed"
    assert alert["subject"] in (order_id, f"run {run}")


async def begun(handle: Any) -> None:
    """Wait for the first workflow task's end, which has started the timer."""
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.HasField("timer_started_event_attributes"):
            return
