"""WooCommerce webhooks: proof of origin, and what each topic and status asks of us.

Source: WooCommerce REST API v3 (webhooks; ``X-WC-Webhook-Signature`` is the base64 HMAC-SHA256 of
the raw body). The unsigned ping that saving a webhook sends (``webhook_id=1``) is no event.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adapters.storefronts.body import parse_body
from adapters.storefronts.cards import refuse_cards
from adapters.storefronts.reading import Problems, Reading
from adapters.storefronts.signatures import verify_body_signature
from adapters.storefronts.woocommerce_order import read_order, read_order_id
from domain.errors import InvalidOrder
from ports.storefronts import EventKind, StorefrontEvent

_CANCELLED = {"cancelled", "refunded", "trash"}
_NOT_TAKEN = {
    "checkout-draft": "a cart at the checkout, not yet an order",
    "auto-draft": "a draft, not yet an order",
    "draft": "a draft, not yet an order",
    "pending": "awaiting payment at the storefront; its update brings it when it is paid",
    "failed": "its payment failed at the storefront; its update brings it when it is paid",
}


class WooCommerceStorefront:
    """Reads WooCommerce's webhooks.

    What an event asks depends on the order's status. ``pending`` and ``failed`` are checkouts whose
    payment has not come (a customer sent to a bank's page, most never return): taking them would
    reserve stock for nobody. They are taken from the ``order.updated`` that says ``processing`` or
    ``on-hold`` (bank transfer, or authorised and not captured), so an update brings an order as
    well. ``cancelled``, ``refunded`` and ``trash`` cancel, or arrive as an order cancelled already;
    an update to ``completed`` only tells that the storefront regards it as sent. ``order.deleted``
    cancels: whoever bins an order does not want it sent. A body without a topic is read as an
    order, whatever its status.
    """

    name = "woocommerce"

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> None:
        """Check the signature over the raw body; WooCommerce signs no time."""
        verify_body_signature(headers.get("x-wc-webhook-signature"), body, secrets)

    def read(
        self, headers: Mapping[str, str], body: bytes, channel: str, now: datetime
    ) -> StorefrontEvent:
        """Turn a delivery into what it asks of us.

        Raises:
            InvalidOrder: no readable order; names every field at fault.
        """
        value = parse_body(body)
        refuse_cards(value)
        topic = headers.get("x-wc-webhook-topic", "").strip().lower()[:100]
        delivery_id = headers.get("x-wc-webhook-delivery-id", "")[:200]
        event = StorefrontEvent(kind=EventKind.IGNORED, topic=topic, delivery_id=delivery_id)
        if topic == "":
            return _with_order(event, _order_of(value), channel)
        if topic in ("order.created", "order.updated"):
            return _by_status(event, _order_of(value), channel)
        if topic == "order.deleted":
            return _cancel(event, _order_of(value), "deleted")
        return event.model_copy(update={"reason": "a topic that asks nothing of an order"})


def _by_status(event: StorefrontEvent, body: Reading, channel: str) -> StorefrontEvent:
    status = _status(body)
    updated = event.topic == "order.updated"
    if updated and status in _CANCELLED:
        return _cancel(event, body, status)
    reason = _NOT_TAKEN.get(status, "")
    if updated and status == "completed":
        reason = "completed at the storefront"
    if reason:
        external_id = read_order_id(body)
        body.problems.raise_any()
        return event.model_copy(update={"external_id": external_id, "reason": reason})
    return _with_order(event, body, channel)


def _with_order(event: StorefrontEvent, body: Reading, channel: str) -> StorefrontEvent:
    order = read_order(body, channel)
    status = _status(body)
    return event.model_copy(
        update={
            "kind": EventKind.ORDER,
            "external_id": order.external_id,
            "order": order,
            "cancelled": status in _CANCELLED,
            "follows_create": event.topic == "order.updated",
            "reason": status if status in _CANCELLED else "",
            "occurred_at": body.moment("date_modified_gmt", assumed=UTC),
        }
    )


def _cancel(event: StorefrontEvent, body: Reading, reason: str) -> StorefrontEvent:
    external_id = read_order_id(body)
    body.problems.raise_any()
    return event.model_copy(
        update={
            "kind": EventKind.CANCEL,
            "external_id": external_id,
            "reason": reason,
            "occurred_at": body.moment("date_modified_gmt", assumed=UTC),
        }
    )


def _status(body: Reading) -> str:
    return body.clipped("status", 100).lower().removeprefix("wc-")


def _order_of(value: object) -> Reading:
    """Return the order of a body, bare or as ``{"data": …}``."""
    problems = Problems()
    if isinstance(value, dict):
        data = value.get("data")
        if isinstance(data, dict) and "line_items" not in value:
            return Reading(data, "data", problems)
        if not isinstance(data, list):
            return Reading(value, "", problems)
        raise InvalidOrder([("data", "is a list; send each order by itself")])
    raise InvalidOrder([("body", "is not an object with one order")])
