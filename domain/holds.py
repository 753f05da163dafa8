"""Holds: why an order waits, until when, and what happens then. A list, not a status."""

from datetime import datetime
from enum import StrEnum

from domain.frozen import Wire


class HoldKind(StrEnum):
    """Why an order waits."""

    GRACE = "grace"
    DATA = "data"
    FRAUD_REVIEW = "fraud_review"
    PAYMENT = "payment"
    ADDRESS = "address"
    SCHEDULE = "schedule"
    PREORDER = "preorder"
    BACKORDER = "backorder"
    OPS = "ops"


class Expiry(StrEnum):
    """What happens when nobody lifted a hold in time.

    ``escalate`` keeps the hold, alerts its owner and sets a new deadline: an order that a
    storefront has taken is never thrown away because nobody looked.
    """

    RELEASE = "release"
    CANCEL = "cancel"
    REJECT = "reject"
    ESCALATE = "escalate"


class Hold(Wire):
    """One reason to wait, with its owner's next step and its deadline (UTC)."""

    hold_id: str
    kind: HoldKind
    reason: str
    placed_by: str
    placed_at: datetime
    expires_at: datetime
    on_expiry: Expiry
    fields: tuple[str, ...] = ()


SYSTEM = "waybill"
