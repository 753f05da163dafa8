"""Starting the processes of orders, beside the requests that accepted them.

An accepted order is in the database, so nothing of it can be lost: its caller need not wait until
Temporal has it. A start that fails, or dies with this process, is made up for by the sweeper.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from contracts.orders import OrderRef
from domain.errors import ProviderUnavailable
from domain.order import Order

if TYPE_CHECKING:
    from api.deps import Deps

log = logging.getLogger(__name__)

MOST = 100
"""Starts under way at once; an order beyond them is left to the sweeper."""


class Starts:
    """The starts under way in this process, and those that are not yet noted in the database."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[bool]] = {}
        self._confirmed: set[str] = set()

    def begin(self, deps: "Deps", ref: OrderRef, order: Order) -> None:
        """Start an order's process without waiting for it."""
        if len(self._under_way) < MOST:
            task = asyncio.create_task(start(deps, ref, order))
            self._under_way[ref.order_id] = task
            task.add_done_callback(lambda _: self._under_way.pop(ref.order_id, None))

    async def settled(self, order_id: str) -> None:
        """Wait for the start of an order that is under way here, so that it can be commanded."""
        if task := self._under_way.get(order_id):
            await asyncio.wait([task])

    def confirm(self, order_ids: Collection[str]) -> None:
        """Take in that the processes of these orders run."""
        self._confirmed.update(order_ids)

    async def note(self, deps: "Deps") -> None:
        """Write down which processes run: one statement for all since the last time."""
        confirmed, self._confirmed = self._confirmed, set()
        if not confirmed:
            return
        try:
            await run_in_threadpool(deps.store.mark_started, sorted(confirmed))
        except BaseException:
            self.confirm(confirmed)
            raise

    async def all_settled(self) -> None:
        """Wait for every start that is under way here."""
        if self._under_way:
            await asyncio.wait([*self._under_way.values()])


async def start(deps: "Deps", ref: OrderRef, order: Order) -> bool:
    """Start an order's process; False when that must be tried again later."""
    try:
        await deps.orders.start(ref, order)
    except ProviderUnavailable as error:
        log.warning("order %s not started yet: %s", ref.order_id, error)
        return False
    deps.starts.confirm([ref.order_id])
    return True
