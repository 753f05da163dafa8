"""What Waybill needs of a payment provider (PSP)."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.frozen import Wire
from domain.money import Money


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


class PaymentGateway(Protocol):
    """A payment provider. Each call carries ``key``: the same key makes one effect, whatever the
    number of calls, and is also written to the payment's metadata with the order id, so that
    ``find`` can prove an effect after the provider has forgotten the key.

    Every method raises ``PaymentDeclined`` (issuer says no), ``EffectRefused`` (never possible) or
    ``ProviderUnavailable`` (unknown outcome or trouble: repeat with the same key).
    """

    async def authorise(
        self,
        order_id: str,
        amount: Money,
        *,
        customer: str,
        method: str,
        multi_capture: bool,
        key: str,
    ) -> Authorisation:
        """Reserve ``amount`` on the customer's method; nothing is taken yet."""

    async def adopt(self, order_id: str, reference: str, *, key: str) -> Authorisation:
        """Look up a payment the storefront made, and mark it with our order id."""

    async def capture(
        self, order_id: str, reference: str, amount: Money, *, final: bool, key: str
    ) -> Capture:
        """Take ``amount`` of the authorisation; ``final`` releases what is left of it."""

    async def void(self, order_id: str, reference: str, *, key: str) -> None:
        """Release an authorisation. One that never was, lapsed or is void already is no error."""

    async def refund(self, order_id: str, reference: str, amount: Money, *, key: str) -> Refund:
        """Give back ``amount`` of what was captured on the payment ``reference``."""

    async def find(
        self, order_id: str, key: str, *, reference: str = ""
    ) -> Authorisation | Capture | Refund | None:
        """Look up whether the effect with this key exists; ``None`` proves that it does not.

        Give the payment's ``reference`` when it is known (captures, refunds): the proof then needs
        no index at the provider. A void is not looked up but repeated, under any key.
        """

    async def retrieve(self, reference: str) -> Authorisation:
        """Return how a payment stands now."""


class PaymentEvent(Wire):
    """A provider's webhook, read: what happened to which payment.

    ``kind``: ``authorised``, ``action_required``, ``declined``, ``captured``, ``voided``,
    ``refunded``, ``disputed`` or ``other``.
    """

    event_id: str
    kind: str
    reference: str = ""
    order_id: str = ""
    amount: int = 0
    currency: str = ""
    occurred_at: datetime | None = None
