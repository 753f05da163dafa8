"""What a rule may say about an order: a flat set of typed facts.

Absent text is the empty string, an absent number 0, so that a rule needs no test for presence.
"""

from collections.abc import Mapping
from datetime import UTC
from types import MappingProxyType
from typing import Any

from domain.order import Order

ORDER_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "total": "int",
        "currency": "string",
        "channel": "string",
        "country": "string",
        "postal_code": "string",
        "region": "string",
        "city": "string",
        "billing_country": "string",
        "customer_id": "string",
        "tier": "string",
        "email": "string",
        "email_domain": "string",
        "first_order": "bool",
        "quantity": "int",
        "line_count": "int",
        "grams": "int",
        "discount": "int",
        "skus": "list<string>",
        "bundles": "list<string>",
        "tags": "list<string>",
        "discount_codes": "list<string>",
        "shipping_code": "string",
        "shipping_price": "int",
        "requires_shipping": "bool",
        "payment_form": "string",
        "payment_provider": "string",
        "risk": "string",
        "test": "bool",
        "note": "string",
        "placed_hour": "int",
        "placed_weekday": "int",
    }
)
"""Name to CEL type. ``total``, ``discount`` and ``shipping_price`` are minor units of
``currency``; ``quantity`` counts units, ``line_count`` lines; ``grams`` is the whole order's;
``placed_hour`` is 0-23 UTC and ``placed_weekday`` 1 (Monday) to 7. ``first_order`` is true when the
storefront says so in the order's attribute ``first_order``."""


def order_facts(order: Order) -> dict[str, Any]:
    """Return the facts of an order, exactly those of ``ORDER_FACTS``."""
    ship, bill = order.ship_to, order.bill_to
    placed = order.placed_at.astimezone(UTC)
    email = order.customer.email.strip().lower()
    return {
        "total": order.totals.total,
        "currency": order.currency,
        "channel": order.channel,
        "country": ship.country.upper() if ship else "",
        "postal_code": ship.postal_code if ship else "",
        "region": ship.region if ship else "",
        "city": ship.city if ship else "",
        "billing_country": bill.country.upper() if bill else "",
        "customer_id": order.customer.customer_id,
        "tier": order.customer.tier,
        "email": email,
        "email_domain": email.rpartition("@")[2] if "@" in email else "",
        "first_order": order.attributes.get("first_order", "").lower() in ("true", "1", "yes"),
        "quantity": sum(line.quantity for line in order.lines),
        "line_count": len(order.lines),
        "grams": sum(line.grams * line.quantity for line in order.lines),
        "discount": sum(line.discount for line in order.lines) + order.shipping.discount,
        "skus": sorted({line.sku for line in order.lines if line.sku}),
        "bundles": sorted({line.bundle for line in order.lines if line.bundle}),
        "tags": list(order.tags),
        "discount_codes": [discount.code for discount in order.discounts],
        "shipping_code": order.shipping.code,
        "shipping_price": order.shipping.price,
        "requires_shipping": any(line.requires_shipping for line in order.lines),
        "payment_form": str(order.payment.form),
        "payment_provider": order.payment.provider,
        "risk": order.risk,
        "test": order.test,
        "note": order.note,
        "placed_hour": placed.hour,
        "placed_weekday": placed.isoweekday(),
    }
