"""A shop whose every state can be kept and gone back to: the real webhook code over the store in
memory, and a model of an order's process that answers as the workflow does."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from api_world import SECRET, Clock, World
from fastapi import Response

from adapters.storefronts.generic import GenericStorefront
from adapters.storefronts.shopify import ShopifyStorefront
from adapters.storefronts.woocommerce import WooCommerceStorefront
from api.deps import A, Channel, OrderNotRunning
from api.orders_client import OrdersAway
from api.problems import Problem
from api.routes import webhooks
from api.sweeper import SETTLING, Sweeper
from contracts.commands import CancelAnswer, CancelOutcome, Done, Milestone, Paid
from contracts.orders import OrderRef
from domain.errors import DomainError
from domain.frozen import Wire
from domain.order import Order, PaymentForm
from domain.progress import MoneyProgress, OrderProgress, OrderStatus
from tests.fakes.stores import MemoryStore
from tests.fakes.stores.tables import LineRow, Tables

State = tuple[Any, ...]
CHANNEL = "shop"
STOREFRONTS = {
    one.name: one for one in (GenericStorefront(), ShopifyStorefront(), WooCommerceStorefront())
}


@dataclass
class Process:
    """What the order's workflow knows: whether it is cancelled, and the payment it goes by."""

    cancelled: bool = False
    ended: bool = False
    form: PaymentForm = PaymentForm.METHOD
    provider: str = ""
    reference: str = ""
    amount: int = 0

    @property
    def payment(self) -> tuple[PaymentForm, str, str, int]:
        """The payment that it goes by."""
        return self.form, self.provider, self.reference, self.amount


CHANGING = (Process, LineRow)
UNHEEDED = ("count", "last_at", "first_at", "text", "alert_id")


class Processes:
    """``api.deps.Orders`` as a model of ``workflows.order`` during its grace period.

    Every answer to an update is kept by its key, a process that ended answers nobody, and nothing
    is stored while Temporal is away (TEMPORAL.md T7).
    """

    def __init__(self) -> None:
        self.running: dict[str, Process] = {}
        self.starts = 0
        self.answers: dict[tuple[str, str], Wire] = {}
        self.away = False

    async def start(self, ref: OrderRef, order: Order) -> None:
        self._reachable()
        if ref.order_id in self.running:
            return
        self.starts += 1
        paid = order.payment
        self.running[ref.order_id] = Process(
            cancelled=ref.cancel_reason is not None,
            form=paid.form,
            provider=paid.provider,
            reference=paid.reference,
            amount=paid.amount,
        )

    async def command(
        self, order_id: str, name: str, request: Wire, answer: type[A], key: str
    ) -> A:
        self._reachable()
        process = self.running.get(order_id)
        if process is None or process.ended:
            raise OrderNotRunning("no open process")
        if (order_id, key) not in self.answers:
            self.answers[order_id, key] = self._answer(process, request)
        return answer.model_validate(self.answers[order_id, key].model_dump())

    def _answer(self, process: Process, request: Wire) -> Wire:
        if not isinstance(request, Paid):
            process.cancelled = True
            return CancelAnswer(outcome=CancelOutcome.CANCELLED)
        asked = (request.form, request.provider, request.reference, request.amount)
        adopted = process.form is PaymentForm.CAPTURED or (
            process.form is PaymentForm.AUTHORISED and process.provider
        )
        same = request.provider and request.reference == process.reference
        if adopted and not same and asked != process.payment:
            raise DomainError("another payment has been taken already", "already_paid")
        process.form, process.provider, process.reference, process.amount = asked
        return Done(status="processing")

    async def milestone(self, order_id: str, milestone: Milestone) -> None:
        raise AssertionError("a storefront's event is no milestone")

    async def progress(self, order_id: str) -> OrderProgress:
        raise OrdersAway("not asked here")

    async def ready(self) -> bool:
        return not self.away

    def _reachable(self) -> None:
        if self.away:
            raise OrdersAway("Temporal does not answer")


@dataclass(frozen=True)
class Event:
    """One signed delivery."""

    name: str
    headers: Mapping[str, str] = field(hash=False)
    content: bytes

    async def body(self) -> bytes:
        """Return the body, as a request does."""
        return self.content


class Shop:
    """One channel of a platform, and the one order that its events are about."""

    def __init__(self, platform: str) -> None:
        self.clock = Clock()
        self.store = MemoryStore(self.clock)
        self.processes = Processes()
        deps = World(self.store, self.processes, self.clock).deps()  # type: ignore[arg-type]
        channel = Channel(STOREFRONTS[platform], (SECRET,))
        self.deps = replace(deps, channels={CHANNEL: channel})

    async def deliver(self, event: Event) -> int:
        """Hand in one delivery, behind the HTTP layer; return the status it is answered with."""
        response = Response(status_code=202)
        channel = self.deps.channels[CHANNEL]
        try:
            await webhooks._take(self.deps, channel, CHANNEL, event, response)  # type: ignore[arg-type]
        except Problem as problem:
            return problem.status_code
        except OrdersAway:
            return 503
        finally:
            await self.settle()
        return response.status_code

    async def settle(self) -> None:
        """Let what a delivery began to start be started, and noted."""
        await self.deps.starts.all_settled()
        await self.deps.starts.note(self.deps)

    async def sweep(self) -> None:
        """Let the sweeper go round, when what was left to itself has settled."""
        now, self.clock.now = self.clock.now, self.clock.now + 2 * SETTLING
        await Sweeper(self.deps).sweep()
        await self.settle()
        self.clock.now = now

    def end_processes(self) -> None:
        """Let cancelled processes come to their end, which their projection shows."""
        for order_id, process in self.processes.running.items():
            if process.cancelled and not process.ended:
                process.ended = True
                money = MoneyProgress(currency="EUR")
                status = OrderStatus.CANCELLED
                self.store.project(
                    OrderProgress(order_id=order_id, version=9, status=status, money=money)
                )

    @property
    def state(self) -> State:
        """Everything that may make a difference later; live."""
        orders, tables = self.processes, vars(self.store.tables)
        filled = {name: rows for name, rows in tables.items() if rows}
        return (filled, orders.running, orders.answers, orders.starts, orders.away, self.clock.now)

    def go_back(self, kept: State) -> None:
        """Return to a state of which a copy was kept."""
        tables, running, answers, starts, away, self.clock.now = copied(kept)
        self.store.tables = Tables(**tables)
        self.processes.running, self.processes.answers = running, answers
        self.processes.starts, self.processes.away = starts, away


def copied(value: Any) -> Any:
    """Copy what changes (dicts, lists, sets, dataclasses); frozen models are shared."""
    kind = type(value)
    if kind is dict:
        return {key: copied(one) for key, one in value.items()}
    if kind in (list, tuple, set):
        return kind(copied(one) for one in value)
    return replace(value) if kind in CHANGING else value


def told(value: Any) -> Any:
    """Return a state as text, without how often and when something was said: two states that read
    the same go on the same."""
    kind = type(value)
    if kind is dict:
        return sorted((repr(k), told(v)) for k, v in value.items() if k not in UNHEEDED)
    if kind in (list, tuple):
        return [told(one) for one in value]
    return repr(value)
