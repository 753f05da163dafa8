"""Asking a running order something on a caller's behalf."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from api.access import Caller, authenticate, visible
from api.deps import A, Deps, OrderNotRunning, World
from api.idempotency import effect_id
from api.problems import Problem, ask_again, not_found
from contracts.commands import Milestone
from domain.errors import ProviderUnavailable
from domain.frozen import Wire
from domain.progress import TERMINAL, OrderProgress, ShipmentProgress
from ports.stores import StoredOrder

T = TypeVar("T")
PART = re.compile(r"(?P<order>.+)-[rs]\d+")
"""A shipment's or a return's id: its order's, and a number drawn by the order's process."""


@dataclass(frozen=True)
class Desk:
    """One caller's request, with what is needed to answer it."""

    deps: Deps
    caller: Caller
    key: str

    async def order(self, order_id: str | None) -> StoredOrder:
        """Return an order the caller may see; else 404."""
        return await visible(self.deps, self.caller, order_id)

    async def stored(self, call: Callable[..., T], *args: Any, **named: Any) -> T:
        """Run one transaction of the store off the event loop."""
        return await run_in_threadpool(call, *args, **named)

    async def command(self, order_id: str, name: str, request: Wire, answer: type[A]) -> A:
        """Send a command; an ended order is answered from the database.

        Raises:
            Problem: 409 ``order_ended`` with the order's status, or 503 when its process has not
                been started yet.
        """
        await self.order(order_id)
        return await command(self.deps, order_id, name, request, answer, self.key)

    async def tell(self, order_id: str, milestone: Milestone) -> None:
        """Tell a running order what happened outside; errors as for ``command``."""
        try:
            await self.deps.orders.milestone(order_id, milestone)
        except OrderNotRunning:
            raise await ended(self.deps, order_id) from None

    async def shipment(self, shipment_id: str) -> tuple[StoredOrder, ShipmentProgress]:
        """Return a shipment with its order; else 404."""
        order_id = await self.stored(self.deps.store.order_of_shipment, shipment_id)
        stored = await self.order(order_id or named_by(shipment_id))
        for shipment in stored.progress.shipments if stored.progress else ():
            if shipment.shipment_id == shipment_id:
                return stored, shipment
        raise unwritten(stored, "shipment")


def named_by(part_id: str) -> str | None:
    """Return the order that a shipment's or a return's id names."""
    named = PART.fullmatch(part_id)
    return named["order"] if named else None


def unwritten(stored: StoredOrder, what: str) -> Problem:
    """Return why an order has no such shipment or return.

    A warehouse may be quicker than we are: it is asked first, and what it was asked is written
    after. An open order may still write it; one that has ended never had it.
    """
    if stored.progress and stored.progress.status in TERMINAL:
        return not_found(what)
    return ask_again(409, "not_written_yet", f"The order has not written this {what} yet.")


async def command(
    deps: Deps, order_id: str, name: str, request: Wire, answer: type[A], key: str
) -> A:
    """Send a command; an order without a process is explained from the database."""
    outcome = "refused"
    await deps.starts.settled(order_id)
    try:
        found = await deps.orders.command(order_id, name, request, answer, key)
        outcome = str(getattr(found, "outcome", "done"))
        return found
    except OrderNotRunning:
        outcome = "not_found"
        raise await ended(deps, order_id) from None
    except ProviderUnavailable:
        outcome = "unavailable"
        raise
    finally:
        deps.counts.command(name, outcome)


async def ended(deps: Deps, order_id: str) -> Problem:
    """Return why an order takes no commands: it ended, or it has not begun."""
    stored = await run_in_threadpool(deps.store.get, order_id)
    progress: OrderProgress | None = stored.progress if stored else None
    if progress and progress.status in TERMINAL:
        return Problem(
            409, "order_ended", f"The order is {progress.status}.", order_status=progress.status
        )
    return ask_again(503, "order_not_running", "The order is not being worked on yet.", 5)


async def _desk(request: Request, deps: World) -> Desk:
    caller = await authenticate(request)
    return Desk(deps, caller, effect_id(request, caller.key_id))


AtDesk = Annotated[Desk, Depends(_desk)]
