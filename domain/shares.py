"""Frozen shares: what each unit of an accepted order is worth, fixed once and for ever.

Refunds and captures use these shares and never recompute a promotion. The platform's total is
spread exactly: whatever the lines do not explain (rounding, fees, tips, shipping) is split over the
lines by their net value, largest remainder first, then by line order. Within a line, unit ``i`` is
worth ``part(total, quantity, i, i + 1)``: units that ship take the lowest numbers, units that are
cancelled the highest, so captured, cancelled and refunded values always add up.
"""

from domain.frozen import Wire
from domain.money import part, split
from domain.order import Order


class LineShare(Wire):
    """One line's frozen values, minor units.

    ``total`` is its part of the order total, of which ``shipping`` is shipping and ``other`` what
    no line explains; ``collect`` is its part of what the payment covers (gift cards and other
    tender take the rest).
    """

    line_id: str
    quantity: int
    total: int
    collect: int
    shipping: int = 0
    other: int = 0


def freeze(order: Order) -> tuple[LineShare, ...]:
    """Freeze an order's shares; their totals add up to ``order.totals.total`` exactly."""
    lines = [line for line in order.lines if line.quantity > 0]
    weights = [max(0, line.net) for line in lines]
    shipping = split(order.shipping.net, weights)
    rest = order.totals.total - order.shipping.net - sum(line.net for line in lines)
    other = split(rest, weights)
    totals = [line.net + s + o for line, s, o in zip(lines, shipping, other, strict=True)]
    collects = split(order.payment.amount, [max(0, total) for total in totals])
    return tuple(
        LineShare(
            line_id=line.line_id,
            quantity=line.quantity,
            total=total,
            collect=collect,
            shipping=s,
            other=o,
        )
        for line, total, collect, s, o in zip(lines, totals, collects, shipping, other, strict=True)
    )


def value_of(total: int, quantity: int, taken: int, units: int) -> int:
    """Return what the next ``units`` units are worth when ``taken`` went before them."""
    return part(total, quantity, taken, taken + units)
