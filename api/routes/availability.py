"""What may be promised: available to promise and a date, per location."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api.access import StockReader
from api.commands import AtDesk
from api.problems import not_found, refusals
from domain.frozen import Wire
from domain.policy import Policy, ShippingMethod
from domain.stock import Inbound, Location, Product, StockLevel

router = APIRouter(tags=["availability"], responses=refusals(401, 403, 404, 422, 429, 503))


class Place(Wire):
    """What one location can send, and when that would arrive."""

    location: str
    name: str
    available: int
    promise: date | None


class Availability(Wire):
    """What may be promised of one SKU. ``promise`` is the earliest date over all places, or by
    what is on its way; None when nobody knows."""

    sku: str
    available: int
    promise: date | None
    method: str
    places: tuple[Place, ...]


@router.get("/availability", operation_id="availability", summary="Available to promise")
async def availability(
    _: StockReader,
    desk: AtDesk,
    sku: Annotated[str, Query(min_length=1, max_length=100)],
    country: Annotated[str, Query(max_length=2)] = "",
    postal_code: Annotated[str, Query(max_length=30)] = "",
    method: Annotated[str, Query(max_length=60)] = "",
) -> Availability:
    """Return stock per location with the date by which a parcel would arrive.

    A kit is available as often as its scarcest component. Nothing is reserved.
    """
    store = desk.deps.store
    product = (await desk.stored(store.products, [sku])).get(sku)
    if product is None or not product.active:
        raise not_found("SKU")
    parts = {part.sku: part.quantity for part in product.components} or {sku: 1}
    return promise(
        product,
        parts,
        await desk.stored(store.snapshot, list(parts)),
        await desk.stored(store.locations),
        [one for part in parts for one in await desk.stored(store.inbound, part)],
        (await desk.stored(store.policy))[1],
        country.upper(),
        method,
        desk.deps.now().date(),
    )


def promise(
    product: Product,
    parts: dict[str, int],
    levels: Sequence[StockLevel],
    locations: Sequence[Location],
    inbound: Sequence[Inbound],
    policy: Policy,
    country: str,
    method: str,
    today: date,
) -> Availability:
    """Return what may be promised; days are calendar days from the policy, never before launch."""
    shipping = method_for(policy, country, method)
    ready = max(today, product.launch_on or today) + timedelta(days=policy.routing.handling_days)
    arrives = ready + timedelta(days=shipping.days) if shipping else None
    there = {(level.sku, level.location): level.available for level in levels}
    places = tuple(
        Place(
            location=one.code,
            name=one.name,
            available=sets,
            promise=arrives if sets else None,
        )
        for one in sorted(locations, key=lambda one: (one.priority, one.code))
        if one.active
        for sets in [min(there.get((s, one.code), 0) // q for s, q in parts.items())]
    )
    total = sum(place.available for place in places)
    later = _when_it_comes(parts, inbound, policy, shipping) if product.backorder else None
    return Availability(
        sku=product.sku,
        available=total,
        promise=arrives if total else later,
        method=shipping.code if shipping else "",
        places=places,
    )


def method_for(policy: Policy, country: str, method: str) -> ShippingMethod | None:
    """Return the asked shipping method, or the slowest that serves the country."""
    serving = [one for one in policy.shipping if not one.countries or country in one.countries]
    asked = [one for one in serving if one.code == method]
    return max(asked or serving, key=lambda one: one.days, default=None)


def _when_it_comes(
    parts: dict[str, int],
    inbound: Sequence[Inbound],
    policy: Policy,
    shipping: ShippingMethod | None,
) -> date | None:
    firsts = [
        min((one.expected_on for one in inbound if one.sku == part), default=None) for part in parts
    ]
    if shipping is None or None in firsts:
        return None
    last = max(day for day in firsts if day)
    return last + timedelta(days=policy.routing.handling_days + shipping.days)
