"""Reserving units, in memory: all or nothing, never more than there is; and the catalogue."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from domain.errors import DomainError
from domain.stock import Allocation, Location, Product, ReservationState, Shortage
from store.cursors import cursor_of, position_of
from tests.fakes.stores.tables import Level, Part, Place, Row, transaction, utc

AT_ONCE = 500
PAGE_LIMIT = 1000
HELD = ReservationState.HELD.value


class Reservations(Part):
    """Who holds which units."""

    @transaction
    def reserve(
        self, order_id: str, allocations: Sequence[Allocation], expires_at: datetime | None
    ) -> Sequence[Shortage]:
        """Reserve all or nothing; return what was short (then nothing was reserved)."""
        until = utc(expires_at) if expires_at else None
        fresh = self._fresh(order_id, allocations)
        wanted: dict[Place, int] = {}
        for one in fresh.values():
            place = (one.sku, one.location)
            wanted[place] = wanted.get(place, 0) + one.quantity
        if short := [lack for item in sorted(wanted.items()) if (lack := self._short(*item))]:
            return short
        for (sku, location), units in wanted.items():
            self.tables.levels[sku][location].reserved += units
        rows = self.tables.reservations.setdefault(order_id, {})
        for key, one in fresh.items():
            row = _row(order_id, one, until, self.now())
            rows[key] = self.tables.open[(order_id, *key)] = row
        return ()

    @transaction
    def reserved(self, order_id: str) -> Sequence[Allocation]:
        """Return the order's open reservations, with what is left of each."""
        return [
            Allocation(
                n=row["n"],
                line_id=row["line_id"],
                sku=row["sku"],
                location=row["location"],
                quantity=row["remaining"],
            )
            for _, row in sorted(self.tables.reservations.get(order_id, {}).items())
            if row["remaining"]
        ]

    @transaction
    def expire(self, now: datetime) -> Sequence[str]:
        """End held reservations whose time is over, at most 500 at once; return their orders."""
        overdue = [
            key
            for key, row in self.tables.open.items()
            if row["state"] == HELD and row["expires_at"] and row["expires_at"] <= now
        ]
        ended = set()
        for key in sorted(overdue)[:AT_ONCE]:
            row = self.tables.open.pop(key)
            self.tables.levels[row["sku"]][row["location"]].reserved -= row["remaining"]
            row["released"] += row["remaining"]
            row.update(remaining=0, state=ReservationState.EXPIRED.value)
            ended.add(key[0])
        return sorted(ended) if ended else ()

    def _fresh(
        self, order_id: str, allocations: Sequence[Allocation]
    ) -> dict[tuple[str, int], Allocation]:
        """Return the allocations that are not reserved yet, or were before."""
        known = self.tables.reservations.get(order_id, {})
        fresh: dict[tuple[str, int], Allocation] = {}
        for one in allocations:
            key = (one.line_id, one.n)
            there = known.get(key) or (dict(fresh[key]) if key in fresh else None)
            if there is None:
                fresh[key] = one
            elif [there[k] for k in ("sku", "location", "quantity")] != [
                one.sku, one.location, one.quantity,
            ]:  # fmt: skip
                text = f"{order_id}: allocation {one.n} of line {one.line_id}"
                raise DomainError(f"{text} was made for other units", "reservation_key_reused")
        return fresh

    def _short(self, place: Place, units: int) -> Shortage | None:
        sku, location = place
        level = self.tables.levels.get(sku, {}).get(location) or Level()
        free = level.on_hand - level.reserved - level.safety_stock
        if free >= units:
            return None
        return Shortage(sku=sku, location=location, wanted=units, available=max(0, free))


class Catalogue(Part):
    """What can be sold, and from where."""

    @transaction
    def locations(self) -> Sequence[Location]:
        """Return all locations, by code."""
        return [place for _, place in sorted(self.tables.locations.items())]

    @transaction
    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """Return the known ones of these SKUs."""
        known = self.tables.products
        return {sku: known[sku] for sku in sorted(set(skus)) if sku in known}

    @transaction
    def save_location(self, location: Location) -> None:
        """Create or replace a location."""
        self.tables.locations[location.code] = location

    @transaction
    def save_product(self, product: Product) -> None:
        """Create or replace a product."""
        self.tables.products[product.sku] = product

    @transaction
    def list_products(self, cursor: str = "", limit: int = 100) -> tuple[Sequence[Product], str]:
        """Return products by SKU, with the next cursor (empty on the last page)."""
        limit = max(1, min(limit, PAGE_LIMIT))
        after = position_of(cursor, 1)[0] if cursor else ""
        known = sorted(self.tables.products.items())
        found = [product for sku, product in known if sku > after][: limit + 1]
        page = found[:limit]
        return page, cursor_of(page[-1].sku) if len(found) > limit else ""


def _row(order_id: str, one: Allocation, expires_at: datetime | None, now: datetime) -> Row:
    return {
        "order_id": order_id,
        "line_id": one.line_id,
        "n": one.n,
        "sku": one.sku,
        "location": one.location,
        "quantity": one.quantity,
        "remaining": one.quantity,
        "consumed": 0,
        "released": 0,
        "state": HELD,
        "expires_at": expires_at,
        "created_at": now,
    }
