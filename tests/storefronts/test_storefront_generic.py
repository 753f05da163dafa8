"""What our own format becomes."""

import pytest

from domain.order import PaymentForm
from ports.storefronts import EventKind
from tests.storefronts.platforms import GENERIC, body_of, faults, order_in, read

STAMP = "2026-03-01T11:00:05Z"


def envelope(kind: str, data: object) -> dict[str, object]:
    return {"type": kind, "timestamp": STAMP, "data": data}


def test_an_order_adds_up_and_its_discount_is_spread():
    order = order_in(GENERIC, envelope("order.created", body_of("generic")))
    assert order.differences == ()
    assert order.order_id == "shop-A-1001"
    assert sum(line.discount for line in order.lines) == 1005
    assert order.lines[2].components[1].quantity == 4
    assert order.ship_to is not None
    assert order.ship_to.country == "KW"
    assert (order.payment.form, order.payment.amount) == (PaymentForm.AUTHORISED, 68047)


def test_a_bare_body_is_an_order_and_other_types_are_ignored():
    assert read(GENERIC, body_of("generic")).kind is EventKind.ORDER
    ignored = read(GENERIC, envelope("invoice.paid", {}))
    assert (ignored.kind, bool(ignored.reason)) == (EventKind.IGNORED, True)


def test_a_cancel_names_the_order():
    event = read(
        GENERIC,
        envelope("order.cancelled", {"external_id": "A-1001", "reason": "changed my mind"}),
        webhook_id="msg_1",
    )
    assert (event.kind, event.external_id) == (EventKind.CANCEL, "A-1001")
    assert (event.delivery_id, event.reason) == ("msg_1", "changed my mind")


def test_every_field_at_fault_is_named_at_once_without_its_value():
    body = body_of("generic")
    body["lines"][0] |= {"quantity": 0, "unit_price": 19.99, "colour": "red"}
    body["lines"][1] |= {"discount": 5}
    body["currency"] = "XXX"
    body["placed_at"] = 1772362800
    body["ship_to"]["country"] = "Kuwait"
    body["payment"] = {"form": "method"}
    found = faults(lambda: read(GENERIC, envelope("order.created", body)))
    assert sorted(found) == [
        "data.currency",
        "data.lines[0].colour",
        "data.lines[0].quantity",
        "data.lines[0].unit_price",
        "data.lines[1].discount",
        "data.payment.method",
        "data.payment.provider",
        "data.placed_at",
        "data.ship_to.country",
    ]


@pytest.mark.parametrize(
    ("line", "changes", "field"),
    [
        (1, {"line_id": "1"}, "lines[1].line_id"),
        (1, {"bundle": "9"}, "lines[1].bundle"),
        (1, {"bundle": "2"}, "lines[1].bundle"),
        (0, {"already_cancelled": 4}, "lines[0].already_cancelled"),
    ],
)
def test_lines_that_do_not_fit_together_are_refused(line, changes, field):
    body = body_of("generic")
    body["lines"][line] |= changes
    assert faults(lambda: read(GENERIC, body)) == [field]


def test_a_discount_above_all_lines_is_refused():
    body = body_of("generic") | {"order_discount": 999_999}
    assert faults(lambda: read(GENERIC, body)) == ["order_discount"]


def test_the_senders_own_estimate_of_risk_is_kept():
    assert order_in(GENERIC, body_of("generic") | {"risk": "high"}).risk == "high"
    assert order_in(GENERIC, body_of("generic")).risk == ""
    assert faults(lambda: read(GENERIC, body_of("generic") | {"risk": "huge"})) == ["risk"]
