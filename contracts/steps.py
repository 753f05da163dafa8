"""One model in, one model out for each activity.

Activity inputs carry ids, amounts and counters only; what is personal stays in the database and is
read there. ``n`` comes from the order's own counter, so an effect's key survives retries, worker
deaths and resets: ``order id : purpose : n``.
"""

from datetime import date, datetime

from contracts.commands import AddedLine
from domain.frozen import Wire
from domain.order import Address, PaymentForm
from domain.parcel import Parcel
from domain.payment import Authorisation, Capture, Refund
from domain.policy import Clocks, LostParcel, Resolution, Verdict
from domain.progress import LineUnits, OrderProgress, TimelineEvent
from domain.stock import Bar, Queued, StockMove


def effect_key(order_id: str, purpose: str, n: int) -> str:
    """Return the key under which an external effect is made at most once."""
    return f"{order_id}:{purpose}:{n}"


class Terms(Wire):
    """What the policy version of this order says about the process. Nothing has a default that says
    anything, so that a stored history means the same for ever."""

    policy_version: int
    grace: int
    review_sla: int
    review_expiry: Verdict
    hold_deadline: int
    action_deadline: int
    expiry_margin: int
    reverse_after: int
    capture_at_order: bool
    backorder_deadline: int
    return_window: int
    ship_back: int
    inspect_within: int
    refund_shipping: bool
    return_label: bool
    automatic_returns: bool
    lost_parcel: LostParcel
    resolutions: tuple[Resolution, ...]
    transit_days: int
    days: int
    service: str
    clocks: Clocks
    return_location: str = ""


class LineFacts(Wire):
    """One accepted line: units and frozen values (minor units, ``domain.shares``).

    ``before`` further units were cancelled before we took the order; ``parcel`` is False for what
    needs no shipping; ``shipping`` is the part of ``total`` that is
    shipping; ``waits_until`` is the launch date of a preorder.
    """

    line_id: str
    sku: str
    quantity: int
    total: int
    collect: int
    shipping: int = 0
    before: int = 0
    parcel: bool = True
    returnable: bool = True
    waits_until: date | None = None
    components: tuple[tuple[str, int], ...] = ()


class PaymentFacts(Wire):
    """How the money arrives, without anything personal."""

    form: PaymentForm
    provider: str = ""
    reference: str = ""
    amount: int = 0


class Screened(Wire):
    """What screening found: the order's facts, all problems at once, and the built-in grade."""

    currency: str
    placed_at: datetime
    lines: tuple[LineFacts, ...]
    payment: PaymentFacts
    terms: Terms
    channel: str = ""
    priority: int = 100
    release_on: date | None = None
    problems: tuple[tuple[str, str], ...] = ()
    grade: Verdict = Verdict.ACCEPT
    score: int = 0
    reasons: tuple[str, ...] = ()
    vendor: str = ""
    page: str = ""


class Graded(Wire):
    """A fraud vendor's verdict."""

    grade: Verdict
    score: int = 0
    reasons: tuple[str, ...] = ()


class Screen(Wire):
    """Screen an order. ``waived`` are fields whose problem an operator has waved through."""

    order_id: str
    waived: tuple[str, ...] = ()


class Amend(Wire):
    """Write what a command changed about the order itself: its address, or lines added to it."""

    order_id: str
    address: Address | None = None
    add: tuple[AddedLine, ...] = ()


class Amended(Wire):
    """The order's facts after an amendment, or what is wrong with it (nothing was written)."""

    problems: tuple[tuple[str, str], ...] = ()
    lines: tuple[LineFacts, ...] = ()


class PlaceRequest(Wire):
    """Units to route and reserve. ``n`` numbers the first allocation."""

    order_id: str
    lines: tuple[LineUnits, ...]
    n: int
    bars: tuple[Bar, ...] = ()


class PlacedShipment(Wire):
    """Units that one location will send."""

    location: str
    lines: tuple[LineUnits, ...]


class Placed(Wire):
    """Where units were reserved, what must wait for stock, and why locations were left out.

    ``unavailable`` is short as well and may not wait; ``n`` is the next free allocation number.
    """

    shipments: tuple[PlacedShipment, ...] = ()
    backordered: tuple[LineUnits, ...] = ()
    unavailable: tuple[LineUnits, ...] = ()
    n: int = 0
    promise: date | None = None
    left_out: tuple[tuple[str, str], ...] = ()


class Record(Wire):
    """What the database learns in one transaction; ``at`` is when the process decided it."""

    progress: OrderProgress
    events: tuple[TimelineEvent, ...] = ()
    moves: tuple[StockMove, ...] = ()
    queue: tuple[Queued, ...] | None = None
    alert: tuple[str, str] | None = None
    at: datetime | None = None


class GradeStep(Wire):
    """Ask a fraud vendor."""

    order_id: str
    n: int
    vendor: str


class AuthoriseRequest(Wire):
    """Reserve an amount (minor units). ``method``/``customer`` override the order's own."""

    order_id: str
    n: int
    amount: int
    currency: str
    multi_capture: bool = False
    method: str = ""
    customer: str = ""


class PaymentStep(Wire):
    """A step on one payment at the provider: capture, void, refund, adopt. Without a ``provider``
    the order's own is asked."""

    order_id: str
    n: int
    reference: str
    amount: int = 0
    currency: str = ""
    final: bool = True
    purpose: str = ""
    provider: str = ""


class Found(Wire):
    """An effect found at the provider; all None proves that it was never made."""

    authorisation: Authorisation | None = None
    capture: Capture | None = None
    refund: Refund | None = None


class LabelStep(Wire):
    """Buy a label for a shipment (or a return, whose parcel comes from the customer); ``service``
    and ``within_days`` as in ``ports.carriers.LabelRequest``."""

    order_id: str
    n: int
    subject: str
    location: str
    parcel: Parcel
    service: str = ""
    within_days: int = 0
    is_return: bool = False


class LabelBought(Wire):
    """A bought label; the document is in the database."""

    label_id: str
    carrier: str
    service: str
    tracking_number: str
    tracking_url: str = ""
    cost: int = 0
    currency: str = ""
    expected_on: date | None = None


class VoidLabel(Wire):
    """Ask a label's money back."""

    order_id: str
    n: int
    subject: str
    label_id: str


class WarehouseStep(Wire):
    """Release a shipment to its warehouse, or ask it to stop all or some lines of it."""

    order_id: str
    n: int
    shipment_id: str
    location: str
    lines: tuple[LineUnits, ...]
    ship_by: date | None = None


class ReturnStep(Wire):
    """Announce a return to its location."""

    order_id: str
    n: int
    return_id: str
    location: str
    tracking_number: str = ""
    lines: tuple[LineUnits, ...]


class MessageStep(Wire):
    """Tell the customer something; at most once per (template, n). Amounts in minor units."""

    order_id: str
    n: int
    template: str
    subject: str = ""
    amount: int | None = None
    lines: tuple[LineUnits, ...] = ()
    deadline: datetime | None = None
    reason: str = ""


class LastScan(Wire):
    """When a parcel was last seen, None when it never was."""

    at: datetime | None = None
    state: str = ""


class Parcels(Wire):
    """Ask after a parcel."""

    order_id: str
    tracking_number: str
