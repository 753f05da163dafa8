"""The customer's page in words: statuses, units, money and times as a person reads them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

from domain.frozen import Wire
from domain.holds import HoldKind
from domain.policy import Resolution
from domain.progress import LineUnits, OrderProgress, OrderStatus, ReturnStatus, ShipmentStatus
from domain.units import Units

S, H, P, R = OrderStatus, HoldKind, ShipmentStatus, ReturnStatus


TIMES = "\N{MULTIPLICATION SIGN}"


class Headline(Wire):
    """What is said first. ``step`` of ordered, preparing, on its way, delivered; -1 when ended."""

    title: str
    text: str
    step: int = 0


HELD = {
    H.ADDRESS: Headline(
        title="We need your help with the address",
        text="The address does not look complete. Please correct it below, and we go on at once.",
    ),
    H.PAYMENT: Headline(
        title="Your payment needs attention",
        text="The payment did not go through. Nothing is sent until it does; please contact us "
        "or follow the link in our message.",
    ),
    H.FRAUD_REVIEW: Headline(
        title="We are checking your order",
        text="A person is looking at it. You need not do anything.",
    ),
    H.DATA: Headline(
        title="We are checking your order",
        text="Something in it is unclear to us. We will write to you if we need an answer.",
    ),
    H.OPS: Headline(
        title="Your order is on hold", text="It waits for us; you need not do anything."
    ),
    H.SCHEDULE: Headline(title="Your order is scheduled", text="We send it for the day you chose."),
    H.PREORDER: Headline(
        title="Your preorder is confirmed", text="We send it as soon as the item is released."
    ),
    H.BACKORDER: Headline(
        title="We are waiting for stock", text="We send it as soon as it is back in stock."
    ),
    H.GRACE: Headline(
        title="Your order is confirmed",
        text="You can still change or cancel it before we start packing.",
    ),
}
URGENT = (H.ADDRESS, H.PAYMENT, H.FRAUD_REVIEW, H.DATA, H.OPS, H.SCHEDULE, H.PREORDER)

HEADLINES = {
    S.RECEIVED: Headline(title="Thank you for your order", text="We have it and are checking it."),
    S.ON_HOLD: HELD[H.OPS],
    S.SCHEDULED: HELD[H.SCHEDULE],
    S.BACKORDERED: HELD[H.BACKORDER],
    S.PROCESSING: Headline(
        title="We are preparing your order", text="It is being picked and packed.", step=1
    ),
    S.PARTIALLY_SHIPPED: Headline(
        title="Part of your order is on its way", text="The rest follows.", step=2
    ),
    S.SHIPPED: Headline(title="Your order is on its way", text="Follow it below.", step=2),
    S.PARTIALLY_DELIVERED: Headline(
        title="Part of your order has arrived", text="The rest follows.", step=2
    ),
    S.DELIVERED: Headline(title="Your order has arrived", text="We hope you like it.", step=3),
    S.COMPLETED: Headline(title="Your order is complete", text="Thank you.", step=3),
    S.CANCELLED: Headline(
        title="Your order is cancelled",
        text="Nothing will be sent, and nothing stays charged.",
        step=-1,
    ),
    S.REJECTED: Headline(
        title="We could not accept your order",
        text="Nothing will be sent, and nothing stays charged.",
        step=-1,
    ),
}

PARCELS = {
    P.PLANNED: "Planned",
    P.RELEASED: "At the warehouse",
    P.PICKED: "Being packed",
    P.PACKED: "Packed",
    P.LABELLED: "Ready for the carrier",
    P.HANDED_OVER: "With the carrier",
    P.IN_TRANSIT: "On its way",
    P.OUT_FOR_DELIVERY: "Out for delivery",
    P.DELIVERED: "Delivered",
    P.EXCEPTION: "Delayed: the carrier reports a problem",
    P.RETURNED_TO_SENDER: "On its way back to us",
    P.LOST: "Lost: we are taking care of it",
    P.CANCELLED: "Cancelled",
}

RETURNS = {
    R.REQUESTED: "Requested",
    R.AUTHORISED: "Approved",
    R.LABEL_SENT: "Label ready: please send it back",
    R.IN_TRANSIT: "On its way back",
    R.RECEIVED: "Received",
    R.INSPECTED: "Checked",
    R.REFUNDED: "Refunded",
    R.EXCHANGED: "Exchanged",
    R.REJECTED: "Not accepted",
    R.EXPIRED: "Expired",
    R.CANCELLED: "Called off",
}

RESOLUTIONS = {
    Resolution.REFUND: "Refund",
    Resolution.EXCHANGE: "Exchange",
    Resolution.STORE_CREDIT: "Store credit",
}

UNITS = (
    (("delivered",), "delivered"),
    (("shipped",), "on the way"),
    (("released", "packed"), "being packed"),
    (("reserved", "open"), "to be sent"),
    (("backordered",), "waiting for stock"),
    (("returned",), "returned"),
    (("cancelled",), "cancelled"),
)


def headline(progress: OrderProgress) -> Headline:
    """Return what is said first: what the customer can mend comes before all else."""
    known = HEADLINES[progress.status]
    if known.step != 0:
        return known
    kinds = {hold.kind for hold in progress.holds}
    urgent = next((HELD[kind] for kind in URGENT if kind in kinds), None)
    if urgent:
        return urgent
    if progress.status is OrderStatus.ON_HOLD and H.GRACE in kinds:
        return HELD[H.GRACE]
    return known


def units(counted: Units) -> str:
    """Return where the units of a line are: ``1 delivered, 2 on the way``."""
    said = [
        (total, words)
        for states, words in UNITS
        if (total := sum(int(getattr(counted, state)) for state in states))
    ]
    if len(said) == 1:
        return said[0][1].capitalize()
    return ", ".join(f"{total} {words}" for total, words in said)


def money(amount: int, currency: str) -> str:
    """Return minor units as a price.

    >>> money(1250, "EUR")
    '€12.50'
    """
    major = Decimal(amount).scaleb(-get_currency_precision(currency))
    return str(format_currency(major, currency, locale="en"))


def day(value: date) -> str:
    """Return a date in words: ``5 January 2026``."""
    return f"{value.day} {value:%B %Y}"


def moment(value: datetime) -> str:
    """Return a UTC time in words: ``5 January 2026, 14:05 UTC``."""
    return f"{day(value)}, {value:%H:%M} UTC"


def contents(units: Iterable[LineUnits], titles: Mapping[str, str]) -> str:
    """Return units with the titles of their lines: ``2 x Blue mug and 1 x Red mug``."""
    return listed(f"{u.quantity} {TIMES} {titles.get(u.line_id, u.line_id)}" for u in units)


def listed(items: Iterable[str]) -> str:
    """Return items as a phrase: ``a, b and c``."""
    *most, last = [*items] or [""]
    return f"{', '.join(most)} and {last}" if most else last
