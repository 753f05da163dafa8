"""What a message may say: facts that are already true (INVARIANTS N2), ready to be shown."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.frozen import Frozen
from domain.money import Money

Url = Annotated[str, Field(pattern=r"^(https?://[^\s\"'<>]+)?$", max_length=2000)]
"""http(s) or nothing: a link in a mail never runs a script."""


class Template(StrEnum):
    """The messages that exist; each is a file of this name in ``templates/``."""

    CONFIRMATION = "confirmation"
    ON_HOLD_ACTION = "on_hold_action"
    DELAY = "delay"
    BACKORDERED = "backordered"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURN_AUTHORISED = "return_authorised"
    RETURN_RECEIVED = "return_received"
    RETURN_REJECTED = "return_rejected"
    REFUNDED = "refunded"
    PAYMENT_FAILED = "payment_failed"
    CLAIM_LOST = "claim_lost"


class LineFact(Frozen):
    """Units that the message is about; ``amount`` is the whole line's."""

    title: str
    quantity: int
    sku: str = ""
    amount: Money | None = None


class TrackingFact(Frozen):
    """A parcel to follow."""

    carrier: str = ""
    number: str
    url: Url = ""


class MessageFacts(Frozen):
    """Everything that any template may show; what is empty is not shown.

    ``amount`` is what this message is about (refunded, released, due); ``total`` the order's.
    ``action`` says what the customer is asked for (``payment``, ``address`` or empty) and
    ``action_url`` where, ``deadline`` until when. ``timezone`` is the one that times are shown in.
    ``bundle_terms`` states what a bundle's return conditions are.
    """

    order_number: str
    shop_name: str
    support: str = ""
    customer_name: str = ""
    locale: str = "en"
    timezone: str = "UTC"
    order_url: Url = ""
    lines: tuple[LineFact, ...] = ()
    total: Money | None = None
    amount: Money | None = None
    tracking: tuple[TrackingFact, ...] = ()
    expected_on: date | None = None
    address: tuple[str, ...] = ()
    action: str = ""
    action_url: Url = ""
    deadline: datetime | None = None
    label_url: Url = ""
    reason: str = ""
    whole: bool = True
    replacement: bool = False
    store_credit: bool = False
    bundle_terms: tuple[str, ...] = ()
