"""Shops to knock at: one for each test file, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from api.app import create_app
from tests.api.api_world import World
from tests.door.shop import deps_of
from tests.door.shops import KINDS, shop_on


@pytest.fixture(scope="module")
def shop() -> Iterator[World]:
    """A shop on SQLite."""
    with shop_on("sqlite") as world:
        yield world


@pytest.fixture(scope="module")
def app(shop: World) -> FastAPI:
    """The API of that shop."""
    return create_app(deps_of(shop))


@pytest.fixture(scope="module", params=KINDS)
def either_shop(request: pytest.FixtureRequest) -> Iterator[World]:
    """A shop, once on each kind of database."""
    with shop_on(request.param) as world:
        yield world
