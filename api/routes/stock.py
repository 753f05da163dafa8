"""Stock: what is on the shelf, what came in, what was counted; and whom that lets go on."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path
from pydantic import Field, StrictInt, model_validator

from api.access import Stocker, StockReader
from api.bodies import Words
from api.commands import AtDesk, Desk
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.problems import Problem, not_found, refusals
from api.waiting import tell_turns
from domain.calendar import Day
from domain.frozen import Frozen, Wire
from domain.stock import Inbound, MovementReason, StockLevel

router = APIRouter(
    prefix="/stock",
    tags=["stock"],
    route_class=IdempotentRoute,
    responses=refusals(400, 401, 403, 404, 409, 422, 429, 503),
)
KEY = {"parameters": [KEY_PARAMETER]}
Sku = Annotated[str, Field(min_length=1, max_length=100)]
LocationCode = Annotated[str, Field(min_length=1, max_length=40)]


class Stock(Wire):
    """One SKU everywhere. ``waiting`` are units that orders wait for."""

    sku: str
    levels: tuple[StockLevel, ...]
    inbound: tuple[Inbound, ...] = ()
    available: int
    waiting: int


class Booked(Wire):
    """The level after a booking, and the caller's orders that were told about new units."""

    level: StockLevel
    told: tuple[str, ...] = ()


class CountBody(Frozen):
    """What was counted on a location's shelf, how many units are kept back from sale, or both."""

    location: LocationCode
    on_hand: Annotated[StrictInt | None, Field(ge=0, le=10**9)] = None
    safety_stock: Annotated[StrictInt | None, Field(ge=0, le=10**9)] = None
    note: Words = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.on_hand is None and self.safety_stock is None:
            raise ValueError("on_hand or safety_stock is needed")
        return self


class InboundBody(Frozen):
    """Units announced by a supplier (ASN)."""

    sku: Sku
    location: LocationCode
    quantity: Annotated[StrictInt, Field(ge=1, le=10**9)]
    expected_on: Day


class ReceiptBody(Frozen):
    """Units that came in."""

    sku: Sku
    location: LocationCode
    quantity: Annotated[StrictInt, Field(ge=1, le=10**9)]
    note: Words = ""


class AdjustmentBody(Frozen):
    """Units found (positive) or lost (negative)."""

    sku: Sku
    location: LocationCode
    quantity: Annotated[StrictInt, Field(ge=-(10**9), le=10**9)]
    reason: Literal["adjusted", "counted", "initial"] = "adjusted"
    note: Words = ""


@router.get("/{sku}", operation_id="get_stock", summary="One SKU's stock everywhere")
async def get_stock(
    sku: Annotated[str, Path(max_length=100)], _: StockReader, desk: AtDesk
) -> Stock:
    """Return levels, what is on its way, and how much orders wait for."""
    store = desk.deps.store
    levels = await desk.stored(store.levels, sku)
    if not levels and sku not in await desk.stored(store.products, [sku]):
        raise not_found("SKU")
    waiting = await desk.stored(store.waiting, sku)
    return Stock(
        sku=sku,
        levels=tuple(levels),
        inbound=tuple(await desk.stored(store.inbound, sku)),
        available=sum(level.available for level in levels),
        waiting=sum(one.quantity for one in waiting),
    )


@router.put("/{sku}", operation_id="count_stock", summary="Set a counted level")
async def count_stock(
    sku: Annotated[str, Path(max_length=100)], body: CountBody, caller: Stocker, desk: AtDesk
) -> Booked:
    """Book the difference to what was counted, never below what is reserved, and set how many units
    are never promised. What is not named stays as it is."""
    store, key = desk.deps.store, f"api:{desk.key}"
    await _known(desk, body.location)
    level = None
    if body.on_hand is not None:
        counted = {"key": key, "actor": caller.actor, "note": body.note}
        level = await desk.stored(store.count, sku, body.location, body.on_hand, **counted)
    if body.safety_stock is not None:
        level = await desk.stored(store.set_safety_stock, sku, body.location, body.safety_stock)
    assert level is not None
    return Booked(level=level, told=await _tell_waiting(desk, sku))


@router.post(
    "/inbound",
    status_code=201,
    operation_id="announce_stock",
    summary="Units are on their way",
    openapi_extra=KEY,
)
async def announce_stock(body: InboundBody, _: Stocker, desk: AtDesk) -> Inbound:
    """Announce units; receipts at that location use the announcement up."""
    await _known(desk, body.location)
    inbound = Inbound(**body.model_dump())
    await desk.stored(desk.deps.store.save_inbound, inbound, f"api:{desk.key}")
    return inbound


@router.post(
    "/receipts",
    status_code=201,
    operation_id="receive_stock",
    summary="Units came in",
    openapi_extra=KEY,
)
async def receive_stock(body: ReceiptBody, caller: Stocker, desk: AtDesk) -> Booked:
    """Book units onto the shelf, and tell the orders that waited longest for them."""
    reason = MovementReason.RECEIPT
    return await _book(
        desk, body.sku, body.location, body.quantity, reason, caller.actor, body.note
    )


@router.post(
    "/adjustments",
    status_code=201,
    operation_id="adjust_stock",
    summary="Correct a level",
    openapi_extra=KEY,
)
async def adjust_stock(body: AdjustmentBody, caller: Stocker, desk: AtDesk) -> Booked:
    """Book units found or lost; never below what is reserved."""
    reason = MovementReason(body.reason)
    return await _book(
        desk, body.sku, body.location, body.quantity, reason, caller.actor, body.note
    )


async def _book(
    desk: Desk,
    sku: str,
    location: str,
    quantity: int,
    reason: MovementReason,
    actor: str,
    note: str,
) -> Booked:
    await _known(desk, location)
    level = await desk.stored(
        desk.deps.store.receive,
        sku,
        location,
        quantity,
        reason=reason,
        key=f"api:{desk.key}",
        actor=actor,
        note=note,
    )
    told = await _tell_waiting(desk, sku) if quantity > 0 else ()
    return Booked(level=level, told=told)


async def _known(desk: Desk, location: str) -> None:
    if location not in {one.code for one in await desk.stored(desk.deps.store.locations)}:
        raise Problem(422, "unknown_location", f"There is no location {location}.")


async def _tell_waiting(desk: Desk, sku: str) -> tuple[str, ...]:
    """Tell the orders whose turn it is, at once; the sweeper would a few seconds later."""
    turns = await desk.stored(desk.deps.store.servable, sku=sku)
    told = await tell_turns(desk.deps, turns)
    return tuple(one for one in told if desk.caller.sees_order(one))
