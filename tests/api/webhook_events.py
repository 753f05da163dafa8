"""Sequences of events that platforms send about one order, in the order in which they happen."""

import base64
import hashlib
import hmac
import json
from typing import Any

from api_world import NOON, SECRET, new_order, signature
from api_world import event as generic_body
from webhook_world import Event

from domain.order import PaymentForm

REFERENCE = "pi_3Nwrittenbyhand02"


def generic(*steps: tuple[str, dict[str, Any]]) -> list[Event]:
    """Return deliveries in our own format."""
    events = []
    for n, (kind, data) in enumerate(steps):
        body = generic_body(kind, data)
        events.append(Event(kind, signature(body, f"d-{n}"), body))
    return events


def shopify(*steps: tuple[str, dict[str, Any]]) -> list[Event]:
    """Return Shopify's deliveries: topic, and what the order's body says then."""
    events = []
    for n, (topic, changes) in enumerate(steps):
        body = json.dumps(SHOPIFY_ORDER | changes).encode()
        headers = {
            "x-shopify-topic": topic,
            "x-shopify-webhook-id": f"d-{n}",
            "x-shopify-hmac-sha256": _signed(body),
        }
        events.append(Event(f"{topic} {sorted(changes)}", headers, body))
    return events


def woocommerce(*steps: tuple[str, dict[str, Any]]) -> list[Event]:
    """Return WooCommerce's deliveries: topic, and what the order's body says then."""
    events = []
    for n, (topic, changes) in enumerate(steps):
        body = json.dumps(WOO_ORDER | changes).encode()
        headers = {
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-delivery-id": f"d-{n}",
            "x-wc-webhook-signature": _signed(body),
        }
        events.append(Event(f"{topic} {changes.get('status', '')}", headers, body))
    return events


def _signed(body: bytes) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()


SHOPIFY_ORDER = {
    "id": 7001,
    "admin_graphql_api_id": "gid://shopify/Order/7001",
    "name": "#7001",
    "created_at": NOON.isoformat(),
    "currency": "EUR",
    "email": "ines@example.com",
    "subtotal_price": "20.00",
    "total_price": "20.00",
    "total_outstanding": "20.00",
    "line_items": [{"id": 1, "sku": "MUG", "name": "Mug", "quantity": 1, "price": "20.00"}],
    "shipping_lines": [],
    "financial_status": "pending",
    "payment_gateway_names": ["stripe"],
}
OURS = {"note_attributes": [{"name": "stripe_payment_intent", "value": REFERENCE}]}
PAID = {"financial_status": "paid", "total_outstanding": "0.00"}
GONE = {"cancelled_at": NOON.isoformat(), "cancel_reason": "customer"}
WOO_ORDER = {
    "id": 5120,
    "number": "W-5120",
    "currency": "EUR",
    "prices_include_tax": True,
    "date_created_gmt": "2026-03-01T11:50:00",
    "total": "20.00",
    "billing": {"email": "jo@example.com"},
    "shipping": {"address_1": "1 Quay St", "city": "Galway", "country": "IE"},
    "line_items": [{"id": 1, "quantity": 1, "subtotal": "20.00", "total": "20.00", "sku": "MUG"}],
    "payment_method": "stripe",
}
HELD = {"meta_data": [{"key": "_stripe_intent_id", "value": REFERENCE},
                      {"key": "_stripe_charge_captured", "value": "no"}]}  # fmt: skip
TAKEN = {
    "meta_data": [{"key": "_stripe_intent_id", "value": REFERENCE}],
    "date_paid_gmt": "2026-03-01T12:05:00",
}
CANCEL = {"external_id": "1001", "reason": "changed my mind"}

SEQUENCES: dict[str, tuple[str, list[Event]]] = {
    "created, cancelled, and what asks nothing": (
        "generic",
        generic(
            ("order.created", new_order()),
            ("order.paid", {"external_id": "1001"}),
            ("order.updated", {"external_id": "1001"}),
            ("order.cancelled", CANCEL),
            ("order.refunded", {"external_id": "1001"}),
        ),
    ),
    "unpaid, paid, updated": (
        "shopify",
        shopify(
            ("orders/create", {}),
            ("orders/paid", PAID | OURS),
            ("orders/updated", PAID | OURS | {"note": "called"}),
            ("orders/edited", {}),
        ),
    ),
    "unpaid, paid, cancelled": (
        "shopify",
        shopify(
            ("orders/create", {}),
            ("orders/paid", PAID | OURS),
            ("orders/updated", PAID | OURS),
            ("orders/cancelled", PAID | OURS | GONE),
            ("orders/updated", PAID | OURS | GONE),
        ),
    ),
    "authorised, captured by the merchant": (
        "shopify",
        shopify(
            ("orders/create", {"financial_status": "authorized"} | OURS),
            ("orders/paid", PAID | OURS),
            ("orders/fulfilled", PAID | OURS),
        ),
    ),
    "authorised and captured where we cannot call, cancelled": (
        "shopify",
        shopify(
            ("orders/create", {"financial_status": "authorized"}),
            ("orders/paid", PAID),
            ("orders/cancelled", PAID | GONE),
            ("refunds/create", {}),
        ),
    ),
    "cash on delivery, paid at the door": (
        "shopify",
        shopify(
            ("orders/create", {"payment_gateway_names": ["Cash on Delivery (COD)"]}),
            ("orders/paid", PAID | {"payment_gateway_names": ["Cash on Delivery (COD)"]}),
            ("orders/updated", PAID),
        ),
    ),
    "paid only when it was cancelled": (
        "shopify",
        shopify(
            ("orders/create", {}),
            ("orders/paid", PAID | OURS | GONE),
            ("orders/cancelled", PAID | OURS | GONE),
        ),
    ),
    "a checkout that is authorised, then captured, then completed": (
        "woocommerce",
        woocommerce(
            ("order.created", {"status": "pending"}),
            ("order.updated", {"status": "on-hold"} | HELD),
            ("order.updated", {"status": "processing"} | TAKEN),
            ("order.updated", {"status": "completed"} | TAKEN),
        ),
    ),
    "a checkout that is paid, then refunded and binned": (
        "woocommerce",
        woocommerce(
            ("order.created", {"status": "pending"}),
            ("order.updated", {"status": "processing"} | TAKEN),
            ("order.updated", {"status": "processing", "customer_note": "ring"} | TAKEN),
            ("order.updated", {"status": "refunded"} | TAKEN),
            ("order.deleted", {"status": "trash"} | TAKEN),
        ),
    ),
    "an order whose card is authorised later": (
        "woocommerce",
        woocommerce(
            ("order.created", {"status": "on-hold"}),
            ("order.updated", {"status": "on-hold"} | HELD),
        ),
    ),
    "a bank transfer, cancelled": (
        "woocommerce",
        woocommerce(
            ("order.created", {"status": "on-hold", "payment_method": "bacs"}),
            ("order.updated", {"status": "processing", "payment_method": "bacs"}
             | {"date_paid_gmt": "2026-03-01T12:05:00"}),
            ("order.updated", {"status": "cancelled", "payment_method": "bacs"}),
        ),
    ),
}  # fmt: skip

KEPT = (PaymentForm.CAPTURED, "stripe", REFERENCE, 2000)
ENDS: dict[str, tuple[bool, object]] = {
    "created, cancelled, and what asks nothing": (True, "none"),
    "unpaid, paid, updated": (False, KEPT),
    "unpaid, paid, cancelled": (True, "given back"),
    "authorised, captured by the merchant": (False, KEPT),
    "authorised and captured where we cannot call, cancelled": (True, "given back"),
    "cash on delivery, paid at the door": (False, (PaymentForm.CAPTURED, "", "", 2000)),
    "paid only when it was cancelled": (True, "given back"),
    "a checkout that is authorised, then captured, then completed": (False, KEPT),
    "a checkout that is paid, then refunded and binned": (True, "given back"),
    "an order whose card is authorised later": (
        False,
        (PaymentForm.AUTHORISED, "stripe", REFERENCE, 2000),
    ),
    "a bank transfer, cancelled": (True, "given back"),
}
EXPECTED = {
    name: {"alerts": [], "starts": 1, "orders": 1, "cancelled": cancelled, "money": money}
    for name, (cancelled, money) in ENDS.items()
}
"""Whether the order is cancelled in the end, and where its money is."""
