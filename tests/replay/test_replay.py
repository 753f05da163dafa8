"""Open orders of every release go on with the code as it is now (INVARIANTS D1)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from contracts.orders import WORKFLOW, OrderRef, OrderResult
from tests.replay.corpus import HISTORIES, load, replay, store, stored, story
from tests.workflows.conftest import server as server
from tests.workflows.scenes import at, prompt
from tests.workflows.world import World, order
from workflows.order import Order

pytestmark = pytest.mark.asyncio(loop_scope="session")


@workflow.defn(name=WORKFLOW)
class Swapped(Order):
    """The process with two of its steps the other way round: what nobody may do to open orders."""

    @workflow.init
    def __init__(self, order: OrderRef) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: OrderRef) -> OrderResult:
        return await super().run(order)

    async def reserve(self) -> None:
        await Order.authorise(self)

    async def authorise(self) -> None:
        await Order.reserve(self)


@pytest_asyncio.fixture(loop_scope="session")
async def recorded(server: WorkflowEnvironment, tmp_path: Path) -> AsyncIterator[Path]:
    """The history of an order whose parcel is at the warehouse, stored as the corpus stores it."""
    world = World(server.client, tmp_path, prompt())
    async with world.worker():
        running = await world.start(order(("MUG", 1)), still=True)
        await at(running, 1, "released")
        history = await running.handle.fetch_history()
        await running.handle.terminate("the test is over")
    world.close()
    yield store(tmp_path / "0.0.1", "at the warehouse", history)


@pytest.mark.parametrize(
    "path", stored(), ids=lambda path: f"{path.parent.name}/{path.name.split('.')[0]}"
)
async def test_a_stored_history_replays_on_the_present_code(path: Path) -> None:
    await replay(path)


async def test_a_history_just_recorded_replays(recorded: Path) -> None:
    await replay(recorded)


async def test_two_steps_swapped_fail_and_the_message_says_how_to_patch(recorded: Path) -> None:
    with pytest.raises(AssertionError) as told:
        await replay(recorded, [Swapped], UnsandboxedWorkflowRunner())

    for said in ("version 0.0.1", "workflow.patched(", "docs/changing-the-workflow.md"):
        assert said in str(told.value)
    assert "ondeterminism" in str(told.value)


async def test_a_corpus_tells_forty_stories_of_each_version() -> None:
    for folder in HISTORIES.glob("*"):
        stories = [story(load(path)) for path in stored() if path.parent == folder]
        assert len(set(stories)) >= 40, folder.name
