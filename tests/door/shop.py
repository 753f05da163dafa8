"""A shop with something of everything, for whoever knocks at the API from outside.

Its processes always answer, by turns with consent and with each kind of refusal, so that a 5xx is
never Temporal's fault.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

from adapters.carriers.easypost_tracking import read_webhook, verify_webhook
from adapters.payments.stripe_webhooks import StripeWebhooks
from adapters.storefronts.woocommerce import WooCommerceStorefront
from api.deps import A, CarrierHook, Channel, Deps, OrderNotRunning, PaymentHook
from contracts.commands import (
    CancelAnswer,
    CancelOutcome,
    Done,
    HoldAnswer,
    Milestone,
    ReturnAnswer,
)
from contracts.orders import OrderRef
from domain.errors import DomainError
from domain.frozen import Wire
from domain.order import Component, Order
from domain.progress import OrderStatus, ReturnProgress, ReturnStatus, ShipmentStatus
from domain.stock import Location, MovementReason, Product
from domain.units import Units
from ports.stores import Delivery
from store.database import SqlStore
from tests.api.api_world import NOON, SECRET, FakeCarrier, FakeOrders, World, new_order, picture

LABEL = b"%PDF-1.4\n% a label\n%%EOF\n"
CANCELLED = CancelAnswer(outcome=CancelOutcome.CANCELLED, refunded=1250)
ANSWERS: dict[type[Wire], Wire] = {
    CancelAnswer: CANCELLED,
    Done: Done(status="processing"),
    HoldAnswer: HoldAnswer(hold_id="h1", expires_at=NOON),
    ReturnAnswer: ReturnAnswer(return_id="api-1001-r1", status="requested"),
}
REFUSALS = ("not_held", "line_unknown", "too_late", "return_unknown", "already_decided")
STATES: dict[str, tuple[OrderStatus, ShipmentStatus | None]] = {
    "1001": (OrderStatus.PROCESSING, ShipmentStatus.LABELLED),
    "1002": (OrderStatus.ON_HOLD, None),
    "1003": (OrderStatus.SHIPPED, ShipmentStatus.IN_TRANSIT),
    "1004": (OrderStatus.CANCELLED, ShipmentStatus.CANCELLED),
    "1005": (OrderStatus.COMPLETED, ShipmentStatus.DELIVERED),
    "1006": (OrderStatus.RECEIVED, None),
}
ORDERS = tuple(f"api-{number}" for number in STATES)
KNOWN: dict[str, tuple[str, ...]] = {
    "order_id": (*ORDERS, "shop-1001"),
    "shipment_id": ("api-1001-s1", "api-1003-s1", "api-1004-s1", "api-1005-s1"),
    "return_id": ("api-1003-r1", "api-1005-r1", "api-1005-r2"),
    "hold_id": ("h1",),
    "alert_id": ("1", "2", "3"),
    "sku": ("MUG", "SET"),
    "code": ("berlin", "closed"),
    "channel": ("shop", "woo", "shopify"),
    "carrier": ("testpost",),
    "provider": ("testpay",),
    "line_id": ("l1",),
    "token": ("not-a-link",),
    "location": ("berlin",),
}
"""Names that mean something here, by the field or parameter that takes them."""


class AnsweringOrders(FakeOrders):
    """Processes that answer every command: three in four by consent, else by a refusal."""

    async def command(
        self, order_id: str, name: str, request: Wire, answer: type[A], key: str
    ) -> A:
        if order_id in self.ended or order_id not in self.started:
            raise OrderNotRunning("no open process")
        turn = crc32(f"{order_id} {request!r}".encode("utf-8", "surrogatepass"))
        if turn % 4 == 0:
            code = REFUSALS[turn // 4 % len(REFUSALS)]
            raise DomainError(f"the process refuses {name}", code)
        return answer.model_validate(ANSWERS[answer].model_dump())

    async def milestone(self, order_id: str, milestone: Milestone) -> None:
        if order_id in self.ended or order_id not in self.started:
            raise OrderNotRunning("no open process")
        self.told.append((order_id, milestone))


class Tracker(FakeCarrier):
    """EasyPost's webhooks, read by our adapter; nothing is bought."""

    verify = staticmethod(verify_webhook)
    read = staticmethod(read_webhook)


def open_shop(store: SqlStore) -> World:
    """Fill a migrated, empty store and return the world around it, with an admin's key."""
    world = World(store=store, orders=AnsweringOrders())
    world.keys = world.key("admin")
    _stock(store)
    read = world.deps().read_order
    for number, (status, shipment) in STATES.items():
        _order(world, read, number, status, shipment)
    _take(world, read(_body("1001"), "shop", NOON))
    for kind in ("dispute", "storefront_cancel", "order_conflict"):
        store.alert(kind, ORDERS[0], "to be dealt with", NOON)
    return world


def deps_of(world: World) -> Deps:
    """Return what the API is given: the three kinds of storefront, EasyPost and Stripe besides."""
    deps, secrets = world.deps(), (SECRET,)
    stripe = PaymentHook(StripeWebhooks(world.clock), secrets)
    return replace(
        deps,
        channels={**deps.channels, "woo": Channel(WooCommerceStorefront(), secrets)},
        carriers={**deps.carriers, "easypost": CarrierHook(Tracker(), secrets)},
        payments={**deps.payments, "stripe": stripe},
    )


def _stock(store: SqlStore) -> None:
    for code in KNOWN["code"]:
        store.save_location(Location(code=code, name=code.title(), active=code != "closed"))
    store.save_product(Product(sku="MUG", title="Blue mug", grams=350))
    pair = (Component(sku="MUG", quantity=2),)
    store.save_product(Product(sku="SET", title="Two mugs", components=pair))
    reason = MovementReason.INITIAL
    store.receive("MUG", "berlin", 40, reason=reason, key="initial", actor="test", note="")


def _order(
    world: World,
    read: Callable[..., Order],
    number: str,
    status: OrderStatus,
    shipment: ShipmentStatus | None,
) -> None:
    order_id = f"api-{number}"
    _take(world, read(_body(number), "api", NOON))
    returns = tuple(
        ReturnProgress(return_id=f"{order_id}-r{n}", lines=(), status=state)
        for n, state in ((1, ReturnStatus.LABEL_SENT), (2, ReturnStatus.REFUNDED))
        if number in ("1003", "1005")
    )
    over = status in (OrderStatus.CANCELLED, OrderStatus.COMPLETED)
    units = Units(cancelled=3) if status is OrderStatus.CANCELLED else Units(reserved=3)
    world.project(picture(order_id, status=status, shipment=shipment, units=units, returns=returns))
    if over:
        world.orders.ended.add(order_id)
    for n, subject in enumerate((f"{order_id}-s1", *(one.return_id for one in returns))):
        world.store.save_label(subject, order_id, f"TP{number}{n}", LABEL)


def _take(world: World, order: Order) -> None:
    delivery = Delivery(
        channel=order.channel,
        delivery_id=f"seed-{order.order_id}",
        topic="orders/place",
        external_id=order.external_id,
        body_hash=order.order_id,
        received_at=NOON,
    )
    world.store.accept(delivery, order)
    world.store.mark_started(order.order_id)
    world.orders.started[order.order_id] = OrderRef(order_id=order.order_id)


def _body(number: str) -> bytes:
    return json.dumps(new_order(number)).encode()
