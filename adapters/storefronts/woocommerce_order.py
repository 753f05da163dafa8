"""A WooCommerce order (REST API v2 and v3) as ours.

Line and shipping amounts are without tax, whatever ``prices_include_tax`` says: that flag tells
how the shop typed its prices. Text comes HTML-escaped. ``refunds[]`` names sums and no units, so
earlier part refunds are kept as an attribute and the payment provider's own record counts.
"""

import html
import re
from datetime import UTC

from adapters.storefronts.assembly import assemble, attributes_of, country_code, delivery_date_of
from adapters.storefronts.reading import Reading
from adapters.storefronts.woocommerce_lines import LinesRead, read_lines
from adapters.storefronts.woocommerce_payment import read_payment
from domain.order import (
    Address,
    Customer,
    DiscountCode,
    Order,
    ShippingChoice,
    Totals,
    differences_of,
    order_id_of,
)


def read_order(body: Reading, channel: str) -> Order:
    """Return the order of a REST body.

    Fees, also negative ones, are ``totals.other`` with their tax; gift cards, which have lowered
    ``total`` already, are ``payment.other_tender``.

    Raises:
        InvalidOrder: names every field at fault, all at once.
    """
    currency = body.currency("currency")
    body.need("status", "total", "line_items", "date_created_gmt")
    external_id = read_order_id(body)
    shipping = _shipping(body, currency)
    unshipped = body.fields.get("needs_processing") is False and not body.parts("shipping_lines")
    read = read_lines(body, currency, requires_shipping=not unshipped)
    fees, fee_tax = _fees(body, currency)
    gifts = sum(card.amount("amount", currency) for card in body.parts("gift_cards"))
    totals = _totals(body, currency, read, fees + fee_tax)
    lines = tuple(read.lines)
    public = {k: v for k, v in body.texts("meta_data", "key").items() if not k.startswith("_")}
    fields: dict[str, object] = {
        "order_id": order_id_of(channel, external_id),
        "channel": channel,
        "external_id": external_id,
        "number": body.text("number", 100),
        "placed_at": body.moment("date_created_gmt", assumed=UTC),
        "currency": currency,
        "customer": _customer(body),
        "ship_to": _address(body.part("shipping")),
        "bill_to": _address(body.part("billing")),
        "lines": lines,
        "shipping": shipping,
        "discounts": tuple(
            DiscountCode(code=coupon.text("code"), amount=coupon.amount("discount", currency))
            for coupon in body.parts("coupon_lines")
        ),
        "totals": totals,
        "differences": differences_of(
            lines, shipping, totals, other_tax=fee_tax + read.left_tax, tender=gifts
        ),
        "payment": read_payment(body, totals.total, gifts),
        "deliver_on": delivery_date_of(body.texts("meta_data", "key")),
        "note": readable(body, "customer_note", 5000),
        "test": body.texts("meta_data", "key").get("_wcpay_mode") == "test",
        "attributes": attributes_of(_attributes(body) | public),
    }
    return assemble(body.problems, fields)


def read_order_id(body: Reading) -> str:
    """Return the order's id, which is not the number customers see."""
    number = body.text("id")
    if not re.fullmatch(r"[1-9][0-9]{0,19}", number):
        body.wrong("id", "is not an order id" if number else "is missing")
    return number


def readable(reading: Reading, name: str, longest: int) -> str:
    """Return text that WordPress stores HTML-escaped, as it was typed."""
    return html.unescape(reading.clipped(name, longest * 2))[:longest]


def _shipping(body: Reading, currency: str) -> ShippingChoice:
    lines = body.parts("shipping_lines")
    codes = [
        ":".join(filter(None, (line.text("method_id"), line.text("instance_id")))) for line in lines
    ]
    titles = [readable(line, "method_title", 200) for line in lines]
    return ShippingChoice(
        code=" + ".join(filter(None, codes))[:200],
        title=" + ".join(filter(None, titles))[:200],
        price=sum(line.amount("total", currency) for line in lines),
        tax=sum(line.amount("total_tax", currency) for line in lines),
    )


def _fees(body: Reading, currency: str) -> tuple[int, int]:
    fees = body.parts("fee_lines")
    return (
        sum(fee.amount("total", currency) for fee in fees),
        sum(fee.amount("total_tax", currency) for fee in fees),
    )


def _totals(body: Reading, currency: str, read: LinesRead, fees: int) -> Totals:
    return Totals(
        subtotal=read.subtotal,
        discount=body.amount("discount_total", currency),
        shipping=body.amount("shipping_total", currency),
        tax=body.amount("total_tax", currency),
        other=fees + read.left_over,
        total=body.amount("total", currency),
    )


def _customer(body: Reading) -> Customer:
    billing = body.part("billing")
    number = body.text("customer_id", 100)
    return Customer(
        customer_id="" if number == "0" else number,
        email=billing.text("email", 320),
        phone=billing.text("phone", 60),
        name=_full_name(billing),
    )


def _address(given: Reading) -> Address | None:
    """Return an address as typed; WooCommerce writes empty fields where there is none."""
    postal = ("address_1", "address_2", "city", "state", "postcode", "country")
    if not any(name in given for name in postal):
        return None
    return Address(
        name=_full_name(given),
        company=readable(given, "company", 200),
        line1=readable(given, "address_1", 300),
        line2=readable(given, "address_2", 300),
        city=readable(given, "city", 200),
        region=readable(given, "state", 100),
        postal_code=given.text("postcode", 30),
        country=country_code(given.text("country")),
        phone=given.text("phone", 60),
    )


def _full_name(given: Reading) -> str:
    names = (readable(given, "first_name", 200), readable(given, "last_name", 200))
    return " ".join(filter(None, names))[:200]


def _attributes(body: Reading) -> dict[str, str]:
    meta = body.texts("meta_data", "key")
    given = {name: body.clipped(name, 200) for name in ("status", "created_via")}
    given["payment_method_title"] = readable(body, "payment_method_title", 200)
    for name in ("_subscription_renewal", "_subscription_switch", "_subscription_resubscribe"):
        given[name.removeprefix("_")] = meta.get(name, "")
    refunds = ", ".join(refund.text("total") for refund in body.parts("refunds"))
    given["refunded_at_storefront"] = refunds[:500]
    return given
