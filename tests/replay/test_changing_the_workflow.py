"""The examples of docs/changing-the-workflow.md, run from the page."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker
from temporalio.workflow import NondeterminismError

from tests.workflows.conftest import server as server

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "changing-the-workflow.md"
BLOCKS = dict(re.findall(r"```python\n# (\w+)\n(.*?)```", PAGE.read_text(), re.DOTALL))
RUN = BLOCKS["released"].index("    async def run")
done: list[tuple[str, str]] = []


@activity.defn
async def weigh(parcel: str) -> None:
    done.append((parcel, "weigh"))


@activity.defn
async def label(parcel: str) -> None:
    done.append((parcel, "label"))


def code(name: str) -> type:
    """Return the page's workflow, its ``run`` as in one of the page's blocks."""
    source = BLOCKS["released"] if name == "released" else BLOCKS["released"][:RUN] + BLOCKS[name]
    found: dict[str, Any] = {"__name__": f"page_{name}"}
    exec(compile(source, f"{PAGE.name}:{name}", "exec"), found)
    return found["Parcel"]  # type: ignore[no-any-return]


class Shop:
    """Runs parcels on the page's code."""

    def __init__(self, server: WorkflowEnvironment) -> None:
        self.client = server.client
        self.queue = f"parcels-{uuid4().hex[:8]}"

    def worker(self, name: str, **more: Any) -> Worker:
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[code(name)],
            activities=[weigh, label],
            workflow_runner=UnsandboxedWorkflowRunner(),
            **more,
        )

    async def begin(self) -> WorkflowHandle[Any, Any]:
        """Start a parcel and wait until it waits for its arrival."""
        name = uuid4().hex
        handle = await self.client.start_workflow("Parcel", name, id=name, task_queue=self.queue)
        while True:
            found = await handle.fetch_history()
            stepped = any(
                one.HasField("activity_task_completed_event_attributes") for one in found.events
            )
            if stepped and found.events[-1].HasField("workflow_task_completed_event_attributes"):
                return handle
            await asyncio.sleep(0.02)

    async def recorded(self, name: str) -> WorkflowHistory:
        """Return the history of a parcel that is open on this code."""
        async with self.worker(name):
            return await (await self.begin()).fetch_history()

    async def replays(self, name: str, history: WorkflowHistory) -> bool:
        """Whether an open parcel can go on on this code."""
        replayer = Replayer(
            workflows=[code(name)],
            workflow_runner=UnsandboxedWorkflowRunner(),
            data_converter=self.client.data_converter,
        )
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        assert result.replay_failure is None or isinstance(
            result.replay_failure, NondeterminismError
        )
        return result.replay_failure is None


@pytest_asyncio.fixture(loop_scope="session")
async def shop(server: WorkflowEnvironment) -> AsyncIterator[Shop]:
    yield Shop(server)


async def test_each_stage_of_a_patch_takes_the_orders_that_the_page_says_and_no_others(
    shop: Shop,
) -> None:
    stages = ("released", "moved", "patched", "deprecated")
    open_orders = {
        name: await shop.recorded(name) for name in ("released", "patched", "deprecated")
    }
    taken = {
        (begun, now): await shop.replays(now, history)
        for begun, history in open_orders.items()
        for now in stages
    }

    assert {now for now in stages if taken["released", now]} == {"released", "patched"}
    assert {now for now in stages if taken["patched", now]} == {"patched", "deprecated"}
    assert taken["deprecated", "moved"]
    assert taken["deprecated", "deprecated"]


async def test_a_pinned_order_ends_on_the_version_that_began_it(shop: Shop) -> None:
    found: dict[str, Any] = {}
    exec(BLOCKS["versioned"], found)
    old, new = found["deployment"]("1"), found["deployment"]("2")
    async with shop.worker("released", deployment_config=old):
        await make_current(shop, "1")
        begun = await shop.begin()
        async with shop.worker("moved", deployment_config=new):
            await make_current(shop, "2")
            later = await shop.begin()
            for handle in (begun, later):
                await handle.signal("arrived")
                assert await handle.result() == "sent"

    assert [step for parcel, step in done if parcel == begun.id] == ["weigh", "label"]
    assert [step for parcel, step in done if parcel == later.id] == ["label", "weigh"]


async def make_current(shop: Shop, build: str) -> None:
    """Do what ``temporal worker deployment set-current-version`` does, once the worker is known."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=shop.client.namespace, deployment_name="waybill", build_id=build, identity="test"
    )
    for attempt in range(100):
        try:
            await shop.client.workflow_service.set_worker_deployment_current_version(request)
            return
        except RPCError:
            if attempt == 99:
                raise
            await asyncio.sleep(0.05)
