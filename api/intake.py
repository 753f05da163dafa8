"""Taking an order in: the database first, then its process (TEMPORAL.md T8, T13)."""

from datetime import datetime, timedelta
from hashlib import sha256

from starlette.concurrency import run_in_threadpool

from api.deps import Deps
from contracts.orders import OrderRef
from domain.order import Order
from ports.stores import Accepted, Delivery, Intake

PARKED_FOR = timedelta(days=7)
CANCELLED_AT_SOURCE = "cancelled in the storefront"


def hash_of(body: bytes) -> str:
    """Return the hash by which a body is recognised."""
    return sha256(body).hexdigest()


def delivery_of(
    channel: str,
    delivery_id: str,
    topic: str,
    body: bytes,
    now: datetime,
    external_id: str = "",
    outcome: str = "",
) -> Delivery:
    """Return the inbox row of a delivery; one without an id of its own is named by its content."""
    digest = hash_of(body)
    return Delivery(
        channel=channel,
        delivery_id=delivery_id or f"sha256:{digest}",
        topic=topic,
        external_id=external_id,
        body_hash=digest,
        received_at=now,
        outcome=outcome,
    )


async def take_in(
    deps: Deps, delivery: Delivery, order: Order, cancel_reason: str | None = None
) -> Accepted:
    """Accept an order once and begin to start its process.

    Args:
        cancel_reason: the storefront has cancelled the order already; a cancel that was parked
            before says the same.
    """
    accepted = await run_in_threadpool(deps.store.accept, delivery, order, cancel_reason)
    if accepted.intake is Intake.NEW:
        deps.counts.order_accepted(order.channel)
        ref = OrderRef(order_id=accepted.order_id, cancel_reason=accepted.parked_cancel)
        deps.starts.begin(deps, ref, order)
    return accepted
