"""Commands: what people, storefronts, warehouses and carriers may ask of a running order.

Updates answer; the one signal (``milestone``) does not. The JSON of each is small enough to be
typed into the Temporal UI's "Send an Update". ``actor`` says who asks (``customer``,
``operator:ann``, ``storefront``, ``warehouse``).
"""

from datetime import date, datetime
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frozen import Wire
from domain.order import Address, PaymentForm
from domain.parcel import Parcel
from domain.policy import Resolution, Verdict
from domain.progress import LineUnits


class Actor(Wire):
    """Every command carries who asks and why."""

    actor: str = "operator"
    reason: str = ""


class CancelOutcome(StrEnum):
    """The answer to a cancel. After ``cancelled`` nothing ships and nothing stays captured."""

    CANCELLED = "cancelled"
    PARTLY_CANCELLED = "partly_cancelled"
    TOO_LATE = "too_late"
    REQUESTED = "requested"


class Cancel(Actor):
    """Cancel units; no lines means the whole order."""

    lines: tuple[LineUnits, ...] = ()


class CancelAnswer(Wire):
    """What a cancel came to. ``refunded`` is what will be given back or not be taken, minor units;
    ``may_return`` offers a return for what has already left."""

    outcome: CancelOutcome
    cancelled: tuple[LineUnits, ...] = ()
    refunded: int = 0
    may_return: bool = False


class ChangeAddress(Actor):
    """Send what has not been released to another address."""

    address: Address


class AddedLine(Wire):
    """A line added after placement; amounts as in ``domain.order.OrderLine``, minor units."""

    line_id: str
    sku: str
    quantity: int
    unit_price: int
    tax: int = 0
    tax_included: bool = True
    title: str = ""


class ChangeLines(Actor):
    """Lower quantities of lines (0 removes) and add new lines, before anything is released."""

    set: tuple[LineUnits, ...] = ()
    add: tuple[AddedLine, ...] = ()


class PlaceHold(Actor):
    """Hold the order until ``expires_at`` (default: the policy's deadline)."""

    expires_at: AwareDatetime | None = None
    expiry: str = "escalate"


class HoldAnswer(Wire):
    """The hold that was placed."""

    hold_id: str
    expires_at: datetime


class ReleaseHold(Actor):
    """Lift one hold."""

    hold_id: str


class Review(Actor):
    """Decide a fraud review: ``accept`` or ``reject``."""

    decision: Verdict


class ShipNow(Actor):
    """End the grace period (and a schedule) at once."""


class NewMethod(Actor):
    """Pay by another method: the provider's references, never card data."""

    method: str
    customer: str = ""


class Paid(Actor):
    """The storefront says that an order which was unpaid is paid or authorised now; ``provider``
    and ``reference`` as in ``domain.order.Payment``, ``amount`` in minor units."""

    form: PaymentForm
    provider: str = ""
    reference: str = ""
    amount: int


class Reschedule(Actor):
    """Move the delivery date."""

    deliver_on: date


class RequestReturn(Actor):
    """Ask to return delivered units."""

    lines: tuple[LineUnits, ...]
    resolution: Resolution = Resolution.REFUND


class ReturnAnswer(Wire):
    """The return that was opened."""

    return_id: str
    status: str


class AuthoriseReturn(Actor):
    """Allow or refuse a return that waits for a person."""

    return_id: str
    approve: bool = True


class ReceiveReturn(Actor):
    """Units of a return have arrived."""

    return_id: str
    lines: tuple[LineUnits, ...] = ()


class InspectedLine(Wire):
    """What inspection found: ``restock`` and ``damaged`` are refunded (the first goes back on the
    shelf), ``rejected`` is not."""

    line_id: str
    quantity: int
    disposition: str = "restock"


class InspectReturn(Actor):
    """The result of inspecting a return; no lines means all received units to stock."""

    return_id: str
    lines: tuple[InspectedLine, ...] = ()


class CancelReturn(Actor):
    """Call off a return whose parcel has not come."""

    return_id: str


class Done(Wire):
    """A command that was carried out: the order's status after it."""

    status: str


class MilestoneKind(StrEnum):
    """What happened to a shipment or return."""

    PICKED = "picked"
    SHORT_PICKED = "short_picked"
    PACKED = "packed"
    HANDED_OVER = "handed_over"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURNED_TO_SENDER = "returned_to_sender"
    LOST = "lost"
    STOCK = "stock"
    RESERVATION_EXPIRED = "reservation_expired"
    DISPUTED = "disputed"
    ACTION_DONE = "action_done"


class Milestone(Wire):
    """Something happened outside. ``lines`` are the units found by a short pick; ``subject`` is
    the shipment or return, the SKU for ``stock``, or the order itself."""

    kind: MilestoneKind
    subject: str
    at: AwareDatetime
    lines: tuple[LineUnits, ...] = ()
    parcel: Parcel | None = None
    tracking_number: str = ""
    signed_by: str = ""
    detail: str = ""
    amount: int = 0
