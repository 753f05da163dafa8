"""A shop over each kind of database, for tests and for the long run alike."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.database import open_store
from store.migrate import migrate
from tests.api.api_world import World
from tests.door.shop import open_shop
from tests.store.postgres import postgres, sqlalchemy_url

KINDS = ("sqlite", "postgres")


@contextmanager
def shop_on(kind: str) -> Iterator[World]:
    """Yield a filled shop on a database that is gone afterwards."""
    with _database(kind) as url:
        world = open_shop(open_store(url))
        try:
            yield world
        finally:
            world.store.close()


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "postgres":
        with postgres() as uri:
            yield sqlalchemy_url(uri, "template_store")
        return
    with tempfile.TemporaryDirectory(prefix="waybill-door-") as folder:
        url = f"sqlite:///{Path(folder) / 'waybill.db'}"
        migrate(url)
        yield url
