"""What Waybill needs of a storefront: proof that it spoke, and what it said."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.frozen import Frozen
from domain.order import Order


class EventKind(StrEnum):
    """What a storefront's event asks of us."""

    ORDER = "order"
    CANCEL = "cancel"
    IGNORED = "ignored"


class StorefrontEvent(Frozen):
    """One webhook, read.

    ``delivery_id`` names this delivery (a repeat carries the same one); ``external_id`` names the
    order. ``order`` is set for kind ``order``; an order that arrives already cancelled has
    ``cancelled`` true as well. ``reason`` is the storefront's cancel reason or why it is ignored.
    ``follows_create`` marks an order that an earlier event has normally brought (paid, updated):
    its body differs by nature, so a known order is not compared with it; what may be new is money.
    """

    kind: EventKind
    topic: str
    delivery_id: str = ""
    external_id: str = ""
    order: Order | None = None
    cancelled: bool = False
    follows_create: bool = False
    reason: str = ""
    occurred_at: datetime | None = None


class Unauthentic(Exception):
    """A webhook whose signature, or its age, does not hold. Nothing of it is stored."""


class Storefront(Protocol):
    """A kind of storefront (``shopify``, ``woocommerce``, ``generic``).

    Pure: no network, no clock but ``now``. One instance serves every channel of its kind.
    """

    name: str

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> None:
        """Check the signature over the raw body, in constant time, against each live secret.

        Raises:
            Unauthentic: no secret fits, a header is missing, or the stamp is over 300 s away.
        """

    def read(
        self, headers: Mapping[str, str], body: bytes, channel: str, now: datetime
    ) -> StorefrontEvent:
        """Turn the body into what it asks of us.

        Args:
            headers: lower-case names.
            channel: our channel's name; becomes ``Order.channel`` and the order id's prefix.

        Raises:
            InvalidOrder: it cannot be read as an order; names every field at fault.
        """
