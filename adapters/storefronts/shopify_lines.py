"""The lines and shipping lines of a Shopify order."""

import re
from collections import Counter
from typing import NamedTuple

from adapters.storefronts.amounts import LARGEST
from adapters.storefronts.assembly import attributes_of, duplicates, price_line
from adapters.storefronts.reading import Reading
from domain.order import OrderLine, ShippingChoice


class LinesRead(NamedTuple):
    """The lines, and what of the order's sums they do not carry."""

    lines: list[OrderLine]
    left_over: int
    other_tax: int
    taxed: bool
    has_tip_line: bool


def shop_money(reading: Reading, name: str, currency: str) -> int:
    """Return an amount in the shop's currency: the plain field, else its set's ``shop_money``."""
    if name in reading:
        return reading.amount(name, currency)
    return shop_money_set(reading, f"{name}_set", currency)


def shop_money_set(reading: Reading, name: str, currency: str) -> int:
    """Return the ``shop_money`` of a price set; another currency than the order's is a problem."""
    money = reading.part(name).part("shop_money")
    given = money.text("currency_code").upper()
    if given and currency and given != currency:
        money.wrong("currency_code", "is not the order's currency")
        return 0
    return money.amount("amount", currency)


def read_lines(body: Reading, currency: str) -> LinesRead:
    """Return every line of the order, also those of which no unit is left."""
    refunded, fulfilled = _refunded(body), _fulfilled(body)
    tax_included = body.flag("taxes_included")
    lines: list[OrderLine] = []
    left_over = other_tax = 0
    given = body.parts("line_items")
    for item in given[:501]:
        line, left, left_tax = _line(item, currency, tax_included, refunded, fulfilled)
        duty_tax = _tax(item.parts("duties"), currency)
        lines.append(line)
        left_over += left + duty_tax
        other_tax += left_tax + duty_tax
    if len(given) > 500:
        body.wrong("line_items", "are more than 500")
    for i in duplicates([line.line_id for line in lines]):
        given[i].wrong("id", "is the id of an earlier line")
    return LinesRead(
        lines=lines,
        left_over=left_over,
        other_tax=other_tax,
        taxed=any(item.fields.get("tax_lines") for item in given),
        has_tip_line=any("tip" in item for item in given),
    )


def _line(
    item: Reading,
    currency: str,
    tax_included: bool,
    refunded: Counter[str],
    fulfilled: Counter[str],
) -> tuple[OrderLine, int, int]:
    item.need("quantity")
    number = item.text("id", 100)
    quantity = item.whole("quantity")
    gross = shop_money(item, "price", currency) * quantity
    tax = _tax([item], currency)
    if abs(gross) > LARGEST:
        item.wrong("price", "is too large an amount")
        gross = 0
    price = price_line(quantity, gross, gross - _discount(item, currency), tax, tax_included)
    removed = quantity - item.whole("current_quantity") if "current_quantity" in item else 0
    cancelled = min(quantity, max(0, removed, refunded[number]))
    gone = fulfilled[number]
    attributes = _attributes(item)
    if gone:
        attributes["fulfilled_at_storefront"] = str(gone)
    line = OrderLine(
        line_id=_line_id(item, number),
        sku=item.text("sku", 100),
        title=item.clipped("name", 300) or item.clipped("title", 300),
        quantity=quantity,
        already_cancelled=cancelled,
        unit_price=price.unit_price,
        discount=price.discount,
        tax=price.tax,
        tax_included=tax_included,
        grams=item.whole("grams", 10**9),
        # Goods handed over in a shop or sent from there must not be sent a second time.
        requires_shipping=item.flag("requires_shipping", True)
        and not (gone and gone + cancelled >= quantity),
        attributes=attributes,
    )
    return line, price.left_over, price.left_tax


def _line_id(item: Reading, number: str) -> str:
    gid = item.text("admin_graphql_api_id")
    named = re.fullmatch(r"gid://shopify/LineItem/([0-9]{1,20})", gid)
    if not named and not number:
        item.wrong("id", "is missing")
    return named[1] if named else number


def _discount(item: Reading, currency: str) -> int:
    """Return a line's own and allocated discounts; ``total_discount`` holds only its own."""
    allocations = item.parts("discount_allocations")
    if allocations:
        discount = sum(shop_money(allocation, "amount", currency) for allocation in allocations)
    else:
        discount = shop_money(item, "total_discount", currency)
    if discount < 0:
        item.wrong("discount_allocations", "are negative")
    return max(0, discount)


def _tax(taxed: list[Reading], currency: str) -> int:
    return sum(
        shop_money(tax, "price", currency) for item in taxed for tax in item.parts("tax_lines")
    )


def _refunded(body: Reading) -> Counter[str]:
    """Return the units refunded of each line id, whatever became of the goods."""
    units: Counter[str] = Counter()
    for refund in body.parts("refunds"):
        for item in refund.parts("refund_line_items"):
            units[item.text("line_item_id")] += item.whole("quantity")
    return units


def _fulfilled(body: Reading) -> Counter[str]:
    """Return the units of each line id that the storefront has sent or handed over."""
    units: Counter[str] = Counter()
    for fulfillment in body.parts("fulfillments"):
        if fulfillment.text("status") == "success":
            for item in fulfillment.parts("line_items"):
                units[item.text("id")] += item.whole("quantity")
    return units


def _attributes(item: Reading) -> dict[str, str]:
    plan = item.part("selling_plan_allocation").part("selling_plan").clipped("name", 200)
    given = {
        "variant": item.clipped("variant_title", 200),
        "vendor": item.clipped("vendor", 200),
        "product_id": item.text("product_id"),
        "variant_id": item.text("variant_id"),
        "gift_card": "yes" if item.flag("gift_card") else "",
        "subscription": plan,
    }
    return attributes_of(given | item.texts("properties"))


def read_shipping(body: Reading, currency: str) -> ShippingChoice:
    """Return the shipping lines as one choice: summed, codes and titles joined."""
    lines = [line for line in body.parts("shipping_lines") if not line.flag("is_removed")]
    price = sum(shop_money(line, "price", currency) for line in lines)
    discount = sum(_shipping_discount(line, currency) for line in lines)
    return ShippingChoice(
        code=" + ".join(filter(None, (line.text("code") for line in lines)))[:200],
        title=" + ".join(filter(None, (line.clipped("title", 200) for line in lines)))[:200],
        price=price,
        discount=min(discount, max(0, price)),
        tax=_tax(lines, currency),
        tax_included=body.flag("taxes_included"),
    )


def _shipping_discount(line: Reading, currency: str) -> int:
    if line.parts("discount_allocations"):
        return _discount(line, currency)
    price = shop_money(line, "price", currency)
    if "discounted_price" not in line and "discounted_price_set" not in line:
        return 0
    return max(0, price - shop_money(line, "discounted_price", currency))
