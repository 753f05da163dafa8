"""What the API catches up on by itself: every few seconds, one small step each.

Orders that were accepted while Temporal was away are started; parked cancels that no order ever
met, and reservations whose time is over, are brought to an end that somebody sees.
"""

import asyncio
import logging
from datetime import timedelta

from starlette.concurrency import run_in_threadpool

from api.deps import Deps
from api.intake import start
from contracts.orders import OrderRef

log = logging.getLogger(__name__)

SETTLING = timedelta(seconds=3)
"""How long the request that accepted an order is left to start it itself."""


async def sweep_for_ever(deps: Deps) -> None:
    """Sweep until cancelled; trouble in one step leaves the others and the next round alone."""
    while True:
        await sweep(deps)
        await asyncio.sleep(deps.sweep_seconds)


async def sweep(deps: Deps) -> None:
    """Do each step once."""
    for step in (start_waiting_orders, report_lost_cancels, end_old_reservations):
        try:
            await step(deps)
        except Exception:
            log.exception("sweeper: %s failed; it is tried again", step.__name__)


async def start_waiting_orders(deps: Deps) -> None:
    """Start what was accepted and never confirmed as started, oldest first."""
    waiting = await run_in_threadpool(deps.store.unstarted, deps.now() - SETTLING)
    for order_id in waiting:
        stored = await run_in_threadpool(deps.store.get, order_id)
        if stored is None:
            continue
        reason = stored.progress.cancel_reason if stored.progress else ""
        ref = OrderRef(order_id=order_id, cancel_reason=reason or None)
        if not await start(deps, ref, stored.order):
            return


async def report_lost_cancels(deps: Deps) -> None:
    """Tell the operators about cancels whose order never came."""
    now = deps.now()
    for cancel in await run_in_threadpool(deps.store.parked, now):
        text = f"{cancel.channel} cancelled order {cancel.external_id}, which never came."
        subject = f"{cancel.channel}-{cancel.external_id}"
        await run_in_threadpool(deps.store.alert, "parked_cancel", subject, text, now)


async def end_old_reservations(deps: Deps) -> None:
    """Give units back whose reservation ran out, and say whose they were."""
    now = deps.now()
    for order_id in await run_in_threadpool(deps.store.expire, now):
        text = "A reservation ran out and its units were given back."
        await run_in_threadpool(deps.store.alert, "reservation_expired", order_id, text, now)
