"""Taking an order in: the database first, then its process (TEMPORAL.md T8, T13).

Once the database has the order it cannot be lost: when Temporal is away the caller is still told
"accepted", and the sweeper starts the process later.
"""

import logging
from datetime import datetime, timedelta
from hashlib import sha256

from starlette.concurrency import run_in_threadpool

from api.deps import Deps
from contracts.orders import OrderRef
from domain.errors import ProviderUnavailable
from domain.order import Order
from ports.stores import Accepted, Delivery, Intake

log = logging.getLogger(__name__)

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
    """Accept an order once and start its process.

    Args:
        cancel_reason: the storefront has cancelled the order already; a cancel that was parked
            before says the same.
    """
    accepted = await run_in_threadpool(deps.store.accept, delivery, order, cancel_reason)
    if accepted.intake is Intake.NEW:
        deps.counts.order_accepted(order.channel)
        ref = OrderRef(order_id=accepted.order_id, cancel_reason=accepted.parked_cancel)
        await start(deps, ref, order)
    return accepted


async def start(deps: Deps, ref: OrderRef, order: Order) -> bool:
    """Start an order's process and note it; False when that must be tried again later."""
    try:
        await deps.orders.start(ref, order)
        await run_in_threadpool(deps.store.mark_started, ref.order_id)
    except ProviderUnavailable as error:
        log.warning("order %s not started yet: %s", ref.order_id, error)
        return False
    return True
