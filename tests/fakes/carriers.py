"""A carrier in memory: rates by weight, one label a key, refunds until the first scan."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta

from domain.errors import EffectRefused
from domain.money import Money
from ports.carriers import Label, LabelRequest, TrackingUpdate
from ports.storefronts import Unauthentic
from tests.fakes.desk import Clock, Desk, Ledger, standing_clock
from tests.fakes.faults import FaultPlan

SERVICES = {  # name: (start in minor units, per kilogram, days)
    "TestParcel/Ground": (510, 80, 3),
    "TestPost/Express": (1450, 320, 1),
    "TestPost/Standard": (420, 140, 4),
}
HEAVIEST_GRAMS = 30_000
PDF = b"%PDF-1.4\n% a label\n%%EOF\n"


class FakeCarrier:
    """A ``Carrier``. Webhooks are ``TrackingUpdate`` as JSON, signed in ``x-signature``."""

    name = "fake"

    def __init__(
        self, now: Clock = standing_clock, faults: FaultPlan | None = None, currency: str = "USD"
    ) -> None:
        self._desk = Desk("carriers", now, faults or FaultPlan())
        self._currency = currency
        self._labels: dict[str, tuple[Label, str, str]] = {}
        self._requests: dict[str, LabelRequest] = {}
        self._scanned: set[str] = set()
        self._voided: set[str] = set()

    @property
    def ledger(self) -> Ledger:
        """The carrier's own books: label, void."""
        return self._desk.ledger

    async def buy(self, request: LabelRequest, *, key: str) -> Label:
        """Buy the cheapest fitting service."""
        return self._desk.do("buy", key, request, lambda: self._buy(request, key))

    async def document(self, label: Label) -> bytes:
        """Return a PDF."""
        self._desk.read("document", label.label_id)
        return PDF

    async def void(self, label_id: str, *, key: str) -> bool:
        """Give the money back until the first scan; asking again is as good."""
        return self._desk.do("void", key, label_id, lambda: self._void(label_id, key))

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
        """Check ``x-signature``."""
        given = headers.get("x-signature", "").encode()
        if not any(hmac.compare_digest(sign(body, secret).encode(), given) for secret in secrets):
            raise Unauthentic("no live secret made this signature")

    def read(self, body: bytes) -> TrackingUpdate | None:
        """Read an update written as JSON."""
        return TrackingUpdate.model_validate_json(body)

    def scan(self, label_id: str) -> None:
        """Let the carrier see the parcel: from now on the label cannot be voided."""
        self._scanned.add(label_id)

    def live_labels(self, order_id: str) -> list[Label]:
        """Return the labels of an order that are bought and not voided."""
        return [
            label
            for label, order, _ in self._labels.values()
            if order == order_id and label.label_id not in self._voided
        ]

    def request_of(self, label_id: str) -> LabelRequest:
        """Return what a label was bought for."""
        return self._requests[label_id]

    def _buy(self, request: LabelRequest, key: str) -> Label:
        if not request.destination.country or not request.destination.line1:
            raise EffectRefused("the address cannot be found", "ADDRESS.VERIFY.FAILURE")
        if not 0 < request.parcel.weight_grams <= HEAVIEST_GRAMS:
            raise EffectRefused("no carrier takes this weight", "PARCEL.WEIGHT.INVALID")
        wanted = request.service.lower()
        rates = [
            (start + per_kilo * request.parcel.weight_grams // 1000, days, name)
            for name, (start, per_kilo, days) in SERVICES.items()
            if wanted in ("", name.lower())
        ]
        if not rates:
            raise EffectRefused(f"no rate for {request.service}", "no_rate")
        if request.within_days and not wanted:
            fastest = min(days for _, days, _ in rates)
            rates = [rate for rate in rates if rate[1] <= max(request.within_days, fastest)]
        price, days, name = min(rates)
        carrier, service = name.split("/")
        number = self._desk.new_id("TRK")
        label = Label(
            label_id=self._desk.new_id("shp"),
            carrier=carrier,
            service=service,
            tracking_number=number,
            tracking_url=f"https://track.example/{number}",
            cost=Money(amount=price, currency=self._currency),
            label_url=f"https://labels.example/{number}.pdf",
            expected_on=(self._desk.now() + timedelta(days=days)).date(),
        )
        self._labels[label.label_id] = (label, request.order_id, key)
        self._requests[label.label_id] = request
        self._record("label", label, request.order_id, key)
        return label

    def _void(self, label_id: str, key: str) -> bool:
        if label_id not in self._labels:
            raise EffectRefused(f"no label {label_id}", "NOT_FOUND")
        if label_id in self._scanned:
            return False
        label, order_id, _ = self._labels[label_id]
        if label_id not in self._voided:
            self._voided.add(label_id)
            self._record("void", label, order_id, key)
        return True

    def _record(self, kind: str, label: Label, order_id: str, key: str) -> None:
        cost = label.cost
        self._desk.record(
            kind, order_id, key, label.label_id, amount=cost.amount, currency=cost.currency,
            detail=label.tracking_number,
        )  # fmt: skip


def sign(body: bytes, secret: str) -> str:
    """Return the signature that ``verify`` expects."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
