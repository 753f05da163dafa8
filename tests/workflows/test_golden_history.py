"""The golden history: what one simple order costs Temporal. On a server that skips no time, and
without queries while it runs, because either would add events.

``golden/simple_order.txt`` holds how many events there may be, and the sequence of those that the
process itself causes. How Temporal's own task events lie between them depends on the moment.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from adapters.temporal.converter import data_converter
from adapters.temporal.keys import KeyRing
from contracts.commands import MilestoneKind
from domain.parcel import Parcel
from domain.policy import GraceRule, Policy, ReturnPolicy
from tests.workflows.world import SEARCH_ATTRIBUTES, TEMPORAL, Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOLDEN = Path(__file__).parent / "golden" / "simple_order.txt"
KIB = 1024
TASKS = ("WORKFLOW_TASK_", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED")
SLACK = 3
"""Events of one more workflow task, when two happenings do not fall into the same one."""
WHAT_TO_DO = f"""
The history of a simple order has changed. Each event is paid for by every order, for ever.
If that is on purpose, write the new sequence with

    GOLDEN=write python -m pytest tests/workflows/{Path(__file__).name}

and say why in the commit. If not, look at what publishes, waits or tells once more than before.
Orders that run while this is deployed need workflow.patched() (docs/changing-the-workflow.md).
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clockwork() -> AsyncIterator[WorkflowEnvironment]:
    """A dev server whose clock cannot be moved."""
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=TEMPORAL,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_log_level="error",
        data_converter=data_converter(KeyRing.parse("t1:" + "A" * 43 + "=")),
    )
    yield environment
    await environment.shutdown()


async def come_to(running: Running, status: str) -> str:
    """Wait until the database says that the order's parcel has come so far; returns its id."""
    for _ in range(400):
        stored = running.world.store.get(running.order_id)
        for one in stored.progress.shipments if stored and stored.progress else ():
            if one.status == status and one.shipment_id in running.world.warehouse.floor:
                return one.shipment_id
        await asyncio.sleep(0.05)
    raise AssertionError(f"never {status}")


async def one_order(server: WorkflowEnvironment, folder: Path, lines: int) -> Any:
    """Take a simple order through its life; returns (events, bytes)."""
    policy = Policy(grace=(GraceRule(seconds=5),), returns=ReturnPolicy(window=2))
    world = World(server.client, folder, policy)
    try:
        async with world.worker():
            skus = ("MUG", "TEE", "CAP")[:lines]
            running = await world.start(order(*((sku, 1) for sku in skus)), still=True)
            shipment = await come_to(running, "released")
            await running.tell(MilestoneKind.PACKED, shipment, parcel=Parcel(weight_grams=700))
            await come_to(running, "labelled")
            await running.tell(MilestoneKind.HANDED_OVER, shipment)
            await come_to(running, "handed_over")
            await running.tell(MilestoneKind.DELIVERED, shipment)
            assert (await running.result()).status == "completed"
            history = await running.handle.fetch_history()
            described = await running.handle.describe()
    finally:
        world.close()
    return history.events, described.raw_description.workflow_execution_info.history_size_bytes


async def leanest(server: WorkflowEnvironment, folder: Path, lines: int) -> Any:
    """Return the leanest of some runs: a busy machine spreads an order over more workflow tasks."""
    runs = []
    for attempt in ("1", "2", "3"):
        (folder / attempt).mkdir()
        runs.append(await one_order(server, folder / attempt, lines))
        if runs[-1][1] <= (11 + lines) * KIB:
            break
    return min(runs, key=lambda run: (len(run[0]), run[1]))


def named(event: Any) -> str:
    """Return the type of an event, with the step that it schedules."""
    name = EventType.Name(event.event_type)[len("EVENT_TYPE_") :]
    step = event.activity_task_scheduled_event_attributes.activity_type.name
    return f"{name} {step}".strip()


async def test_a_simple_order_costs_no_more_history_than_agreed(
    clockwork: WorkflowEnvironment, tmp_path: Path
) -> None:
    events, size = await leanest(clockwork, tmp_path, lines=1)
    names = [named(event) for event in events]
    caused = [name for name in names if not name.startswith(TASKS)]
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text("\n".join([f"at most {len(events) + SLACK} events", *caused]) + "\n")
    allowed, *golden = GOLDEN.read_text().splitlines()
    counted = Counter(name.split()[0] for name in names)
    steps, timers = counted["ACTIVITY_TASK_SCHEDULED"], counted["TIMER_STARTED"]
    print(f"{len(events)} events, {size} bytes, {steps} activities, {timers} timers")

    changes = "\n".join(unified_diff(golden, caused, "golden", "now", lineterm=""))
    assert caused == golden, f"{WHAT_TO_DO}\n{changes}"
    assert len(events) <= int(allowed.split()[2]), WHAT_TO_DO
    assert len(events) <= 1.3 * (5 + 6 * steps + 5 * timers)
    assert size <= 12 * KIB


async def test_two_further_lines_cost_at_most_two_kib(
    clockwork: WorkflowEnvironment, tmp_path: Path
) -> None:
    _, size = await leanest(clockwork, tmp_path, lines=3)
    print(f"{size} bytes")
    assert size <= (12 + 2) * KIB
