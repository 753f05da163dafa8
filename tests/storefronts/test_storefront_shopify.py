"""What a Shopify body becomes."""

from datetime import UTC, date, datetime

import pytest

from domain.order import PaymentForm
from ports.storefronts import EventKind
from tests.storefronts.platforms import SHOPIFY, body_of, faults, order_in, read


def test_the_exact_text_id_wins_over_the_rounded_number():
    order = order_in(SHOPIFY, body_of("shopify"))
    assert order.order_id == "shop-7211234567890123456"
    assert order.placed_at == datetime(2026, 3, 2, 3, 15, tzinfo=UTC)
    assert (order.customer.tier, order.deliver_on) == ("vip", date(2026, 3, 20))
    assert order.ship_to is not None
    assert (order.ship_to.country, order.ship_to.region) == ("PT", "13")
    assert order.bill_to is None


def test_every_line_and_cent_is_kept_and_the_unallocated_discount_is_spread():
    order = order_in(SHOPIFY, body_of("shopify"))
    kept = [(line.sku, line.quantity, line.unit_price, line.discount) for line in order.lines]
    assert kept == [("MUG-BLUE", 3, 2000, 892), ("", 1, 3000, 396), ("GIFT-5", 1, 500, 12)]
    assert sum(line.discount for line in order.lines) + order.shipping.discount == 1400
    assert order.totals.other == 200
    assert order.differences == ()


def test_refunded_and_removed_units_are_kept_but_never_shipped():
    order = order_in(SHOPIFY, body_of("shopify"))
    assert [line.already_cancelled for line in order.lines] == [1, 0, 1]


def test_goods_handed_over_in_the_shop_are_not_sent_again():
    body = body_of("shopify")
    body["fulfillments"] = [{"status": "success", "line_items": [{"id": 12, "quantity": 1}]}]
    assert [line.requires_shipping for line in order_in(SHOPIFY, body).lines] == [
        True,
        False,
        False,
    ]


def test_several_shipping_lines_are_one_choice():
    shipping = order_in(SHOPIFY, body_of("shopify")).shipping
    assert (shipping.code, shipping.title) == ("STD + FRAGILE", "Standard + Fragile")
    assert (shipping.price, shipping.discount, shipping.tax) == (500, 100, 99)


def test_properties_are_a_list_or_an_object():
    lines = order_in(SHOPIFY, body_of("shopify")).lines
    assert lines[0].attributes["Engraving"] == "Ana"
    assert lines[1].attributes["Paper"] == "matt"


def test_presentment_money_is_never_mixed_in():
    body = body_of("shopify")
    del body["line_items"][1]["price"]
    body["line_items"][1]["price_set"] = {"shop_money": {"amount": "32.70", "currency_code": "USD"}}
    fault = "line_items[1].price_set.shop_money.currency_code"
    assert faults(lambda: read(SHOPIFY, body)) == [fault]


@pytest.mark.parametrize(
    ("changes", "form", "provider", "amount"),
    [
        ({}, PaymentForm.CAPTURED, "stripe", 8800),
        ({"financial_status": "authorized"}, PaymentForm.AUTHORISED, "stripe", 8800),
        (
            {"financial_status": "partially_paid", "total_outstanding": "80.00"},
            PaymentForm.CAPTURED,
            "stripe",
            800,
        ),
        (
            {"financial_status": "paid", "note_attributes": []},
            PaymentForm.CAPTURED,
            "",
            8800,
        ),
        (
            {
                "financial_status": "paid",
                "note_attributes": [],
                "transactions": [
                    {
                        "gateway": "shopify_payments",
                        "status": "success",
                        "kind": "sale",
                        "receipt": {"id": "pi_3Notours000000"},
                    }
                ],
            },
            PaymentForm.CAPTURED,
            "",
            8800,
        ),
        (
            {
                "financial_status": "pending",
                "payment_gateway_names": ["Cash on Delivery (COD)"],
                "note_attributes": [],
            },
            PaymentForm.COD,
            "",
            8800,
        ),
        (
            {
                "financial_status": "pending",
                "payment_gateway_names": ["Bank Deposit"],
                "note_attributes": [],
            },
            PaymentForm.ELSEWHERE,
            "",
            8800,
        ),
        (
            {
                "financial_status": "pending",
                "payment_gateway_names": ["klarna"],
                "note_attributes": [],
            },
            PaymentForm.METHOD,
            "",
            8800,
        ),
    ],
)
def test_how_it_is_paid(changes, form, provider, amount):
    payment = order_in(SHOPIFY, body_of("shopify") | changes).payment
    assert (payment.form, payment.provider, payment.amount) == (form, provider, amount)


def test_gift_cards_are_other_tender():
    body = body_of("shopify") | {
        "transactions": [
            {
                "gateway": "gift_card",
                "kind": "sale",
                "status": "success",
                "amount": "30.00",
                "currency": "EUR",
            }
        ]
    }
    payment = order_in(SHOPIFY, body).payment
    assert (payment.amount, payment.other_tender) == (5800, 3000)


CANCELLED = {"cancelled_at": "2026-03-02T00:00:00Z"}


@pytest.mark.parametrize(
    ("topic", "changes", "kind", "cancelled", "follows"),
    [
        ("orders/create", {}, EventKind.ORDER, False, False),
        ("orders/paid", {}, EventKind.ORDER, False, True),
        ("orders/create", CANCELLED, EventKind.ORDER, True, False),
        (
            "orders/updated",
            {"cancelled_at": "2026-03-02T00:00:00Z"},
            EventKind.CANCEL,
            False,
            False,
        ),
        ("orders/cancelled", {"cancel_reason": "customer"}, EventKind.CANCEL, False, False),
        ("orders/updated", {}, EventKind.IGNORED, False, False),
        ("refunds/create", {}, EventKind.IGNORED, False, False),
        ("made/up", {}, EventKind.IGNORED, False, False),
    ],
)
def test_what_each_topic_asks(topic, changes, kind, cancelled, follows):
    event = read(
        SHOPIFY, body_of("shopify") | changes, x_shopify_topic=topic, x_shopify_webhook_id="d-1"
    )
    assert (event.kind, event.cancelled, event.follows_create) == (kind, cancelled, follows)
    assert event.delivery_id == "d-1"
    assert bool(event.reason) == (kind is EventKind.IGNORED or "cancel_reason" in changes)
    if kind is not EventKind.IGNORED:
        assert event.external_id == "7211234567890123456"


def test_every_field_at_fault_is_named_at_once():
    body = body_of("shopify")
    body["currency"] = "EURO"
    body["line_items"][0]["quantity"] = -1
    body["line_items"][1]["price"] = "12.3.4"
    body["created_at"] = "yesterday"
    del body["total_price"]
    body["currency"] = "EUR"
    assert sorted(faults(lambda: read(SHOPIFY, body))) == [
        "created_at",
        "line_items[0].quantity",
        "line_items[1].price",
        "total_price",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"refund": {"id": 1, "order_id": 2, "refund_line_items": []}},
        {"orders": [body_of("shopify")]},
        [body_of("shopify")],
        {},
        body_of("shopify") | {"admin_graphql_api_id": "gid://shopify/DraftOrder/7"},
        body_of("shopify") | {"line_items": []},
        body_of("shopify") | {"line_items": body_of("shopify")["line_items"] * 2},
    ],
)
def test_what_is_no_order_is_refused_by_name(body):
    assert faults(lambda: read(SHOPIFY, body))


@pytest.mark.parametrize(
    ("said", "risk"),
    [
        ({}, ""),
        ({"risk_level": "MEDIUM"}, "medium"),
        ({"risk_level": "none"}, ""),
        ({"risks": [{"recommendation": "accept"}, {"recommendation": "cancel"}]}, "high"),
        ({"order_risks": [{"recommendation": "investigate", "score": "0.5"}]}, "medium"),
        ({"risk_level": "low", "risks": [{"risk_level": "high"}]}, "high"),
        ({"recommendation": "cancel"}, ""),
    ],
)
def test_the_worst_that_shopify_says_of_the_risk_counts(said, risk):
    assert order_in(SHOPIFY, body_of("shopify") | said).risk == risk
