"""What an order's process asks of its reserved units, in memory: looked at first, then applied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.stock import MovementReason, ReservationState, StockAction, StockMove
from tests.fakes.stores.alerts import raise_alert
from tests.fakes.stores.tables import Level, Place, Row, Tables

HELD, COMMITTED = ReservationState.HELD.value, ReservationState.COMMITTED.value
CONSUMED, RELEASED = ReservationState.CONSUMED.value, ReservationState.RELEASED.value
LEDGER_WORD = {
    StockAction.RELEASE: "released",
    StockAction.COMMIT: "committed",
    StockAction.CONSUME: MovementReason.SHIPPED.value,
    StockAction.RESTOCK: MovementReason.RETURNED.value,
}


@dataclass(slots=True)
class Change:
    """What happens to one level."""

    shelf: int = 0
    held: int = 0


class Moving:
    """The moves of one projection that were not made before, worked out on copies."""

    def __init__(
        self, tables: Tables, order_id: str, moves: Sequence[StockMove], at: datetime
    ) -> None:
        self._tables = tables
        self._order_id = order_id
        self._at = at
        wanted = {move.key: move for move in moves}
        self._fresh = [m for key, m in wanted.items() if (order_id, key) not in tables.booked]
        self._holdings: list[Row] = []
        self._changes: dict[Place, Change] = {}
        self._booked: dict[str, int] = {}
        self._unreserved: list[tuple[StockMove, int]] = []
        if self._fresh:
            rows = tables.reservations.get(order_id, {})
            self._holdings = [dict(rows[key]) for key in sorted(rows) if rows[key]["remaining"]]
            for move in self._fresh:
                self._work_out(move)

    def _work_out(self, move: StockMove) -> None:
        taken = sum(self._take(move))
        change = self._changes.setdefault((move.sku, move.location), Change())
        if move.action is StockAction.RESTOCK:
            change.shelf += move.quantity
            self._booked[move.key] = move.quantity
        elif move.action is StockAction.RELEASE:
            change.held -= taken
        elif move.action is StockAction.CONSUME:
            change.held -= taken
            change.shelf -= taken
            self._booked[move.key] = -taken
            if taken < move.quantity:
                self._unreserved.append((move, move.quantity - taken))

    def _take(self, move: StockMove) -> Iterator[int]:
        """Leaving goods use up what is committed first; a release gives back held units first."""
        if move.action is StockAction.RESTOCK:
            return
        there = (move.line_id, move.sku, move.location)
        mine = [
            row
            for row in self._holdings
            if row["remaining"]
            and (row["line_id"], row["sku"], row["location"]) == there
            and (row["n"] < move.before or not move.before)
        ]
        if move.action is StockAction.COMMIT:
            mine = [row for row in mine if row["state"] == HELD]
        last = HELD if move.action is StockAction.CONSUME else COMMITTED
        wanted = move.quantity
        for row in sorted(mine, key=lambda row: row["state"] == last):
            if wanted == 0:
                return
            taken = min(wanted, row["remaining"])
            wanted -= taken
            _give(row, move.action, taken)
            yield taken

    def broken(self) -> str:
        """Return which check of the levels the moves would break, empty when none."""
        for (sku, location), change in self._changes.items():
            level = self._tables.levels.get(sku, {}).get(location) or Level()
            reserved, on_hand = level.reserved + change.held, level.on_hand + change.shelf
            if not 0 <= reserved <= on_hand:
                return f"ck_stock_level_s1: {sku}@{location}"
        return ""

    def apply(self) -> None:
        """Write it all."""
        mine = self._tables.reservations.get(self._order_id, {})
        for row in self._holdings:
            key = (row["line_id"], row["n"])
            mine[key].update(row)
            if not row["remaining"]:
                self._tables.open.pop((self._order_id, *key), None)
        for (sku, location), change in self._changes.items():
            if change.shelf or change.held:
                level = self._tables.levels.setdefault(sku, {}).setdefault(location, Level())
                level.on_hand += change.shelf
                level.reserved += change.held
        for move, units in sorted(self._unreserved, key=lambda u: (u[0].sku, u[0].location)):
            self._take_free(move, units)
        for move in self._fresh:
            self._book(move)

    def _take_free(self, move: StockMove, units: int) -> None:
        """Take units that nobody holds; where there are none, ask for a count."""
        level = self._tables.levels.get(move.sku, {}).get(move.location)
        if level and level.on_hand - level.reserved >= units:
            level.on_hand -= units
            self._booked[move.key] -= units
            return
        text = f"{self._order_id} shipped {units} of {move.sku} that {move.location} had promised"
        subject = f"{move.sku}@{move.location}"
        raise_alert(self._tables, "stock_mismatch", subject, text, self._at)

    def _book(self, move: StockMove) -> None:
        book(
            self._tables,
            {
                "order_id": self._order_id,
                "key": move.key,
                "sku": move.sku,
                "location": move.location,
                "quantity": self._booked.get(move.key, 0),
                "units": move.quantity,
                "reason": LEDGER_WORD[move.action],
                "line_id": move.line_id,
                "actor": "waybill",
                "note": "",
                "at": self._at,
            },
        )


def book(tables: Tables, row: Row) -> None:
    """Append a row to the ledger of movements."""
    row["movement_id"] = len(tables.booked) + 1
    tables.movements.setdefault(row["order_id"], []).append(row)
    tables.booked[row["order_id"], row["key"]] = row


def _give(row: Row, action: StockAction, taken: int) -> None:
    if action is StockAction.COMMIT:
        row["state"] = COMMITTED
        return
    row["remaining"] -= taken
    row["consumed" if action is StockAction.CONSUME else "released"] += taken
    if row["remaining"] == 0:
        row["state"] = CONSUMED if row["consumed"] else RELEASED
