"""The order's status, derived from its units, holds and ending."""

from collections.abc import Iterable, Sequence

from domain.holds import Hold, HoldKind
from domain.progress import MoneyProgress, MoneyStatus, OrderStatus
from domain.units import Units

WAITING = {HoldKind.SCHEDULE: OrderStatus.SCHEDULED, HoldKind.PREORDER: OrderStatus.SCHEDULED}


def order_status(
    lines: Iterable[Units],
    holds: Sequence[Hold],
    ended: OrderStatus | None = None,
    accepted: bool = True,
) -> OrderStatus:
    """Derive the order's status.

    Args:
        lines: the units of each line.
        ended: a terminal status once it is reached; it is for ever.
        accepted: False until the order has passed validation and grading, or was held by them.
    """
    if ended:
        return ended
    total = list(lines)
    gone = sum(u.shipped + u.delivered + u.returned for u in total)
    arrived = sum(u.delivered + u.returned for u in total)
    live = sum(u.live for u in total)
    if arrived:
        return (
            OrderStatus.DELIVERED
            if live == 0 and arrived == gone
            else OrderStatus.PARTIALLY_DELIVERED
        )
    if gone:
        return OrderStatus.SHIPPED if live == 0 else OrderStatus.PARTIALLY_SHIPPED
    for hold in holds:
        if hold.kind not in WAITING and hold.kind not in (HoldKind.BACKORDER, HoldKind.GRACE):
            return OrderStatus.ON_HOLD
    for hold in holds:
        if hold.kind in WAITING:
            return WAITING[hold.kind]
    if live and sum(u.backordered for u in total) == live:
        return OrderStatus.BACKORDERED
    if any(hold.kind is HoldKind.GRACE for hold in holds):
        return OrderStatus.ON_HOLD
    return OrderStatus.PROCESSING if accepted else OrderStatus.RECEIVED


def money_status(money: MoneyProgress, voided: bool, action_required: bool) -> MoneyStatus:
    """Derive where the money is from what the provider's answers add up to."""
    if money.captured and money.refunded >= money.captured:
        return MoneyStatus.REFUNDED
    if money.refunded:
        return MoneyStatus.PARTIALLY_REFUNDED
    if money.captured:
        return MoneyStatus.CAPTURED if money.due == 0 else MoneyStatus.PARTIALLY_CAPTURED
    if action_required:
        return MoneyStatus.ACTION_REQUIRED
    if money.authorised:
        return MoneyStatus.AUTHORISED
    return MoneyStatus.VOIDED if voided else MoneyStatus.NONE
