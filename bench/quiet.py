"""A world outside that does nothing and costs nothing, and a store that says how far orders are.

The real workflow, activities and store run; only the providers are no-ops, as the bare workflow's
calls are. What the warehouse and the carrier would learn is written to stdout for the driver.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.messages.compose import MailComposer
from adapters.security.links import Links
from bench.words import say
from domain.money import Money
from domain.progress import OrderProgress, ShipmentStatus, TimelineEvent
from domain.stock import Queued, StockMove
from ports.carriers import Label, LabelRequest, TrackingUpdate
from ports.messages import Message
from ports.payments import Authorisation, Capture, PaymentState, Refund
from ports.warehouses import ExpectedReturn, PickLine, PickOrder
from store.database import SqlStore
from store.engine import Database
from workers.compose import Outside

TOLD = (ShipmentStatus.RELEASED, ShipmentStatus.LABELLED, ShipmentStatus.HANDED_OVER)


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


class TellingStore(SqlStore):
    """The real store; says on stdout when a parcel waits for somebody, and when an order ends."""

    def project(
        self,
        progress: OrderProgress,
        events: Sequence[TimelineEvent] = (),
        moves: Sequence[StockMove] = (),
        queue: Sequence[Queued] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Write as ever, then tell."""
        super().project(progress, events, moves, queue, at)
        if progress.ended_at:
            say("done", progress.order_id)
        elif progress.shipments and progress.shipments[0].status in TOLD:
            say(progress.shipments[0].status, progress.order_id)


class QuietPayments:
    """A payment provider that always agrees."""

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
        """Agree."""
        return Authorisation(
            reference=f"pi_{key}",
            state=PaymentState.AUTHORISED,
            amount=amount.amount,
            currency=amount.currency,
            capturable=amount.amount,
            expires_at=now() + timedelta(days=7),
            multi_capture=multi_capture,
        )

    async def capture(
        self, order_id: str, reference: str, amount: Money, *, final: bool, key: str
    ) -> Capture:
        """Agree."""
        return Capture(reference=f"{reference}:charge", amount=amount.amount, fee=59)

    async def refund(self, order_id: str, reference: str, amount: Money, *, key: str) -> Refund:
        """Agree."""
        return Refund(reference=f"re_{key}", amount=amount.amount)

    async def void(self, order_id: str, reference: str, *, key: str) -> None:
        """Agree."""

    async def adopt(self, order_id: str, reference: str, *, key: str) -> Authorisation:
        """Never asked: the simple order brings a method."""
        raise NotImplementedError

    async def find(
        self, order_id: str, key: str, *, reference: str = ""
    ) -> Authorisation | Capture | Refund | None:
        """Never asked: no outcome is unknown."""
        raise NotImplementedError

    async def retrieve(self, reference: str) -> Authorisation:
        """Never asked."""
        raise NotImplementedError


class QuietCarrier:
    """A carrier that sells any label."""

    name = "quiet"

    async def buy(self, request: LabelRequest, *, key: str) -> Label:
        """Sell."""
        return Label(
            label_id=f"shp_{key}",
            carrier="USPS",
            service="Priority",
            tracking_number=f"94{abs(hash(key)):020d}",
            tracking_url=f"https://track.example.com/{request.subject}",
            cost=Money(amount=650, currency="USD"),
            label_url="",
            expected_on=now().date(),
        )

    async def document(self, label: Label) -> bytes:
        """Return a small document."""
        return b"%PDF-1.4\n%%EOF\n"

    async def void(self, label_id: str, *, key: str) -> bool:
        """Agree."""
        return True

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
        """Never asked: no carrier webhook is sent here."""
        raise NotImplementedError

    def read(self, body: bytes) -> TrackingUpdate | None:
        """Never asked."""
        raise NotImplementedError


class QuietWarehouse:
    """A warehouse that takes everything; the driver packs."""

    async def release(self, order: PickOrder) -> None:
        """Take."""

    async def cancel(self, shipment_id: str, lines: tuple[PickLine, ...], *, key: str) -> bool:
        """Agree."""
        return True

    async def expect_return(self, expected: ExpectedReturn) -> None:
        """Take."""


class QuietMailer:
    """A mail server that takes everything."""

    async def send(self, message: Message) -> None:
        """Take."""


def quiet_world(url: str, provider: str) -> Outside:
    """Return the real store and composer with quiet providers around them."""
    gateways: dict[str, Any] = {provider: QuietPayments()}
    return Outside(
        store=TellingStore(Database(url)),
        gateways=gateways,
        carrier=QuietCarrier(),
        warehouse=QuietWarehouse(),
        mailer=QuietMailer(),
        composer=MailComposer(Links(["bench-link-secret-bench-link-secret"]), "http://x", now),
        vendors={},
    )
