"""What Waybill needs of a payment provider (PSP)."""

from datetime import datetime
from typing import Protocol

from domain.frozen import Wire
from domain.money import Money
from domain.payment import Authorisation, Capture, PaymentState, Refund

__all__ = [
    "Authorisation",
    "Capture",
    "PaymentEvent",
    "PaymentGateway",
    "PaymentState",
    "Refund",
]


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
