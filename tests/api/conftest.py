"""A fresh shop for each test, and a client that calls it without a network."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from api_world import World

from api.app import create_app
from store.database import open_store
from store.migrate import migrate


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("api") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def world(migrated: Path, tmp_path: Path) -> Iterator[World]:
    path = tmp_path / "waybill.db"
    shutil.copy(migrated, path)
    world = World(store=open_store(f"sqlite:///{path}"))
    world.keys = world.key("admin")
    yield world
    world.store.close()


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an admin key; every request has its own idempotency key unless it says.

    What a request has begun to start is started before the next line of a test."""
    numbers = iter(range(10**6))

    async def add_key(request: httpx.Request) -> None:
        if "idempotency-key" not in request.headers:
            request.headers["Idempotency-Key"] = f"auto-{next(numbers)}"

    async def started(_: httpx.Response) -> None:
        await deps.starts.all_settled()

    deps = world.deps()
    transport = httpx.ASGITransport(app=create_app(deps))
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://api",
        headers=world.keys,
        event_hooks={"request": [add_key], "response": [started]},
    ) as client:
        yield client
