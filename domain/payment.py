"""Payments as they stand at a provider, in minor units."""

from datetime import datetime
from enum import StrEnum

from domain.frozen import Wire


class PaymentState(StrEnum):
    """Where a payment stands at the provider."""

    AUTHORISED = "authorised"
    ACTION_REQUIRED = "action_required"
    CAPTURED = "captured"
    VOIDED = "voided"
    DECLINED = "declined"
    PENDING = "pending"


class Authorisation(Wire):
    """An authorisation as it stands at the provider, in minor units.

    ``capturable`` is what may still be captured; ``multi_capture`` says whether a partial capture
    leaves the rest alive; ``reusable_method``/``customer`` allow a later off-session charge.
    """

    reference: str
    state: PaymentState
    amount: int
    currency: str
    capturable: int = 0
    captured: int = 0
    refunded: int = 0
    expires_at: datetime | None = None
    multi_capture: bool = False
    customer: str = ""
    reusable_method: str = ""


class Capture(Wire):
    """A capture as the provider booked it; ``fee`` is the provider's, 0 when not yet known.

    ``capturable`` is what the authorisation still holds afterwards.
    """

    reference: str
    amount: int
    fee: int = 0
    capturable: int = 0


class Refund(Wire):
    """A refund as the provider booked it."""

    reference: str
    amount: int
