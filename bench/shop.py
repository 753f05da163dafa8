"""The shop of the benchmark, and its simple order: one line, in stock, one parcel."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from adapters.security.api_keys import Scope, create
from adapters.storefronts.generic_order import read_generic
from adapters.temporal.keys import KeyRing
from domain.order import Address, Order
from domain.policy import GraceRule, Policy, ReturnPolicy
from domain.stock import Location, MovementReason, Product
from ports.stores import Delivery
from store.database import SqlStore

PROVIDER = "stripe"
CHANNEL = "shop"
PEPPER = "bench-pepper-bench-pepper-bench-pepper"
WEBHOOK_SECRET = "whsec_" + b64encode(b"bench-webhook-secret-32-bytes-ok").decode()
ENCRYPTION = "b1:" + b64encode(b"bench-key-bench-key-bench-key-32").decode()
KEYS = KeyRing.parse(ENCRYPTION)
SKUS = ("MUG", "TEE-RED-M", "CAP-7741", "POSTER-A2", "BOOK-97831")
GRACE, RETURN_WINDOW = 5, 3
"""Seconds. Long enough that under load each order still waits both of them out."""


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


def open_shop(store: SqlStore, lines: int = 1) -> str:
    """Fill an empty database with a location, products and plenty of stock; return an API key."""
    address = Address(
        company="Depot", line1="1 Dock St", city="Austin", region="TX", postal_code="78701",
        country="US",
    )  # fmt: skip
    store.save_location(Location(code="EAST", name="East", address=address, priority=0))
    for sku in (sku_of(n) for n in range(lines)):
        store.save_product(Product(sku=sku, title="Mug", grams=300))
        store.receive(
            sku, "EAST", 1_000_000, reason=MovementReason.RECEIPT, key=f"in-{sku}", actor="bench"
        )
    made = create("bench", [Scope.ORDERS_WRITE, Scope.ORDERS_READ], pepper=PEPPER)
    store.add_key(made.key, made.key_hash)
    return made.secret


def sku_of(n: int) -> str:
    """Return what the n-th line is of."""
    return SKUS[n % len(SKUS)]


def hurry(store: SqlStore) -> None:
    """Make grace and return window short, so that orders come to their end."""
    policy = Policy(grace=(GraceRule(seconds=GRACE),), returns=ReturnPolicy(window=RETURN_WINDOW))
    store.save_policy(policy, "bench", now())


def body(external_id: str, lines: int = 1) -> dict[str, Any]:
    """Return a simple order as ``POST /orders`` and the generic webhook take it."""
    return {
        "external_id": external_id,
        "number": f"#{external_id}",
        "placed_at": now().isoformat(),
        "currency": "USD",
        "customer": {"email": f"{external_id}@example.com", "name": "Ada Example"},
        "ship_to": {
            "name": "Ada Example", "line1": "500 Main St", "city": "Dallas", "region": "TX",
            "postal_code": "75201", "country": "US",
        },
        "lines": [
            {
                "line_id": str(n + 1), "sku": sku_of(n), "title": "Mug", "quantity": 2 + n,
                "unit_price": 1000 + 137 * n,
            }
            for n in range(lines)
        ],
        "shipping": {"code": "standard", "title": "Standard", "price": 500},
        "total": sum((2 + n) * (1000 + 137 * n) for n in range(lines)) + 500,
        "payment": {"form": "method", "provider": PROVIDER, "method": "pm_card_visa"},
    }  # fmt: skip


def take_in(store: SqlStore, external_id: str, lines: int = 1) -> Order:
    """Accept a simple order as the API does, without its process."""
    order = read_generic(body(external_id, lines), CHANNEL)
    delivery = Delivery(
        channel=CHANNEL,
        delivery_id=external_id,
        topic="order.created",
        external_id=external_id,
        body_hash=external_id,
        received_at=now(),
    )
    store.accept(delivery, order)
    return order
