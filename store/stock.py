"""Stock levels and the ledger behind them; who waits for stock."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, true, update

from domain.errors import DomainError
from domain.stock import MovementReason, Queued, StockLevel
from store.inbound import use_up
from store.levels import Place, add_units, level_of
from store.part import Part, filled, places, put_once
from store.tables.stock import levels, locations, movements, queue

OF_SKU = select(levels).where(levels.c.sku == bindparam("s")).order_by(levels.c.location)
LOCATION = select(locations.c.code).where(locations.c.code == bindparam("l"))
BOOK = put_once(movements)
BOOKED = select(movements.c.sku, movements.c.location, movements.c.units).where(
    movements.c.order_id == "", movements.c.key == bindparam("k")
)
TAKE = (
    update(levels)
    .where(
        levels.c.sku == bindparam("s"),
        levels.c.location == bindparam("l"),
        levels.c.on_hand - bindparam("units") >= levels.c.reserved,
    )
    .values(on_hand=levels.c.on_hand - bindparam("units"))
)
SET_SAFETY = update(levels).where(
    levels.c.sku == bindparam("s"), levels.c.location == bindparam("l")
)
WAITING = (
    select(queue)
    .where(queue.c.sku == bindparam("s"))
    .order_by(queue.c.priority, queue.c.since, queue.c.order_id, queue.c.line_id)
)
CHUNK = 512
"""SKUs asked for at once; both databases limit how many a statement may name."""


class Stock(Part):
    """What lies where."""

    def snapshot(self, skus: Iterable[str]) -> Sequence[StockLevel]:
        """Return the levels of these SKUs at all active locations, by (sku, location)."""
        wanted = sorted(set(skus))
        single = len(wanted) <= CHUNK
        with self._database.read_one() if single else self._database.read() as connection:
            return [
                level
                for start in range(0, len(wanted), CHUNK)
                for level in _levels(connection, wanted[start : start + CHUNK])
            ]

    def levels(self, sku: str) -> Sequence[StockLevel]:
        """Return all levels of one SKU, inactive locations included."""
        with self._database.read() as connection:
            rows = connection.execute(OF_SKU, {"s": sku}).mappings()
            return [StockLevel(**row) for row in rows]

    def receive(
        self,
        sku: str,
        location: str,
        quantity: int,
        *,
        reason: MovementReason,
        key: str,
        actor: str,
        note: str = "",
    ) -> StockLevel:
        """Book units onto the shelf (negative for an adjustment) and return the level.

        A repeat of ``key`` is a no-op. A receipt uses up what was announced for that location.

        Raises:
            DomainError: ``unknown_location``; ``below_reserved``, the units left would not cover
                what is reserved; ``key_reused``, the key booked other units before.
        """
        place = (sku, location)
        row: dict[str, Any] = {"order_id": "", "key": key, "sku": sku, "location": location}
        row |= {"quantity": quantity, "units": quantity, "reason": reason.value, "line_id": ""}
        with self._database.write() as connection:
            row |= {"actor": actor, "note": note, "at": self._database.now()}
            if connection.execute(BOOK, row).rowcount == 0:
                if tuple(connection.execute(BOOKED, {"k": key}).one()) != (*place, quantity):
                    raise DomainError(f"key {key} booked other units before", "key_reused")
                return level_of(connection, place)
            if connection.execute(LOCATION, {"l": location}).one_or_none() is None:
                raise DomainError(f"there is no location {location}", "unknown_location")
            if quantity > 0 and reason is MovementReason.RECEIPT:
                use_up(connection, place, quantity)
            _move(connection, place, quantity)
            return level_of(connection, place)

    def count(
        self, sku: str, location: str, on_hand: int, *, key: str, actor: str, note: str = ""
    ) -> StockLevel:
        """Book the difference to what was counted on the shelf and return the level.

        The level is held from the look to the booking, so that units that come or go meanwhile
        are neither lost nor counted twice. A repeat of ``key`` is a no-op.

        Raises:
            DomainError: as for ``receive``.
        """
        place = (sku, location)
        row: dict[str, Any] = {"order_id": "", "key": key, "sku": sku, "location": location}
        row |= {"reason": MovementReason.COUNTED.value, "line_id": "", "units": on_hand}
        with self._database.write() as connection:
            if connection.execute(LOCATION, {"l": location}).one_or_none() is None:
                raise DomainError(f"there is no location {location}", "unknown_location")
            add_units(connection, sku, location, 0)  # makes it, and locks it
            difference = on_hand - level_of(connection, place).on_hand
            row |= {"actor": actor, "note": note, "at": self._database.now()}
            if connection.execute(BOOK, row | {"quantity": difference}).rowcount == 0:
                if tuple(connection.execute(BOOKED, {"k": key}).one()) != (*place, on_hand):
                    raise DomainError(f"key {key} booked other units before", "key_reused")
                return level_of(connection, place)
            _move(connection, place, difference)
            return level_of(connection, place)

    def set_safety_stock(self, sku: str, location: str, units: int) -> StockLevel:
        """Keep ``units`` of a level unpromised; return the level.

        Raises:
            DomainError: ``unknown_location``.
        """
        place = (sku, location)
        with self._database.write() as connection:
            if connection.execute(LOCATION, {"l": location}).one_or_none() is None:
                raise DomainError(f"there is no location {location}", "unknown_location")
            add_units(connection, sku, location, 0)
            connection.execute(SET_SAFETY, {"s": sku, "l": location, "safety_stock": units})
            return level_of(connection, place)

    def waiting(self, sku: str) -> Sequence[Queued]:
        """Return orders that wait for this SKU: by priority (lower first), then age."""
        with self._database.read() as connection:
            rows = connection.execute(WAITING, {"s": sku}).mappings()
            return [Queued(**row) for row in rows]


def _levels(connection: Connection, skus: Sequence[str]) -> Iterable[StockLevel]:
    asked = filled(skus)
    rows = connection.execute(_snapshot(len(asked)), asked).mappings()
    return [StockLevel(**row) for row in rows]


@cache
def _snapshot(size: int) -> Select[Any]:
    return (
        select(levels)
        .join(locations, locations.c.code == levels.c.location)
        .where(levels.c.sku.in_(places(size)), locations.c.active == true())
        .order_by(levels.c.sku, levels.c.location)
    )


def _move(connection: Connection, place: Place, quantity: int) -> None:
    """Change what is on hand; never below what is reserved."""
    if quantity >= 0:
        add_units(connection, *place, quantity)
        return
    row = {"s": place[0], "l": place[1], "units": -quantity}
    if connection.execute(TAKE, row).rowcount == 0:
        level = level_of(connection, place)
        raise DomainError(
            f"{place[0]} at {place[1]}: {level.on_hand} on hand, {level.reserved} reserved,"
            f" {-quantity} cannot go",
            "below_reserved",
        )
