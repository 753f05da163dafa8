"""Kits and their components: a kit is placed whole, its components are what is reserved. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from domain.order import Component
from domain.placement import Part, Want
from domain.progress import LineUnits
from domain.stock import Allocation

Parts = tuple[tuple[str, int], ...]
"""What one unit takes off the shelf: (SKU, units), each SKU once."""

Kits = Mapping[str, tuple[str, Parts]]
"""Line id → (its SKU, its parts)."""


def parts_of(sku: str, components: Iterable[Component]) -> Parts:
    """Return what one unit of a SKU takes off the shelf; without components it is itself."""
    counted: dict[str, int] = {}
    for part in components:
        counted[part.sku] = counted.get(part.sku, 0) + part.quantity
    return tuple(counted.items()) or ((sku, 1),)


def wants_of(kits: Kits, lines: Sequence[LineUnits]) -> list[Want]:
    """Return what lines ask for."""
    return [
        Want(
            line_id=line.line_id,
            sku=kits[line.line_id][0],
            quantity=line.quantity,
            parts=kits[line.line_id][1],
        )
        for line in lines
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
