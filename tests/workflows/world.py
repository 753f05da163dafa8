"""A world for workflow tests: the real workflow and activities, the real store, fake providers."""

import os
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.testing import TimeSkipper, WorkflowEnvironment
from temporalio.worker._workflow_instance import _WorkflowLogicFlag

from adapters.messages.compose import MailComposer
from adapters.security.links import Links
from adapters.temporal.converter import data_converter
from adapters.temporal.keys import KeyRing
from contracts.orders import (
    CARRIERS,
    MESSAGES,
    ORDERS,
    PAYMENTS,
    WAREHOUSES,
    WORKFLOW,
    OrderRef,
    OrderResult,
    workflow_id,
)
from domain.order import Order
from domain.policy import GraceRule, Policy
from domain.stock import Location, MovementReason, Product
from ports.stores import Delivery
from store.database import SqlStore, open_store
from store.migrate import migrate
from tests.fakes.carriers import FakeCarrier
from tests.fakes.faults import FaultPlan
from tests.fakes.fraud import FakeFraudVendor
from tests.fakes.gates import Gates
from tests.fakes.messages import FakeMailer
from tests.fakes.payments import FakePaymentGateway
from tests.fakes.warehouses import FakeWarehouse
from tests.workflows.orders import DAY as DAY
from tests.workflows.orders import HOME as HOME
from tests.workflows.orders import SHOP
from tests.workflows.orders import now as now
from tests.workflows.orders import order as order
from tests.workflows.running import Running as Running
from workers.compose import Outside, activities
from workers.running import workers
from workflows import visibility

QUEUES = (ORDERS, PAYMENTS, CARRIERS, WAREHOUSES, MESSAGES)
ONE_BATCH = _WorkflowLogicFlag.PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH
KEYS = "t1:" + "A" * 43 + "="
TEMPORAL = str(Path(sys.executable).parent / "temporal")
SEARCH_ATTRIBUTES = [
    visibility.STATUS,
    visibility.HOLD,
    visibility.CHANNEL,
    visibility.LOCATION,
    visibility.PROMISE,
    visibility.GRADE,
]


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
        data_converter=data_converter(KeyRing.parse(KEYS)),
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
    """One shop with two locations, fakes outside, and a worker.

    ``one_batch``: its worker applies all jobs of an activation before any code runs, as the SDK
    will do by default one day (TEMPORAL.md T2).
    """

    def __init__(
        self,
        client: Client,
        folder: Path,
        policy: Policy | None = None,
        *,
        one_batch: bool = False,
    ) -> None:
        self.client = client
        self.still_client = Client(**(client.config() | {"interceptors": []}))
        self.time = TimeSkipper(self.still_client)
        self.running: list[Running] = []
        self.one_batch = one_batch
        self._at_work: dict[str, AsyncExitStack] = {}
        self.faults = FaultPlan()
        self.gates = Gates()
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
            gateways={"fake": self.gates.around("payments", self.payments)},
            carrier=self.gates.around("carriers", self.carrier),
            warehouse=self.gates.around("warehouse", self.warehouse),
            mailer=self.gates.around("mail", self.mailer),
            composer=MailComposer(Links(["s" * 32]), "http://shop.test", now),
            vendors={"vendor": self.vendor},
        )

    @asynccontextmanager
    async def worker(self, *queues: str) -> AsyncIterator[None]:
        """Run workers for all queues, or some; workflows in the sandbox."""
        with ThreadPoolExecutor(32) as threads:
            async with AsyncExitStack() as stack:
                for one in workers(
                    self.client,
                    activities(self.outside()),
                    threads,
                    queues=queues,
                    sandbox="UNSANDBOXED" not in os.environ,
                    grace_seconds=0.1,
                ):
                    if self.one_batch and one.task_queue == ORDERS:
                        one._set_default_workflow_logic_flag(ONE_BATCH, enabled=True)
                    await stack.enter_async_context(one)
                yield

    @property
    def at_work(self) -> bool:
        """Whether any worker is there."""
        return bool(self._at_work)

    async def work(self, *queues: str) -> None:
        """Start the workers of all queues, or of some."""
        for queue in queues or QUEUES:
            self._at_work[queue] = AsyncExitStack()
            await self._at_work[queue].enter_async_context(self.worker(queue))

    async def rest(self, *queues: str) -> None:
        """Stop the workers: nobody is there until ``work`` is called again."""
        for queue in queues or QUEUES:
            if queue in self._at_work:
                await self._at_work.pop(queue).aclose()

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
