"""What an order's process asks of its reserved units: release, commit, consume, restock.

Lock order: the order's projection row (the caller has it), its reservations by (line, n), then
levels by (sku, location).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from domain.stock import MovementReason, ReservationState, StockAction, StockMove
from store.alerts import raise_alert
from store.levels import Change, Place, change_levels, take_free
from store.part import filled, places
from store.tables.stock import movements, reservations

ACTOR = "waybill"
LEDGER_WORD = {
    StockAction.RELEASE: "released",
    StockAction.COMMIT: "committed",
    StockAction.CONSUME: MovementReason.SHIPPED.value,
    StockAction.RESTOCK: MovementReason.RETURNED.value,
}
STANDING = (
    select(
        reservations.c.line_id,
        reservations.c.n,
        reservations.c.sku,
        reservations.c.location,
        reservations.c.remaining,
        reservations.c.consumed,
        reservations.c.released,
        reservations.c.state,
    )
    .where(reservations.c.order_id == bindparam("order"), reservations.c.remaining > 0)
    .order_by(reservations.c.line_id, reservations.c.n)
    .with_for_update()
)
SET_HOLDING = update(reservations).where(
    reservations.c.order_id == bindparam("o"),
    reservations.c.line_id == bindparam("l"),
    reservations.c.n == bindparam("no"),
)
BOOK = insert(movements)


@cache
def _done(size: int) -> Select[Any]:
    return select(movements.c.key).where(
        movements.c.order_id == bindparam("order"), movements.c.key.in_(places(size))
    )


@dataclass
class Holding:
    """An open reservation, as it changes."""

    line_id: str
    n: int
    sku: str
    location: str
    remaining: int
    consumed: int
    released: int
    state: str
    changed: bool = False

    def take(self, action: StockAction, wanted: int) -> int:
        """Take up to ``wanted`` units out of the reservation; return how many it had."""
        taken, self.changed = min(wanted, self.remaining), True
        if action is StockAction.COMMIT:
            self.state = ReservationState.COMMITTED.value
            return taken
        self.remaining -= taken
        if action is StockAction.CONSUME:
            self.consumed += taken
        else:
            self.released += taken
        if self.remaining == 0:
            ended = ReservationState.CONSUMED if self.consumed else ReservationState.RELEASED
            self.state = ended.value
        return taken


def apply_moves(
    connection: Connection, order_id: str, moves: Sequence[StockMove], at: datetime
) -> None:
    """Apply each move once, by its key.

    Units that are no longer reserved cannot be released again: that part is a no-op. Units that
    left the shelf without being reserved are taken from free stock; where there is none, an alert
    asks for a count, because what other orders hold is never touched.
    """
    keys = filled([move.key for move in moves])
    done = set(connection.execute(_done(len(keys)), {"order": order_id, **keys}).scalars())
    fresh = list({move.key: move for move in moves if move.key not in done}.values())
    if not fresh:
        return
    rows = connection.execute(STANDING, {"order": order_id})
    holdings = [Holding(*row) for row in rows]
    changes: dict[Place, Change] = defaultdict(Change)
    unreserved: list[tuple[StockMove, int]] = []
    booked: dict[str, int] = {}
    for move in fresh:
        taken = sum(_take(holdings, move))
        change = changes[move.sku, move.location]
        if move.action is StockAction.RESTOCK:
            change.shelf += move.quantity
            booked[move.key] = move.quantity
        elif move.action is StockAction.RELEASE:
            change.held -= taken
        elif move.action is StockAction.CONSUME:
            change.held -= taken
            change.shelf -= taken
            booked[move.key] = -taken
            if taken < move.quantity:
                unreserved.append((move, move.quantity - taken))
    _save(connection, order_id, holdings)
    change_levels(connection, changes)
    for move, units in sorted(unreserved, key=lambda item: (item[0].sku, item[0].location)):
        if take_free(connection, (move.sku, move.location), units):
            booked[move.key] -= units
        else:
            text = f"{order_id} shipped {units} of {move.sku} that {move.location} had promised"
            raise_alert(connection, "stock_mismatch", f"{move.sku}@{move.location}", text, at)
    connection.execute(
        BOOK, [_ledger_row(order_id, move, booked.get(move.key, 0), at) for move in fresh]
    )


def _take(holdings: Sequence[Holding], move: StockMove) -> Iterator[int]:
    """Take a move's units from the line's reservations there, and yield what each one gave.

    Leaving goods use up what is committed first; a release gives back what is only held first.
    """
    if move.action is StockAction.RESTOCK:
        return
    last = (
        ReservationState.HELD
        if move.action is StockAction.CONSUME
        else (ReservationState.COMMITTED)
    )
    there = (move.line_id, move.sku, move.location)
    mine = [
        h
        for h in holdings
        if (h.line_id, h.sku, h.location) == there
        and h.remaining
        and (h.n < move.before or not move.before)
    ]
    if move.action is StockAction.COMMIT:
        mine = [holding for holding in mine if holding.state == ReservationState.HELD.value]
    wanted = move.quantity
    for holding in sorted(mine, key=lambda holding: holding.state == last.value):
        if wanted == 0:
            return
        taken = holding.take(move.action, wanted)
        wanted -= taken
        yield taken


def _save(connection: Connection, order_id: str, holdings: Sequence[Holding]) -> None:
    rows = [
        {
            "o": order_id,
            "l": holding.line_id,
            "no": holding.n,
            "remaining": holding.remaining,
            "consumed": holding.consumed,
            "released": holding.released,
            "state": holding.state,
        }
        for holding in holdings
        if holding.changed
    ]
    if rows:
        connection.execute(SET_HOLDING, rows)


def _ledger_row(order_id: str, move: StockMove, quantity: int, at: datetime) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "key": move.key,
        "sku": move.sku,
        "location": move.location,
        "quantity": quantity,
        "units": move.quantity,
        "reason": LEDGER_WORD[move.action],
        "line_id": move.line_id,
        "actor": ACTOR,
        "note": "",
        "at": at,
    }
