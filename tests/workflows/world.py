"""A world for workflow tests: the real workflow and activities, the real store, fake providers."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.testing import TimeSkipper, TimeSkippingConfig, WorkflowEnvironment

from adapters.messages.compose import MailComposer
from adapters.security.links import Links
from adapters.temporal.converter import data_converter
from adapters.temporal.keys import KeyRing
from contracts.commands import Milestone, MilestoneKind
from contracts.orders import ORDERS, WORKFLOW, OrderRef, OrderResult, workflow_id
from domain.order import (
    Address,
    Customer,
    Order,
    OrderLine,
    Payment,
    PaymentForm,
    ShippingChoice,
    Totals,
    order_id_of,
)
from domain.parcel import Parcel
from domain.policy import GraceRule, Policy
from domain.progress import OrderProgress
from domain.stock import Location, MovementReason, Product
from ports.stores import Delivery
from store.database import SqlStore, open_store
from store.migrate import migrate
from tests.fakes.carriers import FakeCarrier
from tests.fakes.faults import FaultPlan
from tests.fakes.fraud import FakeFraudVendor
from tests.fakes.messages import FakeMailer
from tests.fakes.payments import FakePaymentGateway
from tests.fakes.warehouses import FakeWarehouse
from workers.compose import Outside, activities
from workers.running import workers
from workflows import visibility

TEMPORAL = str(Path(sys.executable).parent / "temporal")
SHOP = Address(
    name="Depot", line1="1 Dock St", city="Austin", region="TX", postal_code="78701", country="US"
)
HOME = Address(
    name="Ada Marker",
    line1="500 Main St",
    city="Dallas",
    region="TX",
    postal_code="75201",
    country="US",
)
SEARCH_ATTRIBUTES = [
    visibility.STATUS,
    visibility.HOLD,
    visibility.CHANNEL,
    visibility.LOCATION,
    visibility.PROMISE,
    visibility.GRADE,
]


def now() -> datetime:
    """Return the time now, UTC."""
    return datetime.now(UTC)


def order_time() -> datetime:
    """Return the time of the order that a step is done for: its clock may be ahead of ours."""
    if activity.in_activity() and not activity.info().is_local:
        return activity.info().started_time
    return now()


async def start_server() -> WorkflowEnvironment:
    """Start the dev server with a clock per workflow that skips waiting (TEMPORAL.md T6)."""
    return await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=TEMPORAL,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_log_level="error",
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
        ],
        data_converter=data_converter(KeyRing.parse("t1:" + "A" * 43 + "=")),
    )


@cache
def stocked() -> bytes:
    """Return a database with two locations and three products, made once for all tests."""
    with TemporaryDirectory() as folder:
        database = Path(folder) / "waybill.db"
        migrate(f"sqlite:///{database}")
        store = open_store(f"sqlite:///{database}")
        for code, priority in (("east", 0), ("west", 1)):
            store.save_location(Location(code=code, address=SHOP, priority=priority))
        for sku in ("MUG", "TEE", "CAP"):
            store.save_product(Product(sku=sku, title=sku.title(), grams=300))
            for code in ("east", "west"):
                shelve(store, sku, code, 10)
        store.close()
        return database.read_bytes()


def shelve(store: SqlStore, sku: str, location: str, quantity: int) -> None:
    """Put units on a shelf."""
    reason = MovementReason.RECEIPT
    store.receive(sku, location, quantity, reason=reason, key=uuid4().hex, actor="test")


class World:
    """One shop with two locations, fakes outside, and a worker."""

    def __init__(self, client: Client, folder: Path, policy: Policy | None = None) -> None:
        self.client = client
        self.still_client = Client(**(client.config() | {"interceptors": []}))
        self.time = TimeSkipper(self.still_client)
        self.running: list[Running] = []
        self._at_work = AsyncExitStack()
        self.faults = FaultPlan()
        database = folder / "waybill.db"
        database.write_bytes(stocked())
        self.store: SqlStore = open_store(f"sqlite:///{database}")
        self.payments = FakePaymentGateway(order_time, self.faults)
        self.carrier = FakeCarrier(order_time, self.faults)
        self.warehouse = FakeWarehouse(order_time, self.faults)
        self.mailer = FakeMailer(order_time, self.faults)
        self.vendor = FakeFraudVendor(order_time, self.faults)
        usual = Policy(grace=(GraceRule(seconds=1800),))
        self.store.save_policy(policy or usual, "test", now())

    def stock(self, sku: str, location: str, quantity: int) -> None:
        """Put units on a shelf."""
        shelve(self.store, sku, location, quantity)

    def outside(self) -> Outside:
        """Return everything the activities touch."""
        return Outside(
            store=self.store,
            gateways={"fake": self.payments},
            carrier=self.carrier,
            warehouse=self.warehouse,
            mailer=self.mailer,
            composer=MailComposer(Links(["s" * 32]), "http://shop.test", now),
            vendors={"vendor": self.vendor},
        )

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """Run workers for all queues; workflows in the sandbox."""
        with ThreadPoolExecutor(32) as threads:
            async with AsyncExitStack() as stack:
                for one in workers(
                    self.client,
                    activities(self.outside()),
                    threads,
                    sandbox="UNSANDBOXED" not in os.environ,
                    grace_seconds=0.1,
                ):
                    await stack.enter_async_context(one)
                yield

    async def work(self) -> None:
        """Start the workers."""
        await self._at_work.enter_async_context(self.worker())

    async def rest(self) -> None:
        """Stop the workers: nobody is there until ``work`` is called again."""
        await self._at_work.aclose()

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    # orders

    def accept(self, order: Order) -> Order:
        """Take an order in, as the API does."""
        delivery = Delivery(
            channel=order.channel,
            delivery_id=uuid4().hex,
            topic="order.created",
            external_id=order.external_id,
            body_hash=uuid4().hex,
            received_at=now(),
        )
        self.store.accept(delivery, order)
        return order

    async def start(
        self, order: Order, cancelled: str | None = None, *, still: bool = False
    ) -> "Running":
        """Take an order in and start its process; its clock skips all waiting, unless ``still``."""
        self.accept(order)
        handle = await (self.still_client if still else self.client).start_workflow(
            WORKFLOW,
            OrderRef(order_id=order.order_id, cancel_reason=cancelled),
            id=workflow_id(order.order_id),
            task_queue=ORDERS,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            result_type=OrderResult,
        )
        self.running.append(Running(self, handle, order.order_id))
        return self.running[-1]


class Running:
    """One running order, and what may happen to it."""

    def __init__(self, world: World, handle: WorkflowHandle[Any, Any], order_id: str) -> None:
        self.world = world
        self.handle = handle
        self.order_id = order_id

    async def progress(self) -> OrderProgress:
        """Ask the workflow for the whole picture."""
        return await self.handle.query("progress", result_type=OrderProgress)

    async def until(
        self, reached: Callable[[OrderProgress], bool], seconds: float = 20
    ) -> OrderProgress:
        """Wait until the order's picture is as wished."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            progress = await self.progress()
            if reached(progress):
                return progress
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"never reached: {progress.model_dump_json(indent=1)}")
            await asyncio.sleep(0.05)

    async def tell(self, kind: MilestoneKind, subject: str, **more: Any) -> None:
        """Send a milestone, as the API does."""
        milestone = Milestone(kind=kind, subject=subject, at=now(), **more)
        await self.handle.signal("milestone", milestone)

    async def skip(self, duration: timedelta | None = None) -> None:
        """Move the order's clock forward and let it stand; or skip all waiting from now on."""
        if duration is not None:
            await self.world.time.fast_forward(self.handle, duration)
            return
        await self.world.time._update_time_skipping_config(self.handle, TimeSkippingConfig())

    async def ask(self, command: str, model: Any, result: Any = None, key: str = "") -> Any:
        """Send an update and wait for its answer."""
        return await self.handle.execute_update(
            command, model, id=key or uuid4().hex, result_type=result
        )

    async def pack(self, n: int = 1) -> str:
        """Wait for a shipment to be released, and pack it."""
        shipment = f"{self.order_id}-s{n}"
        await self.until(
            lambda p: (
                _status(p, shipment) in ("released", "picked")
                and shipment in self.world.warehouse.floor
            )
        )
        self.world.warehouse.pack(shipment)
        await self.tell(MilestoneKind.PACKED, shipment, parcel=Parcel(weight_grams=700))
        return shipment

    async def hand_over(self, n: int = 1) -> str:
        """Pack a shipment and give it to the carrier."""
        shipment = await self.pack(n)
        await self.until(lambda p: _status(p, shipment) == "labelled")
        await self.tell(MilestoneKind.HANDED_OVER, shipment)
        await self.until(lambda p: _status(p, shipment) == "handed_over")
        return shipment

    async def deliver(self, n: int = 1) -> str:
        """Bring a shipment to the customer."""
        shipment = await self.hand_over(n)
        await self.tell(MilestoneKind.DELIVERED, shipment, signed_by="A. Marker")
        return shipment

    async def result(self) -> OrderResult:
        """Wait for the end."""
        return await asyncio.wait_for(self.handle.result(), 60)


def _status(progress: OrderProgress, shipment: str) -> str:
    return next((s.status.value for s in progress.shipments if s.shipment_id == shipment), "")


def order(
    *lines: tuple[str, int],
    external_id: str = "",
    form: PaymentForm = PaymentForm.METHOD,
    method: str = "pm_card_visa",
    reference: str = "",
    price: int = 1000,
    shipping: int = 500,
    placed_at: datetime | None = None,
    **more: Any,
) -> Order:
    """Return an order of (sku, quantity) lines at ``price`` each."""
    wanted = lines or (("MUG", 1),)
    external = external_id or uuid4().hex[:12]
    total = sum(quantity for _, quantity in wanted) * price + shipping
    values: dict[str, Any] = {
        "order_id": order_id_of("shop", external),
        "channel": "shop",
        "external_id": external,
        "number": f"#{external}",
        "placed_at": placed_at or now(),
        "currency": "USD",
        "customer": Customer(email=f"{external}@marker.example", name="Ada Marker"),
        "ship_to": HOME,
        "lines": tuple(
            OrderLine(line_id=str(i + 1), sku=sku, title=sku, quantity=quantity, unit_price=price)
            for i, (sku, quantity) in enumerate(wanted)
        ),
        "shipping": ShippingChoice(code="standard", title="Standard", price=shipping),
        "totals": Totals(subtotal=total - shipping, shipping=shipping, total=total),
        "payment": Payment(
            form=form,
            provider="fake",
            method=method if form is PaymentForm.METHOD else "",
            reference=reference,
            amount=total,
        ),
    }
    return Order(**(values | more))


DAY = timedelta(days=1)
