import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from domain.policy import Policy
from tests.replay.corpus import keep
from tests.workflows.invariants import check
from tests.workflows.world import World, start_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    """One dev server for all workflow tests of this process."""
    environment = await start_server()
    yield environment
    await environment.shutdown()


@pytest_asyncio.fixture(loop_scope="session")
async def open_world(
    server: WorkflowEnvironment, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Callable[..., "asyncio.Future[World]"]]:
    """Open a shop with a policy and run a worker for it."""
    stack = AsyncExitStack()

    async def open_it(policy: Policy | None = None) -> World:
        world = World(server.client, tmp_path, policy)
        stack.callback(world.close)
        stack.push_async_callback(world.rest)
        await world.work()
        stack.push_async_callback(check, world)
        stack.push_async_callback(keep, world.running, request.node.name)
        return world

    yield open_it  # type: ignore[misc]
    await stack.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def world(open_world: Callable[[], "asyncio.Future[World]"]) -> World:
    """The usual shop."""
    return await open_world()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(open_world: Callable[..., "asyncio.Future[World]"]) -> World:
    """A shop without a grace period."""
    return await open_world(Policy(grace=()))
