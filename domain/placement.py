"""Routing: where each unit ships from. Pure: same input, same plan.

The plan prefers few parcels, then the policy's strategy, then priority and code, and tells for
every location left out why.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import asin, cos, radians, sin, sqrt

from domain.frozen import Wire
from domain.policy import RoutingPolicy, Strategy
from domain.stock import Bar, Location, StockLevel

EARTH_KM = 6371.0
EXACT_UP_TO = 14
"""Candidate locations up to which every subset is tried; beyond, the best ranked are kept."""


class Want(Wire):
    """Units of one SKU that one line needs. ``parts`` is what one unit of a kit takes off the
    shelf, (SKU, units) each; a kit is placed whole."""

    line_id: str
    sku: str
    quantity: int
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def takes(self) -> tuple[tuple[str, int], ...]:
        """What one unit takes off the shelf."""
        return self.parts or ((self.sku, 1),)


class Part(Wire):
    """Units of one line's SKU from one location."""

    location: str
    line_id: str
    sku: str
    quantity: int


class Plan(Wire):
    """Where units come from, what no location can fill, and why locations were left out."""

    parts: tuple[Part, ...] = ()
    missing: tuple[Want, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def plan(
    wants: Sequence[Want],
    stock: Iterable[StockLevel],
    locations: Sequence[Location],
    policy: RoutingPolicy,
    bars: Sequence[Bar] = (),
    destination: tuple[float, float] | None = None,
) -> Plan:
    """Place units at locations.

    Args:
        wants: units per line and SKU; several wants may share a SKU.
        stock: levels of those SKUs; only ``available`` counts.
        bars: locations that short-picked or refused a line.
        destination: latitude and longitude of the delivery, when known.

    Returns:
        The plan with the fewest parcels within ``max_splits`` that fills most units; ties go to
        the strategy's order, then to priority and code. What it cannot fill is ``missing``.
    """
    available = {(level.location, level.sku): level.available for level in stock}
    barred = {(bar.location, bar.line_id) for bar in bars}
    reasons: dict[str, str] = {}
    candidates = []
    for location in locations:
        usable = [
            want
            for want in wants
            if (location.code, want.line_id) not in barred
            and fits(want, location.code, available) > 0
        ]
        if not location.active:
            reasons[location.code] = "not active"
        elif any((location.code, want.line_id) in barred for want in wants) and not usable:
            reasons[location.code] = "barred after a short pick or refusal"
        elif not usable:
            reasons[location.code] = "no stock of any line"
        else:
            candidates.append(location)
    candidates.sort(key=lambda one: _rank(one, policy.strategy, available, wants, destination))
    for location in candidates[EXACT_UP_TO:]:
        reasons[location.code] = f"ranked below the best {EXACT_UP_TO}"
    chosen, parts = _best(candidates[:EXACT_UP_TO], wants, available, barred, policy)
    used = {one.location for one in parts}
    for location in candidates[:EXACT_UP_TO]:
        if location.code not in used:
            reasons[location.code] = (
                "not needed" if chosen else "cannot fill within the split limit"
            )
    filled: dict[tuple[str, str], int] = {}
    for one in parts:
        filled[one.line_id, one.sku] = filled.get((one.line_id, one.sku), 0) + one.quantity
    missing = tuple(
        want.model_copy(
            update={"quantity": want.quantity - filled.get((want.line_id, want.sku), 0)}
        )
        for want in wants
        if want.quantity > filled.get((want.line_id, want.sku), 0)
    )
    return Plan(parts=parts, missing=missing, left_out=tuple(sorted(reasons.items())))


def _best(
    candidates: Sequence[Location],
    wants: Sequence[Want],
    available: Mapping[tuple[str, str], int],
    barred: set[tuple[str, str]],
    policy: RoutingPolicy,
) -> tuple[bool, tuple[Part, ...]]:
    """Try the smallest sets of locations first; the first complete one wins."""
    wanted = sum(want.quantity for want in wants)
    best: tuple[Part, ...] = ()
    most = 0
    for size in range(1, min(len(candidates), policy.max_splits + 1) + 1):
        for some in combinations(candidates, size):
            parts = _fill(some, wants, available, barred)
            units = sum(one.quantity for one in parts)
            if units > most:
                best, most = parts, units
            if units == wanted:
                return True, parts
    return bool(best), best


def _fill(
    some: Sequence[Location],
    wants: Sequence[Want],
    available: Mapping[tuple[str, str], int],
    barred: set[tuple[str, str]],
) -> tuple[Part, ...]:
    """Fill each want from these locations in their order, the one with the least choice first; a
    want is kept whole if one location can."""
    left = dict(available)
    parts: list[Part] = []
    open_to = {
        want.line_id: [one.code for one in some if (one.code, want.line_id) not in barred]
        for want in wants
    }
    for want in sorted(wants, key=lambda one: len(open_to[one.line_id])):
        rest = want.quantity
        whole = [code for code in open_to[want.line_id] if fits(want, code, left) >= rest]
        for code in whole[:1] or open_to[want.line_id]:
            take = min(rest, fits(want, code, left))
            if take > 0:
                for sku, each in want.takes:
                    left[code, sku] -= each * take
                rest -= take
                parts.append(Part(location=code, line_id=want.line_id, sku=want.sku, quantity=take))
    return tuple(parts)


def fits(want: Want, location: str, available: Mapping[tuple[str, str], int]) -> int:
    """Return how many units of a want a location could send, a kit by its scarcest part."""
    return min(available.get((location, sku), 0) // each for sku, each in want.takes)


def _rank(
    location: Location,
    strategy: Strategy,
    available: Mapping[tuple[str, str], int],
    wants: Sequence[Want],
    destination: tuple[float, float] | None,
) -> tuple[float, int, str]:
    stocked = sum(min(want.quantity, fits(want, location.code, available)) for want in wants)
    score = {
        Strategy.PRIORITY: 0.0,
        Strategy.SHIP_COMPLETE: -float(stocked),
        Strategy.MOST_STOCK: -float(sum(fits(want, location.code, available) for want in wants)),
        Strategy.CLOSEST: distance_km(location, destination),
    }[strategy]
    return score, location.priority, location.code


def distance_km(location: Location, destination: tuple[float, float] | None) -> float:
    """Return the straight-line (great-circle) distance; infinity when either end is unknown."""
    if destination is None or location.latitude is None or location.longitude is None:
        return float("inf")
    lat1, lon1 = radians(location.latitude), radians(location.longitude)
    lat2, lon2 = radians(destination[0]), radians(destination[1])
    chord = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))
