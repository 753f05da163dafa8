"""Shopify webhooks: proof of origin, and what each topic asks of us.

Source: Shopify's webhook documentation (HMAC-SHA256 of the raw body with the app's secret, base64,
``X-Shopify-Hmac-Sha256``; ``X-Shopify-Webhook-Id`` is the key of a delivery).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adapters.storefronts.body import parse_body
from adapters.storefronts.cards import refuse_cards
from adapters.storefronts.reading import Problems, Reading
from adapters.storefronts.shopify_order import read_order, read_order_id
from adapters.storefronts.signatures import verify_body_signature
from domain.errors import InvalidOrder
from ports.storefronts import EventKind, StorefrontEvent

_TAKES_ORDER = {"": False, "orders/create": False, "orders/paid": True}
"""Topics that bring an order, and whether an earlier event has normally brought it already."""

_IGNORED = {
    "orders/updated": "an update that does not cancel the order",
    "orders/edited": "lines edited at the storefront after the order was placed",
    "orders/delete": "only cancelled or archived orders can be deleted there",
}


class ShopifyStorefront:
    """Reads Shopify's webhooks.

    ``orders/create`` and ``orders/paid`` bring an order (``paid`` may overtake ``create``); one
    that is cancelled already comes as an order with ``cancelled``. ``orders/cancelled``, and an
    ``orders/updated`` that carries ``cancelled_at``, cancel. Everything else is ignored: refunds,
    fulfilments and edits made at the storefront are its own record of what it or we did. A body
    without a topic is read as an order.
    """

    name = "shopify"

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> None:
        """Check the signature over the raw body; Shopify signs no time."""
        verify_body_signature(headers.get("x-shopify-hmac-sha256"), body, secrets)

    def read(
        self, headers: Mapping[str, str], body: bytes, channel: str, now: datetime
    ) -> StorefrontEvent:
        """Turn a delivery into what it asks of us.

        Raises:
            InvalidOrder: no readable order; names every field at fault.
        """
        value = parse_body(body)
        refuse_cards(value)
        topic = headers.get("x-shopify-topic", "").strip().lower()[:100]
        event = StorefrontEvent(
            kind=EventKind.IGNORED,
            topic=topic,
            delivery_id=_delivery_id(headers),
            occurred_at=_triggered_at(headers),
        )
        if topic in _TAKES_ORDER:
            return _with_order(event, _order_of(value), channel, headers)
        if topic == "orders/cancelled" or (topic == "orders/updated" and _says_cancelled(value)):
            return _cancel(event, _order_of(value))
        reason = _IGNORED.get(topic, "a topic that asks nothing of an order")
        return event.model_copy(update={"reason": reason})


def _with_order(
    event: StorefrontEvent, body: Reading, channel: str, headers: Mapping[str, str]
) -> StorefrontEvent:
    order = read_order(body, channel, test=headers.get("x-shopify-test") == "true")
    return event.model_copy(
        update={
            "kind": EventKind.ORDER,
            "external_id": order.external_id,
            "order": order,
            "cancelled": "cancelled_at" in body,
            "follows_create": _TAKES_ORDER[event.topic],
            "reason": body.clipped("cancel_reason", 200) if "cancelled_at" in body else "",
        }
    )


def _cancel(event: StorefrontEvent, body: Reading) -> StorefrontEvent:
    external_id = read_order_id(body)
    reason = body.clipped("cancel_reason", 200)
    body.problems.raise_any()
    return event.model_copy(
        update={"kind": EventKind.CANCEL, "external_id": external_id, "reason": reason}
    )


def _order_of(value: object) -> Reading:
    """Return the order of a body, bare or as ``{"order": …}``."""
    if not isinstance(value, dict):
        raise InvalidOrder([("body", "is not an object with one order")])
    if isinstance(value.get("orders"), list):
        raise InvalidOrder([("orders", "is a list of orders; send each order by itself")])
    problems = Problems()
    wrapped = value.get("order")
    if isinstance(wrapped, dict) and "line_items" not in value:
        return Reading(wrapped, "order", problems)
    return Reading(value, "", problems)


def _says_cancelled(value: object) -> bool:
    return isinstance(value, dict) and "cancelled_at" in _order_of(value)


def _delivery_id(headers: Mapping[str, str]) -> str:
    return (headers.get("x-shopify-webhook-id") or headers.get("x-shopify-event-id") or "")[:200]


def _triggered_at(headers: Mapping[str, str]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(headers.get("x-shopify-triggered-at", ""))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
