"""Telling orders of the queue that it is their turn: free units lie there for them."""

from collections.abc import Iterable

from api.deps import Deps, OrderNotRunning
from contracts.commands import Milestone, MilestoneKind
from domain.stock import Turn


async def tell_turns(deps: Deps, turns: Iterable[Turn]) -> tuple[str, ...]:
    """Tell each order once; return whom. One that is told for nothing takes nothing."""
    told: dict[str, None] = {}
    for turn in turns:
        if turn.order_id in told:
            continue
        told[turn.order_id] = None
        milestone = Milestone(kind=MilestoneKind.STOCK, subject=turn.sku, at=deps.now())
        try:
            await deps.orders.milestone(turn.order_id, milestone)
        except OrderNotRunning:
            continue
    return tuple(told)
