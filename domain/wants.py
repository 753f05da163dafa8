"""Kits and their components: a kit is placed whole, its components are what is reserved. Pure."""

from collections.abc import Mapping, Sequence

from domain.placement import Part, Want
from domain.progress import LineUnits
from domain.stock import Allocation, StockLevel

Kits = Mapping[str, tuple[str, tuple[tuple[str, int], ...]]]
"""Line id → (its SKU, its components with the units of each in one unit of the line)."""


def wants_of(kits: Kits, lines: Sequence[LineUnits]) -> list[Want]:
    """Return what lines ask for; a kit asks for itself."""
    return [
        Want(line_id=line.line_id, sku=_kit_sku(kits, line.line_id), quantity=line.quantity)
        for line in lines
    ]


def kit_levels(kits: Kits, levels: Sequence[StockLevel]) -> list[StockLevel]:
    """Add a level for each kit: as many as the scarcest component at a location allows."""
    available = {(level.location, level.sku): level.available for level in levels}
    locations = sorted({level.location for level in levels})
    made = {
        _kit_sku(kits, line_id): parts
        for line_id, (sku, parts) in kits.items()
        if parts != ((sku, 1),)
    }
    return [
        *levels,
        *(
            StockLevel(
                sku=kit,
                location=location,
                on_hand=min(available.get((location, sku), 0) // each for sku, each in parts),
            )
            for kit, parts in sorted(made.items())
            for location in locations
        ),
    ]


def allocations_of(kits: Kits, parts: Sequence[Part], n: int) -> list[Allocation]:
    """Return the reservations of a plan, a kit's by component, numbered from ``n``."""
    found: list[Allocation] = []
    for part in parts:
        for sku, each in kits[part.line_id][1]:
            found.append(
                Allocation(
                    n=n + len(found),
                    line_id=part.line_id,
                    sku=sku,
                    location=part.location,
                    quantity=each * part.quantity,
                )
            )
    return found


def _kit_sku(kits: Kits, line_id: str) -> str:
    """Name a kit apart from a component of the same name."""
    sku, parts = kits[line_id]
    return sku if parts == ((sku, 1),) else f"kit:{line_id}"
