"""What the API says to Temporal, on a real server, to a small order process."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.deps import OrderNotRunning
from api.orders_client import OrdersAway, TemporalOrders
from contracts.commands import Cancel, CancelAnswer, CancelOutcome, Done, Milestone, ShipNow
from contracts.commands import MilestoneKind as Kind
from contracts.orders import WORKFLOW, OrderRef
from domain.errors import DomainError
from domain.order import Order, OrderLine, Totals
from domain.progress import MoneyProgress, OrderProgress
from tests.workflows.world import start_server

QUEUE = "toy-orders"


@workflow.defn(name=WORKFLOW)
class Toy:
    """Takes one cancel, refuses everything else, ends when it is delivered."""

    @workflow.init
    def __init__(self, ref: OrderRef) -> None:
        self.order_id, self.cancels, self.over = ref.order_id, 0, False

    @workflow.run
    async def run(self, _: OrderRef) -> None:
        await workflow.wait_condition(lambda: self.over)

    @workflow.update
    async def cancel(self, _: Cancel) -> CancelAnswer:
        self.cancels += 1
        return CancelAnswer(outcome=CancelOutcome.CANCELLED, refunded=self.cancels)

    @workflow.update
    async def ship_now(self, _: ShipNow) -> Done:
        return Done(status="processing")

    @ship_now.validator
    def _never(self, _: ShipNow) -> None:
        raise ApplicationError("the order has no grace hold", type="not_held", non_retryable=True)

    @workflow.signal
    def milestone(self, said: Milestone) -> None:
        self.over = said.kind is Kind.DELIVERED

    @workflow.query
    def progress(self) -> OrderProgress:
        return OrderProgress(order_id=self.order_id, money=MoneyProgress(currency="EUR"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    environment = await start_server()
    yield environment
    await environment.shutdown()


def order() -> Order:
    external_id = uuid4().hex
    return Order(
        order_id=f"shop-{external_id}", channel="shop", external_id=external_id,
        placed_at="2026-03-01T12:00:00Z", currency="EUR", totals=Totals(total=1000),
        lines=(OrderLine(line_id="1", quantity=1),),
    )  # fmt: skip


@pytest.mark.asyncio(loop_scope="module")
async def test_an_order_is_started_once_commanded_once_and_never_started_again(
    server: WorkflowEnvironment,
) -> None:
    client = server.client

    async def connect() -> Client:
        return client

    placed = order()
    ref, order_id = OrderRef(order_id=placed.order_id), placed.order_id
    orders = TemporalOrders(connect, QUEUE, patience=timedelta(seconds=1.5))
    ask = Cancel(actor="customer")
    with pytest.raises(OrderNotRunning):
        await orders.command(order_id, "cancel", ask, CancelAnswer, "k1")
    await asyncio.gather(*(orders.start(ref, placed) for _ in range(20)))
    with pytest.raises(OrdersAway):
        await orders.command(order_id, "cancel", ask, CancelAnswer, "k1")
    worker = Worker(
        client, task_queue=QUEUE, workflows=[Toy], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with worker:
        patient = TemporalOrders(connect, QUEUE)
        answers = [
            await patient.command(order_id, "cancel", ask, CancelAnswer, "k1") for _ in range(3)
        ]
        assert [answer.refunded for answer in answers] == [1, 1, 1]
        with pytest.raises(DomainError, match="no grace hold") as refused:
            await patient.command(order_id, "ship_now", ShipNow(), Done, "k2")
        assert refused.value.code == "not_held"
        assert (await patient.progress(order_id)).order_id == order_id
        done = Milestone(kind=Kind.DELIVERED, subject="s1", at=placed.placed_at)
        await patient.milestone(order_id, done)
        await client.get_workflow_handle(f"order/{order_id}").result()
        with pytest.raises(OrderNotRunning):
            await patient.command(order_id, "cancel", ask, CancelAnswer, "k3")
        with pytest.raises(OrderNotRunning):
            await patient.milestone(order_id, done)
        await patient.start(ref, placed)
        assert (await client.get_workflow_handle(f"order/{order_id}").describe()).close_time
    assert await patient.ready()


async def test_without_temporal_everything_says_ask_again() -> None:
    async def connect() -> Client:
        return await Client.connect("127.0.0.1:1")

    orders = TemporalOrders(connect)
    placed = order()
    with pytest.raises(OrdersAway):
        await orders.start(OrderRef(order_id=placed.order_id), placed)
    assert not await orders.ready()
