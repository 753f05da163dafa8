"""Lines added to an order after placement. Pure.

An added line stands on its own: it is worth what the command says, shares no discount or shipping
of the first order, and leaves the frozen values of the other lines as they are.
"""

from collections.abc import Mapping, Sequence

from contracts.commands import AddedLine
from contracts.steps import LineFacts
from domain.order import Order, OrderLine, PaymentForm
from domain.stock import Product
from domain.wants import parts_of


def problems_of_added(
    lines: Sequence[AddedLine], products: Mapping[str, Product]
) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with added lines, all at once."""
    found: list[tuple[str, str]] = []
    for i, line in enumerate(lines):
        if line.sku not in products:
            found.append((f"add[{i}].sku", f"{line.sku} is unknown"))
        if line.quantity < 1:
            found.append((f"add[{i}].quantity", "is not positive"))
        if line.unit_price < 0 or line.tax < 0:
            found.append((f"add[{i}].unit_price", "is negative"))
    return tuple(found)


def with_added(order: Order, lines: Sequence[AddedLine]) -> Order:
    """Return the order with the lines added and its totals raised by their value."""
    added = tuple(
        OrderLine(
            line_id=line.line_id,
            sku=line.sku,
            title=line.title,
            quantity=line.quantity,
            unit_price=line.unit_price,
            tax=line.tax,
            tax_included=line.tax_included,
        )
        for line in lines
    )
    value = sum(line.net for line in added)
    totals = order.totals.model_copy(update={"total": order.totals.total + value})
    return order.model_copy(update={"lines": order.lines + added, "totals": totals})


def facts_of_added(
    order: Order, lines: Sequence[AddedLine], products: Mapping[str, Product]
) -> tuple[LineFacts, ...]:
    """Return the facts of added lines; an order paid elsewhere collects nothing for them."""
    collects = order.payment.form in (PaymentForm.METHOD, PaymentForm.AUTHORISED)
    wanted = {line.line_id for line in lines}
    return tuple(
        LineFacts(
            line_id=line.line_id,
            sku=line.sku,
            quantity=line.quantity,
            total=line.net,
            collect=line.net if collects else 0,
            components=parts_of(
                line.sku, products[line.sku].components if line.sku in products else ()
            ),
        )
        for line in order.lines
        if line.line_id in wanted
    )
