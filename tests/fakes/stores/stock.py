"""Levels, the ledger behind them, what comes in and who waits, in memory."""

from collections.abc import Iterable, Sequence

from domain.errors import DomainError
from domain.stock import Inbound, MovementReason, Queued, StockLevel, Turn
from tests.fakes.stores.moves import book
from tests.fakes.stores.tables import Level, Part, Place, Row, transaction


class Stock(Part):
    """What lies where."""

    @transaction
    def snapshot(self, skus: Iterable[str]) -> Sequence[StockLevel]:
        """Return the levels of these SKUs at all active locations, by (sku, location)."""
        active = {code for code, one in self.tables.locations.items() if one.active}
        return [
            _level((sku, location), level)
            for sku in sorted(set(skus))
            for location, level in sorted(self.tables.levels.get(sku, {}).items())
            if location in active
        ]

    @transaction
    def levels(self, sku: str) -> Sequence[StockLevel]:
        """Return all levels of one SKU, inactive locations included."""
        rows = sorted(self.tables.levels.get(sku, {}).items())
        return [_level((sku, location), level) for location, level in rows]

    @transaction
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
        """Book units onto the shelf (negative for an adjustment) and return the level."""
        place = (sku, location)
        if known := self.tables.booked.get(("", key)):
            return self._booked_before(known, place, quantity)
        self._place(location)
        level = self._enough(place, quantity)
        if quantity > 0 and reason is MovementReason.RECEIPT:
            self._use_up(place, quantity)
        self._book(place, key, quantity, quantity, reason, actor, note)
        level.on_hand += quantity
        return _level(place, level)

    @transaction
    def count(
        self, sku: str, location: str, on_hand: int, *, key: str, actor: str, note: str = ""
    ) -> StockLevel:
        """Book the difference to what was counted on the shelf and return the level."""
        place = (sku, location)
        self._place(location)
        if known := self.tables.booked.get(("", key)):
            return self._booked_before(known, place, on_hand)
        lies = self.tables.levels.get(sku, {}).get(location) or Level()
        difference = on_hand - lies.on_hand
        level = self._enough(place, difference)
        self._book(place, key, difference, on_hand, MovementReason.COUNTED, actor, note)
        level.on_hand += difference
        return _level(place, level)

    @transaction
    def set_safety_stock(self, sku: str, location: str, units: int) -> StockLevel:
        """Keep ``units`` of a level unpromised; return the level."""
        self._place(location)
        level = self.tables.levels.setdefault(sku, {}).setdefault(location, Level())
        level.safety_stock = units
        return _level((sku, location), level)

    @transaction
    def waiting(self, sku: str) -> Sequence[Queued]:
        """Return orders that wait for this SKU: by priority (lower first), then age."""
        return [entry for entry in self._queue() if entry.sku == sku]

    @transaction
    def servable(self, limit: int = 500, sku: str = "") -> Sequence[Turn]:
        """Return orders that wait for units which are free now, in turn, as far as units reach."""
        free: dict[str, int] = {}
        before: dict[str, int] = {}
        turns = []
        for entry in self._queue():
            if entry.sku not in free:
                free[entry.sku] = self._free(entry.sku)
            ahead = before.get(entry.sku, 0)
            before[entry.sku] = ahead + entry.quantity
            if ahead < free[entry.sku] and sku in ("", entry.sku):
                turns.append(Turn(order_id=entry.order_id, sku=entry.sku, free=free[entry.sku]))
        return list(dict.fromkeys(turns[:limit]))

    @transaction
    def inbound(self, sku: str) -> Sequence[Inbound]:
        """Return what is still on its way, soonest first."""
        return [
            Inbound(
                sku=sku,
                location=row["location"],
                quantity=row["remaining"],
                expected_on=row["expected_on"],
            )
            for row in self._coming()
            if row["sku"] == sku
        ]

    @transaction
    def save_inbound(self, inbound: Inbound, key: str) -> None:
        """Announce units on their way; a repeat of ``key`` is a no-op."""
        row = dict(inbound) | {"key": key, "remaining": inbound.quantity}
        self.tables.inbounds.setdefault(key, row)

    def _place(self, location: str) -> None:
        if location not in self.tables.locations:
            raise DomainError(f"there is no location {location}", "unknown_location")

    def _booked_before(self, known: Row, place: Place, units: int) -> StockLevel:
        if (known["sku"], known["location"], known["units"]) != (*place, units):
            raise DomainError(f"key {known['key']} booked other units before", "key_reused")
        return _level(place, self.tables.levels.get(place[0], {}).get(place[1]) or Level())

    def _enough(self, place: Place, quantity: int) -> Level:
        """Return the level, made when missing, if what is left covers what is reserved."""
        sku, location = place
        level = self.tables.levels.get(sku, {}).get(location) or Level()
        if quantity < 0 and level.on_hand + quantity < level.reserved:
            lies = f"{level.on_hand} on hand, {level.reserved} reserved"
            text = f"{sku} at {location}: {lies}, {-quantity} cannot go"
            raise DomainError(text, "below_reserved")
        return self.tables.levels.setdefault(sku, {}).setdefault(location, level)

    def _use_up(self, place: Place, units: int) -> None:
        """Take received units off what was announced for a place, soonest first."""
        for row in self._coming():
            if (row["sku"], row["location"]) == place:
                arrived = min(units, row["remaining"])
                row["remaining"] -= arrived
                units -= arrived

    def _coming(self) -> list[Row]:
        rows = [row for row in self.tables.inbounds.values() if row["remaining"]]
        return sorted(rows, key=lambda row: (row["expected_on"], row["key"]))

    def _book(
        self,
        place: Place,
        key: str,
        quantity: int,
        units: int,
        reason: MovementReason,
        actor: str,
        note: str,
    ) -> None:
        row: Row = {"order_id": "", "key": key, "sku": place[0], "location": place[1]}
        row |= {"quantity": quantity, "units": units, "reason": reason.value, "line_id": ""}
        book(self.tables, row | {"actor": actor, "note": note, "at": self.now()})

    def _queue(self) -> list[Queued]:
        entries = [entry for rows in self.tables.queue.values() for entry in rows.values()]
        return sorted(entries, key=lambda e: (e.priority, e.since, e.order_id, e.line_id))

    def _free(self, sku: str) -> int:
        places = self.tables.locations
        return sum(
            max(0, level.on_hand - level.reserved - level.safety_stock)
            for location, level in self.tables.levels.get(sku, {}).items()
            if location in places and places[location].active
        )


def _level(place: Place, level: Level) -> StockLevel:
    return StockLevel(
        sku=place[0],
        location=place[1],
        on_hand=level.on_hand,
        reserved=level.reserved,
        safety_stock=level.safety_stock,
    )
