"""Reserving units for orders: all or nothing, never more than there is (S1, S4)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from domain.errors import DomainError
from domain.stock import Allocation, ReservationState, Shortage
from store.levels import Change, Place, change_levels, level_of
from store.part import Part
from store.tables.stock import levels, reservations

HELD = ReservationState.HELD.value
PUT_RESERVATION = insert(reservations)
HOLD = (
    update(levels)
    .where(
        levels.c.sku == bindparam("s"),
        levels.c.location == bindparam("l"),
        levels.c.on_hand - levels.c.reserved - levels.c.safety_stock >= bindparam("units"),
    )
    .values(reserved=levels.c.reserved + bindparam("units"))
)
OF_ORDER = (
    select(
        reservations.c.n,
        reservations.c.line_id,
        reservations.c.sku,
        reservations.c.location,
        reservations.c.quantity,
        reservations.c.remaining,
    )
    .where(reservations.c.order_id == bindparam("order"))
    .order_by(reservations.c.line_id, reservations.c.n)
)
OVERDUE = (
    select(reservations)
    .where(reservations.c.state == HELD, reservations.c.expires_at <= bindparam("now"))
    .order_by(reservations.c.order_id, reservations.c.line_id, reservations.c.n)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
)
EXPIRE = (
    update(reservations)
    .where(
        reservations.c.order_id == bindparam("o"),
        reservations.c.line_id == bindparam("l"),
        reservations.c.n == bindparam("no"),
    )
    .values(
        released=reservations.c.released + reservations.c.remaining,
        remaining=0,
        state=ReservationState.EXPIRED.value,
    )
)
AT_ONCE = 500


class _Short(Exception):
    """Rolls a reservation back; carries what was short."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        self.shortages = shortages


class Reservations(Part):
    """Who holds which units."""

    def reserve(
        self, order_id: str, allocations: Sequence[Allocation], expires_at: datetime | None
    ) -> Sequence[Shortage]:
        """Reserve all or nothing; return what was short (then nothing was reserved).

        A repeat of (order, line, n) is a no-op, also after the reservation has ended.

        Raises:
            DomainError: ``reservation_key_reused``, the same key for other units.
        """
        try:
            with self._database.write() as connection:
                fresh = self._claim(connection, order_id, allocations, expires_at)
                _hold(connection, fresh)
        except _Short as short:
            return short.shortages
        return ()

    def _claim(
        self,
        connection: Connection,
        order_id: str,
        allocations: Sequence[Allocation],
        expires_at: datetime | None,
    ) -> Sequence[Allocation]:
        """Write the reservations that are not there yet, and return those."""
        self._database.lock(connection, "reserve", order_id)
        known = {
            (row.line_id, row.n): (row.sku, row.location, row.quantity)
            for row in connection.execute(OF_ORDER, {"order": order_id})
        }
        now = self._database.now()
        fresh, rows = [], []
        for allocation in allocations:
            key = (allocation.line_id, allocation.n)
            content = (allocation.sku, allocation.location, allocation.quantity)
            if key not in known:
                known[key] = content
                fresh.append(allocation)
                rows.append(_row(order_id, allocation, expires_at, now))
            elif known[key] != content:
                text = f"{order_id}: allocation {allocation.n} of line {allocation.line_id}"
                raise DomainError(f"{text} was made for other units", "reservation_key_reused")
        if rows:
            connection.execute(PUT_RESERVATION, rows)
        return fresh

    def reserved(self, order_id: str) -> Sequence[Allocation]:
        """Return the order's open reservations, with what is left of each."""
        with self._database.read_one() as connection:
            rows = connection.execute(OF_ORDER, {"order": order_id})
            return [
                Allocation(
                    n=row.n,
                    line_id=row.line_id,
                    sku=row.sku,
                    location=row.location,
                    quantity=row.remaining,
                )
                for row in rows
                if row.remaining
            ]

    def expire(self, now: datetime) -> Sequence[str]:
        """End held reservations whose time is over, at most 500 at once; return their orders."""
        with self._database.write() as connection:
            overdue = connection.execute(OVERDUE, {"now": now, "at_most": AT_ONCE}).all()
            if not overdue:
                return ()
            keys = [{"o": row.order_id, "l": row.line_id, "no": row.n} for row in overdue]
            connection.execute(EXPIRE, keys)
            changes: dict[Place, Change] = defaultdict(Change)
            for row in overdue:
                changes[row.sku, row.location].held -= row.remaining
            change_levels(connection, changes)
            return sorted({row.order_id for row in overdue})


def _hold(connection: Connection, allocations: Sequence[Allocation]) -> None:
    """Raise the reserved units of each level where enough are free; raise _Short otherwise."""
    wanted: dict[Place, int] = defaultdict(int)
    for allocation in allocations:
        wanted[allocation.sku, allocation.location] += allocation.quantity
    short = []
    for place, units in sorted(wanted.items()):
        row = {"s": place[0], "l": place[1], "units": units}
        if connection.execute(HOLD, row).rowcount != 1:
            available = level_of(connection, place).available
            sku, location = place
            short.append(Shortage(sku=sku, location=location, wanted=units, available=available))
    if short:
        raise _Short(short)


def _row(
    order_id: str, allocation: Allocation, expires_at: datetime | None, now: datetime
) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "line_id": allocation.line_id,
        "n": allocation.n,
        "sku": allocation.sku,
        "location": allocation.location,
        "quantity": allocation.quantity,
        "remaining": allocation.quantity,
        "consumed": 0,
        "released": 0,
        "state": HELD,
        "expires_at": expires_at,
        "created_at": now,
    }
