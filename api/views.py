"""How an order is shown: the accepted document, the projection and the scans, as one.

What is shown of a parcel is the furthest of what its process knows and what its scans say, and it
only moves forward (INVARIANTS H3).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from domain.frozen import Wire
from domain.holds import Hold
from domain.money import Money
from domain.order import Address, Customer, Order
from domain.progress import (
    MoneyProgress,
    OrderProgress,
    OrderStatus,
    ReturnProgress,
    ShipmentProgress,
    ShipmentStatus,
)
from domain.units import Units
from ports.carriers import Scan, TrackingState
from ports.stores import StoredOrder

S = ShipmentStatus

FURTHEST = {
    TrackingState.IN_TRANSIT: S.IN_TRANSIT,
    TrackingState.OUT_FOR_DELIVERY: S.OUT_FOR_DELIVERY,
    TrackingState.DELIVERED: S.DELIVERED,
    TrackingState.EXCEPTION: S.EXCEPTION,
    TrackingState.RETURNED_TO_SENDER: S.RETURNED_TO_SENDER,
    TrackingState.LOST: S.LOST,
}
ENDS = frozenset({S.DELIVERED, S.RETURNED_TO_SENDER, S.LOST, S.CANCELLED})
ON_THE_WAY = (S.LABELLED, S.HANDED_OVER, S.IN_TRANSIT, S.OUT_FOR_DELIVERY)
HAS_LABEL = frozenset({*ON_THE_WAY, S.DELIVERED, S.EXCEPTION, S.RETURNED_TO_SENDER, S.LOST})


class LineView(Wire):
    """One line: what was ordered and where its units are."""

    line_id: str
    sku: str
    title: str
    quantity: int
    unit_price: Money
    total: Money
    requires_shipping: bool
    units: Units


class ShipmentView(ShipmentProgress):
    """A parcel with its scans and documents."""

    scans: tuple[Scan, ...] = ()
    label: str = ""
    packing_slip: str = ""


class ReturnView(ReturnProgress):
    """A return with its order and document."""

    order_id: str
    label_url: str = ""


class OrderDocument(Wire):
    """One order, whole. ``links`` name what can be asked next."""

    order_id: str
    number: str
    channel: str
    external_id: str
    status: OrderStatus
    version: int
    placed_at: datetime
    currency: str
    total: Money
    shipping: Money
    customer: Customer
    ship_to: Address | None
    bill_to: Address | None
    lines: tuple[LineView, ...]
    holds: tuple[Hold, ...]
    money: MoneyProgress
    shipments: tuple[ShipmentView, ...]
    returns: tuple[ReturnView, ...]
    grade: str
    problems: tuple[tuple[str, str], ...]
    promise: date | None
    grace_until: datetime | None
    return_until: datetime | None
    deliver_on: date | None
    cancel_reason: str
    ended_at: datetime | None
    policy_version: int
    note: str
    tags: tuple[str, ...]
    test: bool
    links: dict[str, str]


def progress_of(stored: StoredOrder) -> OrderProgress:
    """Return the projection; an order that has not begun has all its units open."""
    if stored.progress:
        return stored.progress
    return OrderProgress(
        order_id=stored.order.order_id, money=MoneyProgress(currency=stored.order.currency)
    )


def order_document(
    stored: StoredOrder, scans: Mapping[str, Sequence[Scan]], links: Mapping[str, str]
) -> OrderDocument:
    """Return one order, whole; ``scans`` by tracking number."""
    order, progress = stored.order, progress_of(stored)
    return OrderDocument(
        **order.model_dump(
            include={
                "order_id",
                "number",
                "channel",
                "external_id",
                "placed_at",
                "currency",
                "deliver_on",
                "note",
                "tags",
                "test",
            }
        ),
        **progress.model_dump(
            include={
                "status",
                "version",
                "grade",
                "problems",
                "promise",
                "grace_until",
                "return_until",
                "cancel_reason",
                "ended_at",
            }
        ),
        total=Money(amount=order.totals.total, currency=order.currency),
        shipping=Money(amount=order.shipping.net, currency=order.currency),
        customer=order.customer,
        ship_to=stored.ship_to,
        bill_to=order.bill_to,
        lines=line_views(order, progress),
        holds=progress.holds,
        money=progress.money,
        shipments=tuple(
            shipment_view(one, scans.get(one.tracking_number, ())) for one in progress.shipments
        ),
        returns=tuple(return_view(order.order_id, one) for one in progress.returns),
        policy_version=stored.policy_version,
        links=dict(links),
    )


def line_views(order: Order, progress: OrderProgress) -> tuple[LineView, ...]:
    """Return the lines with the units they have come to."""
    units = {line.line_id: line.units for line in progress.lines}
    return tuple(
        LineView(
            line_id=line.line_id,
            sku=line.sku,
            title=line.title,
            quantity=line.quantity,
            unit_price=Money(amount=line.unit_price, currency=order.currency),
            total=Money(amount=line.net, currency=order.currency),
            requires_shipping=line.requires_shipping,
            units=units.get(line.line_id) or Units(open=max(0, line.quantity)),
        )
        for line in order.lines
    )


def shipment_view(shipment: ShipmentProgress, scans: Sequence[Scan]) -> ShipmentView:
    """Return a parcel as it is shown."""
    path = f"/shipments/{shipment.shipment_id}"
    return ShipmentView(
        **shipment.model_dump(exclude={"status"}),
        status=shown_status(shipment.status, scans),
        scans=tuple(scans),
        label=f"{path}/label.pdf" if shipment.status in HAS_LABEL else "",
        packing_slip="" if shipment.status is S.CANCELLED else f"{path}/packing-slip.pdf",
    )


def return_view(order_id: str, one: ReturnProgress) -> ReturnView:
    """Return a return as it is shown."""
    url = f"/returns/{one.return_id}/label.pdf" if one.label_id else ""
    return ReturnView(**one.model_dump(), order_id=order_id, label_url=url)


def shown_status(known: ShipmentStatus, scans: Sequence[Scan]) -> ShipmentStatus:
    """Return the furthest of the process's own status and the scans; an end is never left.

    Scans of a parcel that has no label yet, or that was cancelled, say nothing.
    """
    if known in ENDS or known not in HAS_LABEL:
        return known
    seen = [FURTHEST[scan.state] for scan in scans if scan.state in FURTHEST]
    for end in (S.DELIVERED, S.RETURNED_TO_SENDER, S.LOST):
        if end in seen:
            return end
    steps = [status for status in (known, *seen) if status in ON_THE_WAY]
    furthest = max(steps, key=ON_THE_WAY.index, default=known)
    in_trouble = known is S.EXCEPTION or (seen and seen[-1] is S.EXCEPTION)
    moved_on = bool(seen) and seen[-1] is not S.EXCEPTION
    return S.EXCEPTION if in_trouble and not moved_on else furthest
