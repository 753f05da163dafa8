"""What Waybill needs of a carrier (or a carrier aggregator)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from domain.frozen import Wire
from domain.money import Money
from domain.order import Address
from domain.parcel import Parcel


class LabelRequest(Wire):
    """A label to buy. ``service`` is ``Carrier/Service``; when it is empty, the cheapest that
    arrives within ``within_days`` (0 is any), or the fastest when none does."""

    order_id: str
    subject: str
    origin: Address
    destination: Address
    parcel: Parcel
    service: str = ""
    within_days: int = 0
    is_return: bool = False


class Label(Wire):
    """A bought label. ``label_id`` is the carrier's; the document is fetched separately."""

    label_id: str
    carrier: str
    service: str
    tracking_number: str
    tracking_url: str = ""
    cost: Money
    label_url: str
    expected_on: date | None = None


class TrackingState(StrEnum):
    """A parcel's state, in the order in which it moves; the last four are exceptions."""

    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURNED_TO_SENDER = "returned_to_sender"
    LOST = "lost"
    CANCELLED = "cancelled"


class Scan(Wire):
    """One carrier scan; (carrier, tracking number, code, at) names it for ever."""

    state: TrackingState
    code: str = ""
    message: str = ""
    at: datetime
    place: str = ""
    signed_by: str = ""


class TrackingUpdate(Wire):
    """A tracker webhook, read: the scans it carries, in any order, repeats included."""

    event_id: str
    carrier: str
    tracking_number: str
    scans: tuple[Scan, ...]
    expected_on: date | None = None


class Carrier(Protocol):
    """A carrier. ``key`` makes one label, whatever the number of calls.

    Raises ``EffectRefused`` (bad address, parcel too heavy, void refused) or
    ``ProviderUnavailable``.
    """

    async def buy(self, request: LabelRequest, *, key: str) -> Label:
        """Rate, choose and buy one label for one parcel."""

    async def document(self, label: Label) -> bytes:
        """Return the label's PDF."""

    async def void(self, label_id: str, *, key: str) -> bool:
        """Ask the label's money back; False when the carrier refuses (already scanned)."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
        """Check a tracker webhook's signature; raises ``ports.storefronts.Unauthentic``."""

    def read(self, body: bytes) -> TrackingUpdate | None:
        """Read a tracker webhook; ``None`` for an event that is no tracking."""
