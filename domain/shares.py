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
    """Freeze an order's shares; what they collect adds up to the payment exactly.

    Units that the storefront had cancelled before take no share; without such units the totals add
    up to ``order.totals.total``.
    """
    lines = [line for line in order.lines if line.quantity > line.already_cancelled]
    if not lines:
        return ()
    weights = [max(0, line.net) for line in lines]
    shipping = split(order.shipping.net, weights)
    gone = sum(line.net for line in order.lines if line not in lines)
    rest = order.totals.total - order.shipping.net - sum(line.net for line in lines) - gone
    other = split(rest, weights)
    totals = [line.net + s + o for line, s, o in zip(lines, shipping, other, strict=True)]
    left = [line.quantity - line.already_cancelled for line in lines]
    worth = [
        part(max(0, total), line.quantity, 0, units)
        for line, total, units in zip(lines, totals, left, strict=True)
    ]
    collects = split(order.payment.amount, worth)
    return tuple(
        LineShare(
            line_id=line.line_id,
            quantity=units,
            total=total,
            collect=collect,
            shipping=s,
            other=o,
        )
        for line, units, total, collect, s, o in zip(
            lines, left, totals, collects, shipping, other, strict=True
        )
    )


def value_of(total: int, quantity: int, taken: int, units: int) -> int:
    """Return what the next ``units`` units are worth when ``taken`` went before them."""
    return part(total, quantity, taken, taken + units)
