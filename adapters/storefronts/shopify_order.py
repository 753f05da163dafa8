"""A Shopify order (REST Admin API 2024-10 and older payloads) as ours.

Amounts are the shop's currency: the plain fields, or ``*_set.shop_money`` where there is no plain
one; ``presentment_money``, what the customer saw, is never read. Totals are kept as given.
"""

import re

from adapters.storefronts.assembly import (
    assemble,
    attributes_of,
    country_code,
    delivery_date_of,
    spread_discount,
    spread_tax,
    tags_of,
)
from adapters.storefronts.reading import Reading
from adapters.storefronts.shopify_lines import (
    LinesRead,
    read_lines,
    read_shipping,
    shop_money,
    shop_money_set,
)
from adapters.storefronts.shopify_payment import read_payment
from adapters.storefronts.shopify_risk import read_risk
from domain.order import (
    Address,
    Customer,
    DiscountCode,
    Order,
    OrderLine,
    ShippingChoice,
    Totals,
    differences_of,
    order_id_of,
)


def read_order(body: Reading, channel: str, test: bool = False) -> Order:
    """Return the order of a REST body.

    Units that are refunded or edited away are ``already_cancelled`` and keep their line. A discount
    or tax that the order has and its lines do not (old payloads, test notifications) is spread.

    Raises:
        InvalidOrder: names every field at fault, all at once.
    """
    currency = body.currency("currency")
    body.need("line_items", "total_price")
    external_id = read_order_id(body)
    read = read_lines(body, currency)
    shipping = read_shipping(body, currency)
    totals = _totals(body, currency, read, shipping)
    lines, shipping = _spread(body, read, shipping, totals, currency)
    fields: dict[str, object] = {
        "order_id": order_id_of(channel, external_id),
        "channel": channel,
        "external_id": external_id,
        "number": body.text("name", 100) or body.text("order_number", 100),
        "placed_at": _placed_at(body),
        "currency": currency,
        "customer": _customer(body),
        "ship_to": _address(body, "shipping_address"),
        "bill_to": _address(body, "billing_address"),
        "lines": lines,
        "shipping": shipping,
        "discounts": _discounts(body, currency),
        "totals": totals,
        "differences": differences_of(lines, shipping, totals, other_tax=read.other_tax),
        "payment": read_payment(body, currency, totals.total),
        "deliver_on": delivery_date_of(body.texts("note_attributes")),
        "note": body.clipped("note", 5000),
        "tags": tags_of(body.fields.get("tags")),
        "test": test or body.flag("test"),
        "risk": read_risk(body),
        "attributes": _attributes(body),
    }
    return assemble(body.problems, fields)


def read_order_id(body: Reading) -> str:
    """Return the order's id: the exact text id, or the number (JSON tools round it past 2^53)."""
    gid = body.text("admin_graphql_api_id")
    if gid:
        named = re.fullmatch(r"gid://shopify/Order/([0-9]{1,20})", gid)
        if named:
            return named[1]
        body.wrong("admin_graphql_api_id", "is not the id of an order")
        return ""
    number = body.text("id")
    if not re.fullmatch(r"[0-9]{1,20}", number):
        body.wrong("id", "is not an order id" if number else "is missing")
    return number


def _placed_at(body: Reading) -> object:
    placed_at = body.moment("created_at") or body.moment("processed_at")
    if placed_at is None:
        body.wrong("created_at", "is missing")
    if "invoice_sent_at" in body.fields:
        body.wrong("invoice_sent_at", "belongs to a draft order, which nobody has placed")
    return placed_at


def _totals(body: Reading, currency: str, read: LinesRead, shipping: ShippingChoice) -> Totals:
    """Return the totals as given; ``other`` is tips, duties, fees and what no line can carry."""
    charged = body.part("total_shipping_price_set").part("shop_money")
    known = charged.text("currency_code").upper() == currency and "amount" in charged
    tips = 0 if read.has_tip_line else shop_money(body, "total_tip_received", currency)
    duties = shop_money_set(body, "original_total_duties_set", currency)
    fees = shop_money_set(body, "original_total_additional_fees_set", currency)
    return Totals(
        subtotal=shop_money(body, "subtotal_price", currency),
        discount=shop_money(body, "total_discounts", currency),
        shipping=charged.amount("amount", currency) if known else shipping.price,
        tax=shop_money(body, "total_tax", currency),
        other=tips + duties + fees + read.left_over,
        total=shop_money(body, "total_price", currency),
    )


def _spread(
    body: Reading, read: LinesRead, shipping: ShippingChoice, totals: Totals, currency: str
) -> tuple[tuple[OrderLine, ...], ShippingChoice]:
    lines = read.lines
    missing = totals.discount - sum(line.discount for line in lines) - shipping.discount
    if missing > 0:
        free = sum(
            code.amount("amount", currency)
            for code in body.parts("discount_codes")
            if code.text("type") == "shipping"
        )
        off_shipping = max(0, min(missing, free, shipping.price - shipping.discount))
        lines, rest = spread_discount(lines, missing - off_shipping)
        off_shipping += max(0, min(rest, shipping.price - shipping.discount - off_shipping))
        shipping = shipping.model_copy(update={"discount": shipping.discount + off_shipping})
    if totals.tax > 0 and lines and not read.taxed and not shipping.tax:
        lines = spread_tax(lines, totals.tax)
    return tuple(lines), shipping


def _customer(body: Reading) -> Customer:
    customer = body.part("customer")
    name = f"{customer.text('first_name')} {customer.text('last_name')}".strip()
    tags = [tag.lower() for tag in tags_of(customer.fields.get("tags"))]
    return Customer(
        customer_id=customer.text("id", 100),
        email=body.text("email", 320)
        or body.text("contact_email", 320)
        or customer.text("email", 320),
        phone=body.text("phone", 60) or customer.text("phone", 60),
        name=name[:200],
        tier="vip" if "vip" in tags else "",
        locale=body.text("customer_locale", 20),
    )


def _address(body: Reading, name: str) -> Address | None:
    """Return an address as given; a country without its code is left for the data hold to ask."""
    given = body.part(name)
    if not given.fields:
        return None
    full_name = f"{given.text('first_name')} {given.text('last_name')}".strip()
    return Address(
        name=(given.text("name") or full_name)[:200],
        company=given.text("company"),
        line1=given.text("address1", 300),
        line2=given.text("address2", 300),
        city=given.text("city"),
        region=given.text("province_code", 100) or given.text("province", 100),
        postal_code=given.text("zip", 30),
        country=country_code(given.text("country_code"), given.text("country")),
        phone=given.text("phone", 60),
    )


def _discounts(body: Reading, currency: str) -> tuple[DiscountCode, ...]:
    """Return the promotions by name; their amounts are inside the lines already."""
    codes = [
        DiscountCode(
            code=code.text("code"),
            amount=code.amount("amount", currency),
            target="shipping" if code.text("type") == "shipping" else "order",
        )
        for code in body.parts("discount_codes")
    ]
    automatic = [
        DiscountCode(
            title=applied.clipped("title", 300),
            target="shipping" if applied.text("target_type") == "shipping_line" else "order",
        )
        for applied in body.parts("discount_applications")
        if "code" not in applied and applied.clipped("title", 200) not in {c.code for c in codes}
    ]
    return (*codes, *automatic)


def _attributes(body: Reading) -> dict[str, str]:
    named = ("financial_status", "fulfillment_status", "source_name", "presentment_currency")
    given = {name: body.clipped(name, 500) for name in (*named, "cancel_reason")}
    country = body.part("shipping_address").clipped("country", 100)
    if len(country) > 2 and "country_code" not in body.part("shipping_address"):
        given["ship_to_country"] = country
    return attributes_of(given | body.texts("note_attributes"))
