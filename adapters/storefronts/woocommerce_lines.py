"""The lines of a WooCommerce order, with its bundles.

A bundle or composite is a line, and so is each thing in it. The things are what lies in the
warehouse, so they ship and point to their parent by ``bundle``; the parent, which often carries
the price, does not. (``_bundled_item_needs_shipping: no`` only says that the shop reckons postage
on the parent: the thing is packed with it all the same.)
"""

from decimal import Decimal
from html import unescape
from typing import NamedTuple

from adapters.storefronts.assembly import attributes_of, duplicates, price_line
from adapters.storefronts.reading import MOST_UNITS, Reading
from domain.order import OrderLine


class LinesRead(NamedTuple):
    """The lines, and what of the order's sums they do not carry."""

    lines: list[OrderLine]
    subtotal: int
    left_over: int
    left_tax: int


def read_lines(body: Reading, currency: str, requires_shipping: bool) -> LinesRead:
    """Return every line of the order.

    Args:
        requires_shipping: false when WooCommerce says that nothing in the order needs sending.
    """
    given = body.parts("line_items")
    if len(given) > 500:
        body.wrong("line_items", "are more than 500")
        given = given[:500]
    lines: list[OrderLine] = []
    left_over = left_tax = 0
    for item in given:
        line, left, tax = _line(item, currency, requires_shipping)
        lines.append(line)
        left_over, left_tax = left_over + left, left_tax + tax
    for i in duplicates([line.line_id for line in lines]):
        given[i].wrong("id", "is the id of an earlier line")
    subtotal = sum(item.amount("subtotal", currency) for item in given)
    return LinesRead(_bundled(given, lines), subtotal, left_over, left_tax)


def _line(item: Reading, currency: str, requires_shipping: bool) -> tuple[OrderLine, int, int]:
    item.need("id", "quantity", "total")
    quantity, sold = _quantity(item)
    net = item.amount("total", currency)
    gross = item.amount("subtotal", currency) if "subtotal" in item else net
    price = price_line(quantity, gross, net, item.amount("total_tax", currency), False)
    attributes = _attributes(item)
    if sold:
        attributes["quantity_as_sold"] = sold
    line = OrderLine(
        line_id=item.text("id", 100),
        sku=item.text("sku", 100),
        title=unescape(item.clipped("name", 600))[:300],
        quantity=quantity,
        unit_price=price.unit_price,
        discount=price.discount,
        tax=price.tax,
        requires_shipping=requires_shipping,
        attributes=attributes,
    )
    return line, price.left_over, price.left_tax


def _quantity(item: Reading) -> tuple[int, str]:
    """Return the units, and the quantity as sold when that is a fraction.

    Plugins sell by the metre or kilogram. Units are whole, so 1.5 m of cloth is one unit that costs
    what was paid; ``quantity_as_sold`` tells a person, or a validity rule, what to cut.
    """
    given = item.fields.get("quantity")
    if isinstance(given, Decimal) and given.is_finite() and 0 < given <= MOST_UNITS:
        whole = int(given)
        return (whole, "") if whole == given else (1, str(given)[:40])
    return item.whole("quantity"), ""


def _attributes(item: Reading) -> dict[str, str]:
    given = item.texts("meta_data", "key")
    public = {name: unescape(text) for name, text in given.items() if not name.startswith("_")}
    numbers = {name: item.text(name) for name in ("product_id", "variation_id")}
    return attributes_of({k: v for k, v in numbers.items() if v != "0"} | public)


def _bundled(given: list[Reading], lines: list[OrderLine]) -> list[OrderLine]:
    """Return the lines with their bundles: each part knows its parent, and no parent ships."""
    parents = _parents(given, {line.line_id for line in lines})
    containers: set[str] = set()
    for line in lines:
        if line.line_id in parents and line.line_id not in parents.values():
            above = parents.get(line.line_id, "")
            while above and above not in containers:
                containers.add(above)
                above = parents.get(above, "")
    return [
        line.model_copy(
            update={
                "bundle": parents.get(line.line_id, ""),
                "requires_shipping": line.requires_shipping and line.line_id not in containers,
            }
        )
        for line in lines
    ]


def _parents(given: list[Reading], ids: set[str]) -> dict[str, str]:
    """Return part → parent by line id; older plugins name the parent by its cart key only."""
    by_cart_key = {
        key: item.text("id")
        for item in given
        for name in ("_bundle_cart_key", "_composite_cart_key")
        if (key := item.texts("meta_data", "key").get(name))
    }
    parents = {}
    for item in given:
        meta = item.texts("meta_data", "key")
        named = (
            item.text("bundled_by"),
            item.text("composite_parent"),
            by_cart_key.get(meta.get("_bundled_by", ""), ""),
            by_cart_key.get(meta.get("_composite_parent", ""), ""),
        )
        parent = next((name for name in named if name in ids and name != item.text("id")), "")
        if parent:
            parents[item.text("id")] = parent
    return parents
