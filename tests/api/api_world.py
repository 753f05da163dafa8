"""The API's world in tests: the real store on SQLite, real signatures, and orders that answer from
a script. The clock stands until it is moved."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook

from adapters.rules.cel import CelRules
from adapters.rules.order_rules import CelOrderRules
from adapters.security.api_keys import Scope, create, hash_of
from adapters.security.links import Links
from adapters.storefronts.body import parse_body
from adapters.storefronts.cards import refuse_cards
from adapters.storefronts.generic import GenericStorefront
from adapters.storefronts.generic_order import GenericOrder
from adapters.storefronts.shopify import ShopifyStorefront
from api.compose import policy_problems, read_order, verdict
from api.deps import A, CarrierHook, Channel, Deps, Limits, OrderNotRunning, PaymentHook
from api.orders_client import OrdersAway
from contracts.commands import Milestone
from contracts.orders import OrderRef
from domain.frozen import Wire
from domain.order import Address, Order
from domain.parcel import Parcel
from domain.progress import (
    LineProgress,
    LineUnits,
    MoneyProgress,
    OrderProgress,
    OrderStatus,
    ShipmentProgress,
    ShipmentStatus,
)
from domain.units import Units
from ports.carriers import Label, LabelRequest, TrackingUpdate
from ports.payments import PaymentEvent
from ports.storefronts import Unauthentic
from store.database import SqlStore

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "whsec_dGVzdHMtc2lnbi13aXRoLXRoaXMtc2VjcmV0LTAx"
CARD = "4111 1111 1111 1111"


class Clock:
    """A clock that stands."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class FakeOrders:
    """``api.deps.Orders`` from a script: per command an answer, a refusal, or a function.

    As Temporal does, it refuses a second start, and answers a repeated key with the first answer.
    """

    def __init__(self) -> None:
        self.started: dict[str, OrderRef] = {}
        self.starts = 0
        self.answers: dict[str, Wire | Exception | Callable[[Wire], Wire]] = {}
        self.asked: list[tuple[str, str, Wire, str]] = []
        self.told: list[tuple[str, Milestone]] = []
        self.ended: set[str] = set()
        self.away = False
        self.workers = True
        self.gate = asyncio.Event()
        self.gate.set()
        self._by_key: dict[tuple[str, str], Wire] = {}

    async def start(self, ref: OrderRef, order: Order) -> None:
        self._reachable()
        await self.gate.wait()
        self.starts += 1
        self.started.setdefault(ref.order_id, ref)

    async def command(
        self, order_id: str, name: str, request: Wire, answer: type[A], key: str
    ) -> A:
        self._reachable()
        if order_id in self.ended or order_id not in self.started:
            raise OrderNotRunning("no open process")
        if not self.workers:
            raise OrdersAway("no worker answered in time")
        if (order_id, key) not in self._by_key:
            self.asked.append((order_id, name, request, key))
            scripted = self.answers[name]
            if isinstance(scripted, Exception):
                raise scripted
            given = scripted if isinstance(scripted, Wire) else scripted(request)
            self._by_key[order_id, key] = given
        return answer.model_validate(self._by_key[order_id, key].model_dump())

    async def milestone(self, order_id: str, milestone: Milestone) -> None:
        self._reachable()
        if order_id in self.ended or order_id not in self.started:
            raise OrderNotRunning("no open process")
        self.told.append((order_id, milestone))

    async def progress(self, order_id: str) -> OrderProgress:
        raise OrdersAway("not scripted")

    async def ready(self) -> bool:
        return not self.away

    def _reachable(self) -> None:
        if self.away:
            raise OrdersAway("Temporal does not answer")


class FakeCarrier:
    """A carrier whose webhooks are our own model as JSON, signed by a plain header."""

    async def buy(self, request: LabelRequest, *, key: str) -> Label:
        raise NotImplementedError

    async def document(self, label: Label) -> bytes:
        raise NotImplementedError

    async def void(self, label_id: str, *, key: str) -> bool:
        raise NotImplementedError

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Any) -> None:
        signed(headers, secrets)

    def read(self, body: bytes) -> TrackingUpdate | None:
        return TrackingUpdate.model_validate_json(body) if body != b"{}" else None


class FakePaymentEvents:
    """A payment provider whose webhooks are our own model as JSON."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Any) -> None:
        signed(headers, secrets)

    def read(self, body: bytes) -> PaymentEvent:
        return PaymentEvent.model_validate_json(body)


def signed(headers: Mapping[str, str], secrets: Any) -> None:
    if headers.get("x-secret") not in secrets:
        raise Unauthentic("no live secret fits")


def no_address_faults(address: Address) -> list[tuple[str, str]]:
    return [] if address.line1 else [("line1", "is required")]


@dataclass
class World:
    """A running shop: what the API is given, and keys to call it with."""

    store: SqlStore
    orders: FakeOrders = field(default_factory=FakeOrders)
    clock: Clock = field(default_factory=Clock)
    links: Links = field(default_factory=lambda: Links(["links-are-signed-with-this-secret-1"]))
    keys: dict[str, str] = field(default_factory=dict)

    def deps(self, **changes: Any) -> Deps:
        """Return the API's world; sweeping is done by hand in tests."""
        rules = CelRules()
        deps = Deps(
            store=self.store,
            orders=self.orders,
            links=self.links,
            hash_key=hash_of,
            read_order=read_order,
            read_json=parse_body,
            channels={
                "shop": Channel(GenericStorefront(), (SECRET,)),
                "off": Channel(GenericStorefront(), ()),
                "shopify": Channel(ShopifyStorefront(), (SECRET,)),
            },
            carriers={"testpost": CarrierHook(FakeCarrier(), ("carrier-secret",))},
            payments={"testpay": PaymentHook(FakePaymentEvents(), ("pay-secret",))},
            order_schema=GenericOrder.model_json_schema(
                ref_template="#/components/schemas/{model}"
            ),
            refuse_cards=refuse_cards,
            check_address=no_address_faults,
            check_policy=lambda policy: list(policy_problems(policy, rules)),
            grade=lambda order, policy: verdict(CelOrderRules(rules), order, policy),
            now=self.clock,
            limits=Limits(per_key=100_000, per_address=1_000_000, verdict_seconds=0.3),
            public_url="https://orders.example",
            sweep_seconds=0,
        )
        return replace(deps, **changes)

    def key(self, *scopes: str, channels: tuple[str, ...] = ()) -> dict[str, str]:
        """Return the headers of a new API key."""
        made = create("test", [Scope(scope) for scope in scopes], channels=channels)
        self.store.add_key(made.key, made.key_hash)
        return {"Authorization": f"Bearer {made.secret}"}

    def project(self, progress: OrderProgress) -> None:
        """Write a picture of an order and let its process run."""
        self.store.project(progress)
        self.orders.started.setdefault(progress.order_id, OrderRef(order_id=progress.order_id))


def new_order(external_id: str = "1001", **changes: Any) -> dict[str, Any]:
    """Return the body of ``POST /orders``: three mugs."""
    return {
        "external_id": external_id,
        "number": f"#{external_id}",
        "placed_at": "2026-03-01T11:55:00Z",
        "currency": "EUR",
        "customer": {"email": "ann@example.com", "name": "Ann Lee"},
        "ship_to": {"name": "Ann Lee", "line1": "1 High St", "city": "Berlin", "country": "DE",
                    "postal_code": "10117"},
        "lines": [
            {"line_id": "l1", "sku": "MUG", "title": "Blue mug", "quantity": 3, "unit_price": 1250}
        ],
        "total": 3750,
        "payment": {"form": "elsewhere"},
        **changes,
    }  # fmt: skip


def event(kind: str, data: dict[str, Any]) -> bytes:
    """Return the body of a storefront's webhook."""
    stamp = "2026-03-01T12:00:00Z"
    return json.dumps({"type": kind, "timestamp": stamp, "data": data}).encode()


def signature(body: bytes, delivery_id: str = "d-1", at: datetime = NOON) -> dict[str, str]:
    """Return the headers that prove the storefront sent a body."""
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(delivery_id, at, body.decode()),
        "content-type": "application/json",
    }


def picture(
    order_id: str = "api-1001",
    version: int = 1,
    status: OrderStatus = OrderStatus.PROCESSING,
    shipment: ShipmentStatus | None = None,
    units: Units | None = None,
    **changes: Any,
) -> OrderProgress:
    """Return how far the order of ``new_order`` is, with one parcel when a status is given."""
    parcels = (
        ShipmentProgress(
            shipment_id=f"{order_id}-s1",
            location="berlin",
            lines=(LineUnits(line_id="l1", quantity=3),),
            status=shipment or ShipmentStatus.PLANNED,
            carrier="TestPost",
            tracking_number="TP1",
            tracking_url="https://track.example/TP1",
            label_id="lb1",
        ),
    )
    return OrderProgress(
        order_id=order_id,
        version=version,
        status=status,
        lines=(LineProgress(line_id="l1", sku="MUG", units=units or Units(reserved=3)),),
        money=MoneyProgress(currency="EUR"),
        shipments=parcels if shipment else (),
        **changes,
    )


PARCEL = {"parcel": Parcel(weight_grams=800).model_dump()}


def deps_of(client: httpx.AsyncClient) -> Deps:
    """Return the world of the API behind a client."""
    deps: Deps = client._transport.app.state.deps  # type: ignore[attr-defined]
    return deps
