"""How far an order has come: the picture that the workflow holds and the database mirrors."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from domain.frozen import Wire
from domain.holds import Hold
from domain.policy import Resolution
from domain.units import Units


class OrderStatus(StrEnum):
    """The order's own status; always derived (``domain.status``), never set."""

    RECEIVED = "received"
    ON_HOLD = "on_hold"
    SCHEDULED = "scheduled"
    BACKORDERED = "backordered"
    PROCESSING = "processing"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


TERMINAL = frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.REJECTED})


class MoneyStatus(StrEnum):
    """Where the order's money is."""

    NONE = "none"
    AUTHORISED = "authorised"
    ACTION_REQUIRED = "action_required"
    PARTIALLY_CAPTURED = "partially_captured"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class ShipmentStatus(StrEnum):
    """Where a parcel is, in the order in which it moves; the last four end or break the journey."""

    PLANNED = "planned"
    RELEASED = "released"
    PICKED = "picked"
    PACKED = "packed"
    LABELLED = "labelled"
    HANDED_OVER = "handed_over"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURNED_TO_SENDER = "returned_to_sender"
    LOST = "lost"
    CANCELLED = "cancelled"


class ReturnStatus(StrEnum):
    """Where a return is."""

    REQUESTED = "requested"
    AUTHORISED = "authorised"
    LABEL_SENT = "label_sent"
    IN_TRANSIT = "in_transit"
    RECEIVED = "received"
    INSPECTED = "inspected"
    REFUNDED = "refunded"
    EXCHANGED = "exchanged"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class LineUnits(Wire):
    """Some units of one line."""

    line_id: str
    quantity: int


class LineProgress(Wire):
    """One line: its units, and its frozen values in minor units (``domain.shares``).

    ``before`` units were cancelled at the storefront before we took the order and are worth
    nothing here; ``captured`` counts the units whose money was taken; ``given_back`` is the value
    of returned or lost units that the customer gets back.
    """

    line_id: str
    sku: str
    units: Units
    total: int = 0
    collect: int = 0
    parcel: bool = True
    before: int = 0
    captured: int = 0
    given_back: int = 0


class ShipmentProgress(Wire):
    """One parcel: which units leave from where, and what happened to it.

    ``value`` is what its capture takes (minor units), 0 until captured.
    """

    shipment_id: str
    location: str
    lines: tuple[LineUnits, ...]
    status: ShipmentStatus = ShipmentStatus.PLANNED
    carrier: str = ""
    service: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    label_id: str = ""
    label_cost: int = 0
    value: int = 0
    ship_by: date | None = None
    expected_on: date | None = None
    signed_by: str = ""
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None


class ReturnProgress(Wire):
    """One return. ``refund`` is what was given back, minor units."""

    return_id: str
    lines: tuple[LineUnits, ...]
    reason: str = ""
    resolution: Resolution = Resolution.REFUND
    status: ReturnStatus = ReturnStatus.REQUESTED
    tracking_number: str = ""
    label_id: str = ""
    refund: int = 0
    location: str = ""
    expires_at: datetime | None = None
    rejected: tuple[LineUnits, ...] = ()


class MoneyProgress(Wire):
    """The order's money in minor units of ``currency``.

    ``due`` is what remains to be collected for units that are not cancelled; ``authorised`` is
    what live authorisations still hold.
    """

    currency: str
    due: int = 0
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    fees: int = 0
    provider: str = ""
    expires_at: datetime | None = None
    status: MoneyStatus = MoneyStatus.NONE


class OrderProgress(Wire):
    """Everything that changes about an order, at one version. Holds no personal data."""

    order_id: str
    version: int = 0
    status: OrderStatus = OrderStatus.RECEIVED
    lines: tuple[LineProgress, ...] = ()
    holds: tuple[Hold, ...] = ()
    money: MoneyProgress
    shipments: tuple[ShipmentProgress, ...] = ()
    returns: tuple[ReturnProgress, ...] = ()
    grade: str = ""
    problems: tuple[tuple[str, str], ...] = ()
    promise: date | None = None
    grace_until: datetime | None = None
    return_until: datetime | None = None
    cancel_reason: str = ""
    ended_at: datetime | None = None


class TimelineEvent(Wire):
    """One line of an order's history: who did what, when and why. Holds no personal data.

    ``kind`` is a stable word (``order.accepted``, ``hold.placed``, ``payment.captured``); ``no``
    is unique within the order, drawn from its own counter.
    """

    no: int
    kind: str
    at: datetime
    actor: str
    text: str = ""
    data: dict[str, str] = Field(default_factory=dict)
