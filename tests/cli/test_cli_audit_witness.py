"""The audit finds every way in which the world and our books can differ, and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.audit_books import Books, Json, outside_of
from cli.audit_witness import compare, row_of, strangers
from domain.order import Customer, Order, OrderLine, Payment, PaymentForm, Totals
from domain.progress import (
    LineProgress,
    LineUnits,
    MoneyProgress,
    OrderProgress,
    OrderStatus,
    ShipmentProgress,
    ShipmentStatus,
)
from domain.units import Units
from ports.stores import StoredOrder

AT = datetime(2026, 5, 4, tzinfo=UTC)
ID, INTENT, NUMBER = "shop-1", "pi_1", "TP1"


def books(status: OrderStatus = OrderStatus.COMPLETED, captured: int = 1000) -> Books:
    """One order of 10.00: shipped, delivered and completed, or called off."""
    gone = status is OrderStatus.COMPLETED
    order = Order(
        order_id=ID,
        channel="shop",
        external_id="1",
        number="N-1",
        placed_at=AT,
        currency="USD",
        customer=Customer(email="ann@example.com"),
        lines=(OrderLine(line_id="1", sku="MUG", quantity=1, unit_price=1000),),
        totals=Totals(subtotal=1000, total=1000),
        payment=Payment(form=PaymentForm.METHOD, provider="stripe", method="pm_x", amount=1000),
    )
    line = LineProgress(
        line_id="1",
        sku="MUG",
        units=Units(delivered=1) if gone else Units(cancelled=1),
        total=1000,
        collect=1000,
        captured=1 if gone else 0,
    )
    shipment = ShipmentProgress(
        shipment_id="shop-1-s1",
        location="EAST",
        lines=(LineUnits(line_id="1", quantity=1),),
        status=ShipmentStatus.DELIVERED if gone else ShipmentStatus.CANCELLED,
        tracking_number=NUMBER,
        label_id="shp_1",
        value=captured,
        delivered_at=AT if gone else None,
    )
    progress = OrderProgress(
        order_id=ID,
        status=status,
        lines=(line,),
        shipments=(shipment,),
        money=MoneyProgress(currency="USD", captured=captured),
    )
    effects = (
        [_effect("authorise", 1), _effect("capture", 2)] if gone else [_effect("authorise", 1)]
    )
    return Books(
        stored=StoredOrder(order=order, ship_to=None, policy_version=0, progress=progress),
        effects=tuple(row for rows in effects for row in rows),
        messages=({"template": "shipped", "no": 1, "outcome": "sent"},),
    )


def _effect(kind: str, n: int) -> list[Json]:
    return [
        {"key": f"{ID}:{kind}:{n}", "kind": kind, "phase": phase} for phase in ("intent", "done")
    ]


def payment(kind: str, amount: int, n: int | None = None, **more: Any) -> Json:
    key = f"{ID}:{kind}:{n}" if n else None
    row = {"kind": kind, "amount": amount, "order_id": ID, "intent": INTENT, "currency": "usd"}
    return {**row, "idempotency_key": key, **more}


def parcel(**more: Any) -> Json:
    row = {"tracking_number": NUMBER, "reference": f"{ID}:label:3", "is_return": False}
    times = {"handed_over_at": 1.0, "delivered_at": 2.0, "refund_status": None}
    return {**row, **times, **more}


MAIL = {"order_id": "", "subject": "Order N-1 is on its way", "body": "…"} | {
    "recipients": ["ann@example.com"]
}
AUTHORISED, CAPTURED = payment("authorise", 1000, 1), payment("capture", 1000, 2)


def world(*payments: Json, parcels: tuple[Json, ...] = (), mails: int = 1) -> Json:
    return {"payments": [*payments], "parcels": [*parcels], "messages": [MAIL] * mails}


def promises(ours: Books, seen: Json) -> set[str]:
    return {found.promise for found in compare(ours, outside_of(ours, seen))}


def test_an_order_that_went_well_breaks_no_promise() -> None:
    seen = world(AUTHORISED, CAPTURED, parcels=(parcel(),))
    assert promises(books(), seen) == set()
    row = row_of(books(), outside_of(books(), seen), [])
    assert (row["captured"], row["held"], row["parcels"], row["mails"]) == (1000, 0, 1, 1)


def test_an_order_cancelled_for_nothing_breaks_no_promise() -> None:
    ours = books(OrderStatus.CANCELLED, captured=0)
    voided = parcel(handed_over_at=None, delivered_at=None, refund_status="submitted")
    assert promises(ours, world(AUTHORISED, payment("void", 1000), parcels=(voided,))) == set()


COMPLETED = [
    ("M1", lambda: world(AUTHORISED, payment("capture", 1200, 2), parcels=(parcel(),))),
    ("M1", lambda: world(AUTHORISED, payment("expire", 1000), CAPTURED, parcels=(parcel(),))),
    ("M2", lambda: world(AUTHORISED, CAPTURED, payment("refund", 1001, 4), parcels=(parcel(),))),
    ("M3", lambda: world(AUTHORISED, AUTHORISED, CAPTURED, parcels=(parcel(),))),
    ("A1", lambda: world(AUTHORISED, CAPTURED, payment("refund", 10, 9), parcels=(parcel(),))),
    ("A1", lambda: world(AUTHORISED, parcels=(parcel(),))),
    ("L6", lambda: world(AUTHORISED, payment("capture", 900, 2), parcels=(parcel(),))),
    ("M5", lambda: world(payment("authorise", 1500, 1), CAPTURED, parcels=(parcel(),))),
    ("H2", lambda: world(AUTHORISED, CAPTURED, parcels=(parcel(), parcel(tracking_number="TP2")))),
    ("N2", lambda: world(AUTHORISED, CAPTURED, parcels=(parcel(delivered_at=None),))),
    ("N1", lambda: world(AUTHORISED, CAPTURED, parcels=(parcel(),), mails=2)),
    ("N1", lambda: world(AUTHORISED, CAPTURED, parcels=(parcel(),), mails=0)),
]


@pytest.mark.parametrize(("promise", "seen"), COMPLETED)
def test_what_breaks_a_promise_of_a_completed_order_is_found(
    promise: str, seen: Callable[[], Json]
) -> None:
    assert promise in promises(books(), seen())


CANCELLED = [
    ("M5", lambda: world(AUTHORISED)),
    ("M5", lambda: world(AUTHORISED, CAPTURED)),
    ("H1", lambda: world(AUTHORISED, payment("void", 1000), parcels=(parcel(),))),
    (
        "H1",
        lambda: world(
            AUTHORISED,
            payment("void", 1000),
            parcels=(parcel(handed_over_at=None, delivered_at=None),),
        ),
    ),
]


@pytest.mark.parametrize(("promise", "seen"), CANCELLED)
def test_what_breaks_the_cancel_promise_is_found(promise: str, seen: Callable[[], Json]) -> None:
    assert promise in promises(books(OrderStatus.CANCELLED, captured=0), seen())


def test_a_payment_made_before_we_adopted_it_is_known_by_its_intent() -> None:
    rows = (payment("authorise", 1000, order_id=""), CAPTURED)
    ours = books()
    assert outside_of(ours, world(*rows)).held == 0
    assert "A1" not in promises(ours, world(*rows, parcels=(parcel(),)))


def test_orders_whose_ids_begin_alike_are_not_mixed_up() -> None:
    other = parcel(tracking_number="TP9", reference="shop-11:label:3")
    assert len(outside_of(books(), world(parcels=(parcel(), other))).parcels) == 1


def test_payments_of_an_order_that_we_do_not_have_are_told() -> None:
    seen = world(AUTHORISED, payment("capture", 5, order_id="shop-404"))
    assert [one.order_id for one in strangers([books()], seen)] == ["shop-404"]
