"""The database of a shop. In memory, or the real one on SQLite (slow, and the same)."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from store.database import open_store
from store.migrate import migrate


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


def new_store(now: Callable[[], datetime]) -> Any:
    """Return an empty store."""
    path = Path(mkdtemp(prefix="simulated-")) / "shop.sqlite"
    path.write_bytes(_empty())
    return open_store(f"sqlite:///{path}")
