"""Placing orders and reading them."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.access import Caller, Reader, Scope, Writer
from api.commands import AtDesk, Desk
from api.deps import Deps
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.intake import delivery_of, take_in
from api.links import page_link
from api.problems import Problem, refusals
from api.views import OrderDocument, order_document, progress_of
from domain.frozen import Wire
from domain.holds import Hold
from domain.progress import OrderProgress, OrderStatus, TimelineEvent
from ports.carriers import Scan
from ports.stores import Intake, OrderFilter, Page, StoredOrder

router = APIRouter(
    prefix="/orders",
    tags=["orders"],
    route_class=IdempotentRoute,
    responses=refusals(401, 403, 404, 422, 429, 503),
)

DIRECT = "api"
POLL_SECONDS = 0.1
Cursor = Annotated[str, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=200)]


class Placed(Wire):
    """An order was accepted. ``verdict`` and below are filled by ``?wait=verdict``."""

    order_id: str
    status: str = "received"
    status_url: str
    verdict: str = ""
    holds: tuple[Hold, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


class Timeline(Wire):
    """An order's history, oldest first."""

    order_id: str
    events: tuple[TimelineEvent, ...]


@router.post(
    "",
    status_code=202,
    operation_id="place_order",
    summary="Place an order",
    responses={
        200: {"model": Placed, "description": "Seen before, or the verdict that was waited for."},
        **refusals(400, 409, 413),
    },
    openapi_extra={
        "parameters": [KEY_PARAMETER],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewOrder"}}},
        },
    },
)
async def place_order(
    request: Request,
    response: Response,
    caller: Writer,
    desk: AtDesk,
    channel: Annotated[str, Query(pattern=r"^([A-Za-z0-9.]{1,40})?$")] = "",
    wait: Annotated[Literal["", "verdict"], Query()] = "",
) -> Placed:
    """Accept an order once; the same order again is answered 200, with other content 409.

    ``?wait=verdict`` waits up to five seconds for validation and grading.
    """
    deps, body = desk.deps, await request.body()
    channel = _channel_of(caller, channel)
    order = deps.read_order(body, channel, deps.now())
    delivery = delivery_of(channel, desk.key, "orders/place", body, deps.now(), order.external_id)
    accepted = await take_in(deps, delivery, order)
    if accepted.intake is Intake.CONFLICT:
        raise Problem(
            409, "order_conflict", "This order was accepted before with other content; it stands."
        )
    if accepted.intake is Intake.REPEAT:
        response.status_code = 200
    placed = Placed(order_id=accepted.order_id, status_url=f"/orders/{accepted.order_id}")
    decided = await _verdict(deps, accepted.order_id) if wait else None
    if decided is None:
        return placed
    response.status_code = 200
    return placed.model_copy(
        update={
            "status": decided.status,
            "verdict": decided.grade or ("hold" if decided.problems else str(decided.status)),
            "holds": decided.holds,
            "problems": decided.problems,
        }
    )


def _channel_of(caller: Caller, asked: str) -> str:
    channel = asked or (caller.channels[0] if caller.channels else DIRECT)
    if not caller.sees(channel):
        raise Problem(403, "forbidden", "This key is bound to other channels.")
    return channel


async def _verdict(deps: Deps, order_id: str) -> OrderProgress | None:
    """Wait until validation and grading are decided; None when that takes too long."""
    until = asyncio.get_running_loop().time() + deps.limits.verdict_seconds
    while asyncio.get_running_loop().time() < until:
        stored = await run_in_threadpool(deps.store.get, order_id)
        progress = stored.progress if stored else None
        if progress and (progress.grade or progress.status is not OrderStatus.RECEIVED):
            return progress
        await asyncio.sleep(POLL_SECONDS)
    return None


@router.get("", operation_id="list_orders", summary="List orders")
async def list_orders(
    caller: Reader,
    desk: AtDesk,
    status: Annotated[OrderStatus | None, Query()] = None,
    hold: Annotated[str, Query(max_length=40)] = "",
    channel: Annotated[str, Query(max_length=40)] = "",
    sku: Annotated[str, Query(max_length=100)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Page:
    """List orders, newest first; ``q`` matches id, number, e-mail and name."""
    where = OrderFilter(
        status=status or "", hold=hold, channel=channel, channels=caller.channels, sku=sku, q=q
    )
    return await desk.stored(desk.deps.store.list, where, cursor, limit)


@router.get("/{order_id}", operation_id="get_order", summary="One order, whole")
async def get_order(order_id: str, caller: Reader, desk: AtDesk) -> OrderDocument:
    """Return what was ordered, where each unit and the money is, and every parcel's scans."""
    stored = await desk.order(order_id)
    scans = await scans_of(desk.deps, stored)
    return order_document(stored, scans, _links(desk, stored))


@router.get("/{order_id}/timeline", operation_id="get_timeline", summary="An order's history")
async def get_timeline(order_id: str, _: Reader, desk: AtDesk) -> Timeline:
    """Return who did what, when and why; nothing personal."""
    await desk.order(order_id)
    events = await desk.stored(desk.deps.store.timeline, order_id)
    return Timeline(order_id=order_id, events=tuple(events))


async def scans_of(deps: Deps, stored: StoredOrder) -> dict[str, list[Scan]]:
    """Return the scans of all parcels of an order, by tracking number."""
    numbers = [one.tracking_number for one in progress_of(stored).shipments if one.tracking_number]
    return {number: list(await run_in_threadpool(deps.store.scans, number)) for number in numbers}


def _links(desk: Desk, stored: StoredOrder) -> dict[str, str]:
    path = f"/orders/{stored.order.order_id}"
    links = {"self": path, "timeline": f"{path}/timeline"}
    if desk.caller.may(Scope.ORDERS_WRITE):
        links |= {"cancel": f"{path}/cancel", "customer_page": page_link(desk.deps, stored)}
    return links
