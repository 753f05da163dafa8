"""The three kinds of storefront and a body of each, for the tests here."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from adapters.storefronts.generic import GenericStorefront
from adapters.storefronts.shopify import ShopifyStorefront
from adapters.storefronts.woocommerce import WooCommerceStorefront
from domain.errors import InvalidOrder
from domain.order import Order
from ports.storefronts import Storefront, StorefrontEvent

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOPIFY = ShopifyStorefront()
WOOCOMMERCE = WooCommerceStorefront()
GENERIC = GenericStorefront()
STOREFRONTS: dict[str, Storefront] = {s.name: s for s in (SHOPIFY, WOOCOMMERCE, GENERIC)}

TOPICS = {
    "shopify": (
        "x-shopify-topic",
        ("", "orders/create", "orders/create", "orders/paid", "orders/cancelled", "orders/updated"),
    ),
    "woocommerce": (
        "x-wc-webhook-topic",
        ("", "order.created", "order.created", "order.updated", "order.deleted"),
    ),
}


def body_of(platform: str) -> dict[str, Any]:
    """Return a fresh copy of the platform's order body."""
    path = Path(__file__).parent / "fixtures" / f"{platform}_order.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def sent(platform: str, random: Random) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a body that the platform may send, and the header that says what it is about."""
    body = body_of(platform)
    if platform == "generic":
        kind = random.choice(("", "order.created", "order.created", "order.cancelled", "other"))
        if kind == "order.cancelled":
            body = {"external_id": body["external_id"], "reason": "changed my mind"}
        if kind:
            body = {"type": kind, "timestamp": "2026-03-01T11:00:05Z", "data": body}
        return body, {}
    header, topics = TOPICS[platform]
    return body, {header: random.choice(topics)}


def read(storefront: Storefront, body: Any, **headers: str) -> StorefrontEvent:
    """Read a body as JSON text; headers are written with underscores."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return storefront.read({k.replace("_", "-"): v for k, v in headers.items()}, raw, "shop", NOW)


def order_in(storefront: Storefront, body: Any, **headers: str) -> Order:
    order = read(storefront, body, **headers).order
    assert order is not None
    return order


def faults(refused: Callable[[], object]) -> list[str]:
    """Return the fields that a call refuses, in order."""
    try:
        refused()
    except InvalidOrder as error:
        return [field for field, _ in error.problems]
    raise AssertionError("was not refused")
