"""What Waybill needs of its stock ledger (DESIGN section 4); errors and transactions as in
``ports.stores``."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from domain.stock import (
    Allocation,
    Inbound,
    Location,
    MovementReason,
    Product,
    Queued,
    Shortage,
    StockLevel,
    Turn,
)


class StockStore(Protocol):
    """Stock truth: levels, reservations and the ledger of movements (DESIGN section 4)."""

    def snapshot(self, skus: Iterable[str]) -> Sequence[StockLevel]:
        """Levels of these SKUs at all active locations."""

    def locations(self) -> Sequence[Location]:
        """All locations."""

    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        """The known ones of these SKUs."""

    def reserve(
        self, order_id: str, allocations: Sequence[Allocation], expires_at: datetime | None
    ) -> Sequence[Shortage]:
        """Reserve all or nothing, by guarded updates in (sku, location) key order; keyed by
        (order, line, allocation no.): a repeat is a no-op. Returns what was short (then nothing
        was reserved)."""

    def reserved(self, order_id: str) -> Sequence[Allocation]:
        """The order's open reservations (held or committed), with what is left of each."""

    def expire(self, now: datetime) -> Sequence[str]:
        """End reservations whose time is over; returns their orders."""

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
        """Book units onto the shelf (negative for an adjustment); keyed; never below reserved."""

    def count(
        self, sku: str, location: str, on_hand: int, *, key: str, actor: str, note: str = ""
    ) -> StockLevel:
        """Book the difference to what was counted, in one transaction; keyed; never below
        reserved."""

    def servable(self, limit: int = 500, sku: str = "") -> Sequence[Turn]:
        """Orders that wait for units which are free now, in turn, as far as the units reach."""

    def waiting(self, sku: str) -> Sequence[Queued]:
        """Orders that wait for this SKU: by priority, then age."""

    def levels(self, sku: str) -> Sequence[StockLevel]:
        """All levels of one SKU."""

    def inbound(self, sku: str) -> Sequence[Inbound]:
        """What is on its way, soonest first."""

    def set_safety_stock(self, sku: str, location: str, units: int) -> StockLevel:
        """Keep units back from sale at a location."""

    def save_location(self, location: Location) -> None:
        """Create or replace a location."""

    def save_product(self, product: Product) -> None:
        """Create or replace a product."""

    def save_inbound(self, inbound: Inbound, key: str) -> None:
        """Announce units on their way; keyed."""

    def list_products(self, cursor: str = "", limit: int = 100) -> tuple[Sequence[Product], str]:
        """Products by SKU, with the next cursor."""
