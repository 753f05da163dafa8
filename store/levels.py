"""Changing stock levels in the one order that never deadlocks: by (sku, location), S5.

Every transaction touches levels last. A change that would break ``0 <= reserved <= on_hand`` is
refused by the database itself (S1).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from domain.stock import StockLevel
from store.tables.stock import levels

Place = tuple[str, str]
"""(sku, location)"""

CHANGE = (
    update(levels)
    .where(levels.c.sku == bindparam("s"), levels.c.location == bindparam("l"))
    .values(
        on_hand=levels.c.on_hand + bindparam("shelf"),
        reserved=levels.c.reserved + bindparam("held"),
    )
)
_new = insert(levels)
ADD = _new.on_conflict_do_update(
    index_elements=["sku", "location"],
    set_={"on_hand": levels.c.on_hand + _new.excluded.on_hand},
)
TAKE_FREE = (
    update(levels)
    .where(
        levels.c.sku == bindparam("s"),
        levels.c.location == bindparam("l"),
        levels.c.on_hand - levels.c.reserved >= bindparam("units"),
    )
    .values(on_hand=levels.c.on_hand - bindparam("units"))
)
ONE = select(levels).where(levels.c.sku == bindparam("s"), levels.c.location == bindparam("l"))


@dataclass
class Change:
    """What happens to one level: units on the ``shelf`` and units ``held`` for orders."""

    shelf: int = 0
    held: int = 0


def change_levels(connection: Connection, changes: Mapping[Place, Change]) -> None:
    """Apply all changes in key order; a level that only gains units is made when missing."""
    ordered = [(place, c) for place, c in sorted(changes.items()) if c.shelf or c.held]
    if any(_only_gains(change) for _, change in ordered):
        for (sku, location), change in ordered:
            if _only_gains(change):
                add_units(connection, sku, location, change.shelf)
            else:
                connection.execute(CHANGE, _row((sku, location), change))
    elif ordered:
        connection.execute(CHANGE, [_row(place, change) for place, change in ordered])


def _only_gains(change: Change) -> bool:
    return change.shelf > 0 and change.held == 0


def _row(place: Place, change: Change) -> dict[str, str | int]:
    return {"s": place[0], "l": place[1], "shelf": change.shelf, "held": change.held}


def add_units(connection: Connection, sku: str, location: str, units: int) -> None:
    """Put units on a shelf, which is made when missing."""
    row = {"sku": sku, "location": location, "on_hand": units, "reserved": 0, "safety_stock": 0}
    connection.execute(ADD, row)


def take_free(connection: Connection, place: Place, units: int) -> bool:
    """Take units that nobody holds off a shelf; False when there are not as many."""
    row = {"s": place[0], "l": place[1], "units": units}
    return connection.execute(TAKE_FREE, row).rowcount == 1


def level_of(connection: Connection, place: Place) -> StockLevel:
    """Return a level; a missing one is empty."""
    row = connection.execute(ONE, {"s": place[0], "l": place[1]}).mappings().one_or_none()
    return StockLevel(**row) if row else StockLevel(sku=place[0], location=place[1])
