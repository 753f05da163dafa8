"""What the API catches up on by itself: every few seconds, one small step each.

Orders that were accepted while Temporal was away are started; orders that wait for units which came
free are told; parked cancels that no order ever met, and reservations whose time is over, are
brought to an end that somebody sees.
"""

import asyncio
import logging
from datetime import timedelta

from starlette.concurrency import run_in_threadpool

from api.deps import Deps, OrderNotRunning
from api.starting import start
from api.waiting import tell_turns
from contracts.commands import Milestone, MilestoneKind
from contracts.orders import OrderRef
from domain.errors import ProviderUnavailable

log = logging.getLogger(__name__)

SETTLING = timedelta(seconds=3)
"""How long the request that accepted an order is left to start it itself."""


async def sweep_for_ever(deps: Deps) -> None:
    """Sweep until cancelled; trouble in one step leaves the others and the next round alone."""
    sweeper = Sweeper(deps)
    while True:
        await sweeper.sweep()
        await asyncio.sleep(deps.sweep_seconds)


class Sweeper:
    """Sweeps, and remembers whom of the queue it has told of how many free units."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._told: dict[tuple[str, str], int] = {}

    async def sweep(self) -> None:
        """Do each step once."""
        for step in (
            self.note_started_orders,
            self.start_waiting_orders,
            self.report_lost_cancels,
            self.end_old_reservations,
            self.serve_the_queue,
        ):
            try:
                await step()
            except Exception:
                log.exception("sweeper: %s failed; it is tried again", step.__name__)

    async def note_started_orders(self) -> None:
        """Write down which processes run, so that they are not started again."""
        await self._deps.starts.note(self._deps)

    async def start_waiting_orders(self) -> None:
        """Start what was accepted and never confirmed as started, oldest first."""
        deps = self._deps
        waiting = await run_in_threadpool(deps.store.unstarted, deps.now() - SETTLING)
        for order_id, cancelled in waiting:
            stored = await run_in_threadpool(deps.store.get, order_id)
            if stored is None:
                continue
            ref = OrderRef(order_id=order_id, cancel_reason=cancelled)
            if not await start(deps, ref, stored.order):
                return

    async def report_lost_cancels(self) -> None:
        """Tell the operators about cancels whose order never came."""
        deps, now = self._deps, self._deps.now()
        for cancel in await run_in_threadpool(deps.store.parked, now):
            text = f"{cancel.channel} cancelled order {cancel.external_id}, which never came."
            subject = f"{cancel.channel}-{cancel.external_id}"
            await run_in_threadpool(deps.store.alert, "parked_cancel", subject, text, now)

    async def end_old_reservations(self) -> None:
        """Give units back whose reservation ran out, and tell the order and the operators.

        Nothing is ended while orders cannot be told: one that ships units it no longer holds would
        take another's.
        """
        deps, now = self._deps, self._deps.now()
        if not await deps.orders.ready():
            return
        for order_id in await run_in_threadpool(deps.store.expire, now):
            text = "A reservation ran out and its units were given back."
            await run_in_threadpool(deps.store.alert, "reservation_expired", order_id, text, now)
            milestone = Milestone(kind=MilestoneKind.RESERVATION_EXPIRED, subject=order_id, at=now)
            try:
                await deps.orders.milestone(order_id, milestone)
            except OrderNotRunning:
                continue
            except ProviderUnavailable as error:
                log.error("order %s does not know that its reservation ended: %s", order_id, error)

    async def serve_the_queue(self) -> None:
        """Tell orders whose turn it is: a cancel, a return or an expiry has set units free.

        An order is told again only when more lies there than when it was told, or when it was out
        of turn meanwhile: one that can do nothing with the units is not woken every few seconds.
        """
        turns = await run_in_threadpool(self._deps.store.servable)
        fresh = [turn for turn in turns if turn.free > self._told.get((turn.order_id, turn.sku), 0)]
        await tell_turns(self._deps, fresh)
        self._told = {
            key: max(turn.free, self._told.get(key, 0))
            for turn in turns
            for key in [(turn.order_id, turn.sku)]
        }
