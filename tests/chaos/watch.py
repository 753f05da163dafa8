"""How far the orders are: read from the database ten times a second, past every part that dies."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from domain.progress import TERMINAL
from store.database import SqlStore
from store.tables.orders import projections

EACH = 0.1
ROWS = select(projections.c.order_id, projections.c.version, projections.c.status)
NEWS = ROWS.where(projections.c.updated_at >= bindparam("since"))
ENDED = {status.value for status in TERMINAL}


@dataclass(frozen=True)
class Place:
    """Where an order is; ``moved`` is when that was first seen, monotonic seconds."""

    version: int
    status: str
    moved: float

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ENDED


class Watch:
    """Follows all orders in a thread of its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._places: dict[str, Place] = {}
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer."""
        self._stop.set()
        self._thread.join(5)

    def place(self, order_id: str) -> Place | None:
        """Return where an order was last seen."""
        return self._places.get(order_id)

    def open(self) -> Mapping[str, int]:
        """Return the version of each order that has not ended."""
        return {name: one.version for name, one in list(self._places.items()) if not one.ended}

    def first_move(self, before: Mapping[str, int], since: float) -> float | None:
        """Return when one of these orders first went on after ``since``."""
        now = [self._places[name] for name in before]
        moves = [
            place.moved
            for place, version in zip(now, before.values(), strict=True)
            if place.version > version and place.moved >= since
        ]
        return min(moves, default=None)

    def look(self) -> None:
        """Read what has changed."""
        with self._store.database.read_one() as connection:
            rows = connection.execute(ROWS).all()
        now = time.monotonic()
        for row in rows:
            known = self._places.get(row.order_id)
            if known is None or (known.version, known.status) != (row.version, row.status):
                self._places[row.order_id] = Place(row.version, row.status, now)

    def _follow(self) -> None:
        while not self._stop.wait(EACH):
            self.look()
