"""What a shop sells, from where, and by which rules."""

import random
from datetime import datetime, timedelta

from domain.order import Address, Component
from domain.policy import (
    CaptureMoment,
    Clocks,
    GraceRule,
    Grading,
    GradingRule,
    LostParcel,
    PaymentPolicy,
    Policy,
    ReturnPolicy,
    RoutingPolicy,
    Validation,
    Verdict,
)
from domain.stock import Location, Product
from tests.workflows.orders import SHOP

HOUR, DAY = 3600, 86400
PLACES = ("east", "west", "south")
PLAIN = ("MUG", "TEE", "CAP", "PEN")
GIFT_CARD = "GIFT"


def products(start: datetime, rng: random.Random) -> list[Product]:
    """Return the products: plain ones, a kit, a preorder, one never backordered."""
    launch = (start + timedelta(days=rng.randint(1, 9))).date()
    return [
        *(Product(sku=sku, title=sku.title(), grams=300) for sku in PLAIN[:3]),
        Product(sku="PEN", title="Pen", grams=20, backorder=False),
        Product(sku="NEW", title="New", grams=300, launch_on=launch),
        Product(
            sku="KIT",
            title="Kit",
            components=(Component(sku="MUG", quantity=1), Component(sku="CAP", quantity=2)),
        ),
        Product(sku="RUG", title="Rug", grams=5000, returnable=False),
    ]


def places(rng: random.Random) -> list[Location]:
    """Return two or three locations."""
    count = rng.choice((2, 2, 3))
    return [
        Location(code=code, address=SHOP, priority=no) for no, code in enumerate(PLACES[:count])
    ]


def shelves(locations: list[Location], rng: random.Random) -> list[tuple[str, str, int]]:
    """Return (SKU, location, units): enough, scarce, or nothing at all."""
    found = []
    for sku in (*PLAIN, "NEW", "RUG"):
        for place in locations:
            units = rng.choice((0, 1, 2, 3, 5, 9, 14))
            if units:
                found.append((sku, place.code, units))
    return found


def policy(rng: random.Random) -> Policy:
    """Return a merchant's rules, a little different in each shop."""
    patience = rng.choice((1200, 1200, 3600, 3600, 20 * HOUR))
    return Policy(
        validation=Validation(duplicate_window=0, hold_deadline=rng.choice((6 * HOUR, 3 * DAY))),
        grading=Grading(
            rules=(
                GradingRule(name="high", when="risk == 'high'", score=90),
                GradingRule(name="medium", when="risk == 'medium'", score=50),
            ),
            vendor=rng.choice(("", "", "vendor")),
            review_sla=rng.choice((2 * HOUR, DAY)),
            review_expiry=rng.choice(tuple(Verdict)),
        ),
        grace=(GraceRule(seconds=rng.choice((0, 600, 1800, 1800, 7200))),),
        payment=PaymentPolicy(
            capture=CaptureMoment.ORDER if rng.random() < 0.1 else CaptureMoment.SHIPMENT,
            reverse_after=rng.choice((DAY, 5 * DAY)),
            action_deadline=rng.choice((6 * HOUR, 3 * DAY)),
        ),
        routing=RoutingPolicy(
            max_splits=rng.choice((0, 1, 3, 3)),
            backorder=rng.random() < 0.85,
            backorder_deadline=rng.choice((2 * DAY, 10 * DAY, 30 * DAY)),
            reservation_ttl=rng.choice((DAY, DAY, 30 * DAY)),
        ),
        clocks=Clocks(provider_patience=patience, look_again=min(patience, HOUR)),
        returns=ReturnPolicy(
            window=rng.choice((3 * DAY, 14 * DAY)),
            ship_back=rng.choice((3 * DAY, 10 * DAY)),
            automatic=rng.random() < 0.7,
            label=rng.random() < 0.8,
            refund_shipping=rng.random() < 0.3,
            lost_parcel=rng.choice((LostParcel.REFUND, LostParcel.RESHIP)),
        ),
    )


ELSEWHERE = Address(
    name="Bo Mover",
    line1="9 Side Rd",
    city="Austin",
    region="TX",
    postal_code="78702",
    country="US",
)
NOWHERE = Address(name="Bo Mover", line1="9 Side Rd", city="", postal_code="1", country="US")
