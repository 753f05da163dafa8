"""What a WooCommerce body becomes."""

from datetime import UTC, datetime

import pytest

from domain.order import PaymentForm
from ports.storefronts import EventKind
from tests.storefronts.platforms import WOOCOMMERCE, body_of, faults, order_in, read


def test_gmt_dates_are_utc_and_text_is_unescaped():
    order = order_in(WOOCOMMERCE, {"data": body_of("woocommerce")})
    assert order.placed_at == datetime(2026, 3, 1, 22, 10, tzinfo=UTC)
    assert order.note == "Ring twice & wait"
    assert order.ship_to is not None
    assert order.ship_to.name == "Jo O’Neill"  # noqa: RUF001
    assert order.bill_to is None
    assert order.customer.customer_id == ""


def test_lines_fees_gift_cards_and_tax_add_up_to_the_total():
    order = order_in(WOOCOMMERCE, body_of("woocommerce"))
    assert order.differences == ()
    assert (order.totals.total, order.totals.other) == (5318, 368)
    assert (order.payment.amount, order.payment.other_tender) == (5318, 900)


def test_the_cent_that_no_unit_price_can_carry_stays_on_its_line():
    tea = order_in(WOOCOMMERCE, body_of("woocommerce")).lines[3]
    assert (tea.unit_price, tea.quantity, tea.discount, tea.net) == (334, 3, 2, 1230)


def test_the_parts_of_a_bundle_ship_and_the_bundle_does_not():
    lines = order_in(WOOCOMMERCE, body_of("woocommerce")).lines
    shipped = [(line.sku, line.bundle, line.requires_shipping) for line in lines[:3]]
    assert shipped == [("TEA-SET", "", False), ("CUP", "1", True), ("POT", "1", True)]


def test_a_bundle_that_contains_itself_is_still_an_order():
    body = body_of("woocommerce")
    body["line_items"][0]["bundled_by"] = 2
    body["line_items"][1]["bundled_by"] = 1
    assert len(order_in(WOOCOMMERCE, body).lines) == 5


def test_goods_sold_by_length_are_one_unit_that_keeps_its_worth():
    ribbon = order_in(WOOCOMMERCE, body_of("woocommerce")).lines[4]
    assert (ribbon.quantity, ribbon.unit_price) == (1, 300)
    assert ribbon.attributes["quantity_as_sold"] == "1.5"


def test_a_line_of_no_units_stays_for_validation_and_its_money_is_not_lost():
    body = body_of("woocommerce")
    body["line_items"][3]["quantity"] = 0
    order = order_in(WOOCOMMERCE, body)
    assert (order.lines[3].quantity, order.lines[3].net) == (0, 0)
    assert order.totals.other == 368 + 1230
    assert order.differences == ()


@pytest.mark.parametrize(
    ("changes", "form", "provider", "reference"),
    [
        ({}, PaymentForm.AUTHORISED, "stripe", "pi_3Nwrittenbyhand02"),
        ({"meta_data": []}, PaymentForm.CAPTURED, "", "ch_3Nwrittenbyhand02"),
        (
            {
                "meta_data": [],
                "payment_method": "woocommerce_payments",
                "transaction_id": "pi_1234",
            },
            PaymentForm.CAPTURED,
            "",
            "pi_1234",
        ),
        (
            {"meta_data": [], "payment_method": "cod", "date_paid_gmt": None},
            PaymentForm.COD,
            "",
            "",
        ),
        (
            {"meta_data": [], "payment_method": "bacs", "date_paid_gmt": None},
            PaymentForm.ELSEWHERE,
            "",
            "",
        ),
        (
            {
                "status": "pending",
                "date_paid_gmt": None,
                "meta_data": [{"key": "_stripe_source_id", "value": "pm_1"}],
            },
            PaymentForm.METHOD,
            "stripe",
            "",
        ),
    ],
)
def test_how_it_is_paid(changes, form, provider, reference):
    payment = order_in(WOOCOMMERCE, body_of("woocommerce") | changes).payment
    assert (payment.form, payment.provider, payment.reference) == (form, provider, reference)


@pytest.mark.parametrize(
    ("topic", "status", "kind", "cancelled"),
    [
        ("order.created", "processing", EventKind.ORDER, False),
        ("order.created", "on-hold", EventKind.ORDER, False),
        ("order.created", "pending", EventKind.IGNORED, False),
        ("order.created", "checkout-draft", EventKind.IGNORED, False),
        ("order.created", "cancelled", EventKind.ORDER, True),
        ("order.updated", "processing", EventKind.ORDER, False),
        ("order.updated", "completed", EventKind.IGNORED, False),
        ("order.updated", "failed", EventKind.IGNORED, False),
        ("order.updated", "refunded", EventKind.CANCEL, False),
        ("order.updated", "wc-cancelled", EventKind.CANCEL, False),
        ("order.deleted", "processing", EventKind.CANCEL, False),
        ("coupon.created", "processing", EventKind.IGNORED, False),
        ("", "pending", EventKind.ORDER, False),
    ],
)
def test_what_each_status_asks(topic, status, kind, cancelled):
    body = body_of("woocommerce") | {"status": status}
    event = read(WOOCOMMERCE, body, x_wc_webhook_topic=topic, x_wc_webhook_delivery_id="d-2")
    assert (event.kind, event.cancelled, event.delivery_id) == (kind, cancelled, "d-2")
    assert event.follows_create == (topic == "order.updated" and kind is EventKind.ORDER)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": [body_of("woocommerce")]}, "data"),
        (
            {
                "id": 7,
                "amount": "9.00",
                "line_items": [{"id": 1, "quantity": -1, "total": "-9.00"}],
            },
            "line_items[0].quantity",
        ),
        ({"id": 3, "note": "status changed", "customer_note": False}, "line_items"),
        (body_of("woocommerce") | {"id": "x"}, "id"),
        (body_of("woocommerce") | {"total": "12,50"}, "total"),
        (body_of("woocommerce") | {"total": "12.505"}, "total"),
    ],
)
def test_what_is_no_order_is_refused_by_name(body, field):
    assert field in faults(lambda: read(WOOCOMMERCE, body))
