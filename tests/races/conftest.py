"""One dev server for all races of this process; each race with the SDK's batching off and on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from domain.policy import Policy
from tests.workflows.conftest import server as server
from tests.workflows.invariants import check
from tests.workflows.scenes import prompt
from tests.workflows.world import ONE_BATCH, World

OpenWorld = Callable[..., Awaitable[World]]


@pytest.fixture(params=["one by one", "one batch"])
def jobs(request: pytest.FixtureRequest) -> str:
    """How the jobs of an activation are applied: as the SDK does today, and as it will."""
    return str(request.param)


@pytest_asyncio.fixture(loop_scope="session")
async def open_world(
    server: WorkflowEnvironment, tmp_path: Path, jobs: str
) -> AsyncIterator[OpenWorld]:
    """Open a shop with a policy and run a worker for it; what must always hold is checked after."""
    async with AsyncExitStack() as stack:

        async def open_it(policy: Policy | None = None) -> World:
            world = World(server.client, tmp_path, policy, one_batch=jobs == "one batch")
            stack.callback(world.close)
            stack.push_async_callback(world.rest)
            stack.callback(world.gates.open)
            await world.work()
            stack.push_async_callback(check, world)
            stack.push_async_callback(as_set, world)
            return world

        yield open_it


@pytest_asyncio.fixture(loop_scope="session")
async def world(open_world: OpenWorld) -> World:
    """The usual shop: half an hour of grace."""
    return await open_world()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(open_world: OpenWorld) -> World:
    """A shop without a grace period."""
    return await open_world(prompt())


async def as_set(world: World) -> None:
    """The races ran with the SDK's flag as it was set, and no other test's setting leaked in."""
    for running in world.running:
        flags: set[int] = set()
        async for event in running.handle.fetch_history_events():
            done = event.workflow_task_completed_event_attributes
            flags |= set(done.sdk_metadata.lang_used_flags)
        assert (int(ONE_BATCH) in flags) == world.one_batch, flags
