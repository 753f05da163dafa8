"""What storefronts send: orders and cancels, signed.

Nothing is parsed before the signature over the raw body holds, and nothing is answered with 2xx
before it is stored. What we do not understand is kept in the inbox; what we refuse is 4xx.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.commands import command
from api.deps import Channel, Deps, World
from api.intake import CANCELLED_AT_SOURCE, PARKED_FOR, delivery_of, take_in
from api.problems import Problem, not_found, refusals
from contracts.commands import Cancel, CancelAnswer, CancelOutcome, Done, Paid
from domain.errors import DomainError, InvalidOrder
from domain.frozen import Wire
from domain.order import FOLLOWED, Order, Payment, PaymentForm
from domain.progress import OrderStatus
from ports.storefronts import EventKind, StorefrontEvent, Unauthentic
from ports.stores import NOT_TAKEN, Delivery, Intake

router = APIRouter(tags=["webhooks"], responses=refusals(401, 404, 409, 413, 415, 422, 503))

STOREFRONT = "storefront"
MADE = {PaymentForm.AUTHORISED: 1, PaymentForm.CAPTURED: 2}
"""How far a payment has come at the storefront; every other form is no payment yet."""
NOTHING_KEPT = (OrderStatus.CANCELLED, OrderStatus.REJECTED)
COUNTED = {
    "ignored": "ignored",
    "parked": "parked",
    "invalid_order": "invalid",
    "order_conflict": "conflict",
    "bad_signature": "unauthentic",
}
"""How receipts and refusals are counted; every other receipt is ``new``."""


class Receipt(Wire):
    """A delivery was taken. ``order_id`` is empty when it was about no order."""

    order_id: str = ""
    status: str = "received"


@router.post(
    "/webhooks/{channel}",
    status_code=202,
    operation_id="receive_storefront_event",
    summary="A storefront's event",
    responses={200: {"model": Receipt, "description": "Seen before; nothing was done."}},
)
async def receive(
    channel: Annotated[str, Path(max_length=40)],
    request: Request,
    response: Response,
    deps: World,
) -> Receipt:
    """Verify, keep and act on one event. A repeat answers 200 with the same body."""
    source = deps.channels.get(channel)
    if source is None or not source.secrets:
        raise not_found("channel")
    outcome = "unavailable"
    try:
        receipt = await _take(deps, source, channel, request, response)
        repeat = response.status_code == 200
        outcome = "repeat" if repeat else COUNTED.get(receipt.status, "new")
        return receipt
    except (Problem, InvalidOrder) as refused:
        outcome = COUNTED.get(refused.code, "unavailable")
        raise
    finally:
        deps.counts.webhook(channel, outcome)


async def _take(
    deps: Deps, source: Channel, channel: str, request: Request, response: Response
) -> Receipt:
    event, delivery = await _read(deps, source, channel, request)
    if event.kind is EventKind.ORDER and event.order:
        return await _order(deps, event, delivery, response)
    if event.kind is EventKind.CANCEL:
        return await _cancel(deps, event, delivery)
    await run_in_threadpool(deps.store.record, delivery)
    return Receipt(status="ignored")


async def _read(
    deps: Deps, source: Channel, channel: str, request: Request
) -> tuple[StorefrontEvent, Delivery]:
    headers, body, now = dict(request.headers), await request.body(), deps.now()
    try:
        source.storefront.verify(headers, body, source.secrets, now)
    except Unauthentic as error:
        raise unauthentic(error) from None
    try:
        event = source.storefront.read(headers, body, channel, now)
    except InvalidOrder:
        refused = delivery_of(channel, "", "", body, now, outcome="invalid_order")
        await run_in_threadpool(deps.store.record, refused)
        raise
    ignored = f"{NOT_TAKEN} {event.reason[:200]}"
    outcome = ignored if event.kind is EventKind.IGNORED else event.kind.value
    return event, delivery_of(
        channel, event.delivery_id, event.topic, body, now, event.external_id, outcome
    )


async def _order(
    deps: Deps, event: StorefrontEvent, delivery: Delivery, response: Response
) -> Receipt:
    order = event.order
    assert order is not None
    reason = (event.reason or CANCELLED_AT_SOURCE) if event.cancelled else None
    if event.follows_create:
        order = order.model_copy(
            update={"attributes": {**order.attributes, FOLLOWED: delivery.topic}}
        )
    accepted = await take_in(deps, delivery, order, reason)
    if accepted.intake is Intake.CONFLICT:
        raise Problem(
            409, "order_conflict", "This order was accepted before with other content; it stands."
        )
    if accepted.intake is Intake.NEW:
        return Receipt(order_id=accepted.order_id)
    if not await _pay_known(deps, order, delivery):
        response.status_code = 200
    if reason is None:
        return Receipt(order_id=accepted.order_id)
    response.status_code = 202
    return await _cancel_known(deps, accepted.order_id, reason, delivery)


async def _pay_known(deps: Deps, order: Order, delivery: Delivery) -> bool:
    """Tell a known order that its payment has come further than when it was taken in.

    Storefronts do not keep their events in order: "created" may come after "paid", and both
    describe one order in different words. The payment that has come furthest counts. Returns
    whether there was anything to tell.
    """
    known = await run_in_threadpool(deps.store.get, order.order_id)
    paid = order.payment
    if known is None or MADE.get(paid.form, 0) <= MADE.get(known.order.payment.form, 0):
        return False
    asked = Paid(
        actor=STOREFRONT,
        reason=delivery.topic,
        form=paid.form,
        provider=paid.provider,
        reference=paid.reference,
        amount=paid.amount,
    )
    try:
        await command(deps, order.order_id, "paid", asked, Done, f"{_key(delivery)}:paid")
    except (DomainError, Problem) as refused:
        if isinstance(refused, Problem) and refused.status_code >= 500:
            raise
        await _tell_of_money(deps, known.order, paid, refused, delivery.received_at)
    return True


async def _tell_of_money(
    deps: Deps, known: Order, paid: Payment, refused: DomainError | Problem, at: datetime
) -> None:
    """Tell the operators of money that came in and that the order did not take over."""
    if paid.provider and paid.reference == known.payment.reference:
        return  # the order knew of it from the beginning
    if refused.code == "already_paid":
        text = f"The storefront was paid ({paid.form}) although the order has a payment already."
        await run_in_threadpool(deps.store.alert, "paid_twice", known.order_id, text, at)
    elif _ended_as(refused) in NOTHING_KEPT:
        text = f"The storefront was paid ({paid.form}) for an order that is cancelled."
        await run_in_threadpool(deps.store.alert, "paid_after_cancel", known.order_id, text, at)


def _ended_as(refused: DomainError | Problem) -> str:
    """Return the status of an order that took a command no more; empty when that is not why."""
    return str(refused.more.get("order_status", "")) if isinstance(refused, Problem) else ""


def _key(delivery: Delivery) -> str:
    """Return the id of the update that a delivery asks for; one that asks two adds which."""
    return f"{delivery.channel}:{delivery.delivery_id}"


async def _cancel(deps: Deps, event: StorefrontEvent, delivery: Delivery) -> Receipt:
    reason = event.reason or CANCELLED_AT_SOURCE
    until = delivery.received_at + PARKED_FOR
    order_id = await run_in_threadpool(deps.store.park_cancel, delivery, reason, until)
    if order_id is None:
        return Receipt(status="parked")
    return await _cancel_known(deps, order_id, reason, delivery)


async def _cancel_known(deps: Deps, order_id: str, reason: str, delivery: Delivery) -> Receipt:
    """Cancel; the delivery's id is the update's, so a repeat asks the same again. What could not
    be cancelled, and an order that is completed, is for a person.

    When nobody can answer the storefront gets 503 and delivers again: an update that no worker
    took is not stored anywhere (TEMPORAL.md T7).
    """
    asked = Cancel(actor=STOREFRONT, reason=reason)
    try:
        answer = await command(deps, order_id, "cancel", asked, CancelAnswer, _key(delivery))
        status, done = str(answer.outcome), answer.outcome is CancelOutcome.CANCELLED
    except (DomainError, Problem) as refused:
        if isinstance(refused, Problem) and refused.status_code >= 500:
            raise
        status, done = refused.code, _ended_as(refused) in NOTHING_KEPT
    if not done:
        text = f"The storefront cancelled it ({reason[:200]}); the answer was {status}."
        await run_in_threadpool(
            deps.store.alert, "storefront_cancel", order_id, text, delivery.received_at
        )
    return Receipt(order_id=order_id, status=status)


def unauthentic(error: Unauthentic) -> Problem:
    """Return the refusal of a forged, stale or unsigned webhook."""
    return Problem(401, "bad_signature", str(error) or "The signature does not hold.")
