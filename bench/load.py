"""Many orders at once: what one costs in CPU, and how many come through in a second.

A closed loop: a fixed number of orders is in flight, each that ends makes room for the next. There
are enough of them that both cores are busy while timers run. CPU is counted from the first start to
the last end, in the server and the worker; the rate is that of the middle half of all ends.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy

from bench.bare import QUEUE, Bare, Load
from bench.processes import Child
from bench.shop import now, take_in
from contracts.commands import Milestone, MilestoneKind
from contracts.orders import ORDERS, WORKFLOW, OrderRef, workflow_id
from domain.parcel import Parcel
from store.database import SqlStore

LATER = 0.15
"""Seconds until the warehouse or the carrier does what it was asked: its call finds a quiet order,
as it does in life."""
SPACING = 0.03
"""Seconds between the first starts, so that orders do not march in step."""
LATEST = 60.0
AWAITS = ("released", "labelled", "handed_over")
"""Words of the worker that somebody outside answers; the SDK's own log lines are none of them."""

Start = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Figures:
    """One round of one kind. CPU in ms per order, rate in orders per second."""

    kind: str
    orders: int
    seconds: float
    rate: float
    server_cpu: float
    worker_cpu: float
    worker_mb: float

    @property
    def cpu(self) -> float:
        """CPU ms per order, server and worker."""
        return self.server_cpu + self.worker_cpu


class Bares:
    """Starts bare workflows."""

    kind = "bare"

    def __init__(self, client: Client, load: Load) -> None:
        self._client, self._load = client, load

    async def start(self, name: str) -> None:
        """Start one."""
        await self._client.start_workflow(Bare.run, self._load, id=name, task_queue=QUEUE)

    def heard(self, word: str, name: str) -> None:
        """Nothing outside answers a bare workflow."""


class Simple:
    """Starts simple orders, and is their warehouse and carrier."""

    kind = "ours"

    def __init__(self, client: Client, store: SqlStore, lines: int = 1) -> None:
        self._client, self._store, self._lines = client, store, lines
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: set[tuple[str, str]] = set()

    async def start(self, name: str) -> None:
        """Take an order in and start its process, as the API does."""
        order = await asyncio.to_thread(take_in, self._store, name, self._lines)
        await self._client.start_workflow(
            WORKFLOW,
            OrderRef(order_id=order.order_id),
            id=workflow_id(order.order_id),
            task_queue=ORDERS,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )

    def heard(self, word: str, name: str) -> None:
        """Answer what the order waits for, once."""
        if (word, name) not in self._told:
            self._told.add((word, name))
            task = asyncio.create_task(self._answer(word, name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, word: str, order_id: str) -> None:
        await asyncio.sleep(LATER)
        subject = f"{order_id}-s1"
        at = now()
        if word == "released":
            parcel = Parcel(weight_grams=700)
            said = Milestone(kind=MilestoneKind.PACKED, subject=subject, at=at, parcel=parcel)
        elif word == "labelled":
            said = Milestone(kind=MilestoneKind.HANDED_OVER, subject=subject, at=at)
        else:
            said = Milestone(
                kind=MilestoneKind.DELIVERED, subject=subject, at=at, signed_by="A. Example"
            )
        handle = self._client.get_workflow_handle(workflow_id(order_id))
        await handle.signal("milestone", said)


async def run(
    kind: Bares | Simple, orders: int, in_flight: int, server: Child, worker: Child
) -> tuple[Figures, list[str]]:
    """Bring ``orders`` orders from start to end; return what they cost, and their names."""
    loop = _Loop(kind)
    worker.heard = loop.hear
    before = server.cpu(), worker.cpu()
    began = time.perf_counter()
    names, ends = await loop.go(orders, in_flight)
    seconds = time.perf_counter() - began
    after = server.cpu(), worker.cpu()
    low, high = orders // 4, orders - orders // 4 - 1
    return Figures(
        kind=kind.kind,
        orders=orders,
        seconds=seconds,
        rate=(high - low) / (ends[high] - ends[low]) if high > low else 0.0,
        server_cpu=1000 * (after[0] - before[0]) / orders,
        worker_cpu=1000 * (after[1] - before[1]) / orders,
        worker_mb=worker.megabytes(),
    ), names


class _Loop:
    """Keeps a number of orders in flight and hears when each ends."""

    def __init__(self, kind: Bares | Simple) -> None:
        self._kind = kind
        self._ends: dict[str, asyncio.Event] = {}

    def hear(self, line: str) -> None:
        """Take in a line of the worker: a word and an order."""
        word, _, name = line.partition(" ")
        if word == "done":
            self._ends.setdefault(name, asyncio.Event()).set()
        elif word in AWAITS:
            self._kind.heard(word, name)

    async def go(self, orders: int, in_flight: int) -> tuple[list[str], list[float]]:
        """Run orders; return their names and the moments of their ends, in order."""
        places = asyncio.Semaphore(in_flight)
        tag, ends = uuid4().hex[:8], list[float]()
        prefix = "shop-" if isinstance(self._kind, Simple) else ""

        async def one(n: int) -> None:
            async with places:
                name = f"{tag}.{n}"
                if n < in_flight:
                    await asyncio.sleep(n * SPACING)
                await self._kind.start(name)
                end = self._ends.setdefault(prefix + name, asyncio.Event())
                await asyncio.wait_for(end.wait(), LATEST)
                ends.append(time.perf_counter())

        await asyncio.gather(*(one(n) for n in range(orders)))
        return [f"{prefix}{tag}.{n}" for n in range(orders)], sorted(ends)
