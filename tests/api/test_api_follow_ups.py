"""What a storefront tells later of an order that is known: paid now, in whatever order it comes."""

import base64
import hashlib
import hmac
import json
from itertools import permutations
from typing import Any

import httpx
import pytest
from api_world import NOON, SECRET, World

from contracts.commands import Done, Paid
from domain.order import PaymentForm

REFERENCE = "pi_3Nwrittenbyhand02"


def body(paid: bool) -> dict[str, Any]:
    """Return a Shopify order as it is sent when it is created, and when it has been paid."""
    paid_by = [{"name": "stripe_payment_intent", "value": REFERENCE}] if paid else []
    return {
        "id": 7001,
        "admin_graphql_api_id": "gid://shopify/Order/7001",
        "name": "#7001",
        "created_at": NOON.isoformat(),
        "currency": "EUR",
        "financial_status": "paid" if paid else "pending",
        "payment_gateway_names": ["stripe"],
        "note_attributes": paid_by,
        "email": "ines@example.com",
        "subtotal_price": "20.00",
        "total_price": "20.00",
        "total_outstanding": "0.00" if paid else "20.00",
        "line_items": [{"id": 1, "sku": "MUG", "name": "Mug", "quantity": 1, "price": "20.00"}],
        "shipping_lines": [],
    }


async def send(
    client: httpx.AsyncClient, topic: str, order: dict[str, Any], delivery: str
) -> httpx.Response:
    raw = json.dumps(order).encode()
    digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()
    headers = {
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": delivery,
        "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
    }
    return await client.post("/webhooks/shopify", content=raw, headers=headers)


@pytest.mark.parametrize("topics", [*permutations(["orders/create", "orders/paid"])])
async def test_created_and_paid_make_one_paid_order_in_either_order(
    client: httpx.AsyncClient, world: World, topics: tuple[str, str]
) -> None:
    world.orders.answers["paid"] = Done(status="processing")
    for topic in (*topics, *topics):
        answer = await send(client, topic, body(topic == "orders/paid"), topic)
        assert answer.status_code in (200, 202), answer.text
        assert answer.json()["order_id"] == "shopify-7001"

    stored = world.store.get("shopify-7001")
    assert stored is not None
    assert world.orders.starts == 1
    told = [asked for _, name, asked, _ in world.orders.asked if name == "paid"]
    if topics[0] == "orders/paid":
        assert (stored.order.payment.form, told) == (PaymentForm.CAPTURED, [])
    else:
        assert {(t.form, t.reference, t.amount) for t in told if isinstance(t, Paid)} == {
            (PaymentForm.CAPTURED, REFERENCE, 2000)
        }
    assert not world.store.alerts()
