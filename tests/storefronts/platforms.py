"""The three kinds of storefront and a body of each, for the tests here."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
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


def body_of(platform: str) -> dict[str, Any]:
    """Return a fresh copy of the platform's order body."""
    path = Path(__file__).parent / "fixtures" / f"{platform}_order.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


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
