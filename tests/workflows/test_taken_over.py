"""Orders that another worker takes over: what it writes must replay on a third (INVARIANTS D1).

Temporal's core puts a workflow task that left no event, and an update that comes next to a worker
which does not know the order, into one activation; a replay may take them one after the other
(temporalio/sdk-python#1591). So a timer that changes an order leaves an event: ``invariants`` looks
for it in every history of these tests.
"""

import asyncio
from collections.abc import Callable

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from contracts.commands import Done, HoldAnswer, PlaceHold, ReleaseHold
from domain.holds import HoldKind
from domain.policy import GraceRule, Policy
from tests.workflows.scenes import on_hold
from tests.workflows.world import Running, World, order
from workers.running import sandboxed
from workflows.order import Order

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def replays(running: Running) -> None:
    """Replay the order's history as a fresh worker would."""
    history: WorkflowHistory = await running.handle.fetch_history()
    replayer = Replayer(
        workflows=[Order],
        data_converter=running.world.client.data_converter,
        workflow_runner=sandboxed(),
    )
    await replayer.replay_workflow(history)


async def test_a_hold_that_runs_out_while_another_holds_is_written_and_replays(
    open_world: Callable[..., "asyncio.Future[World]"],
) -> None:
    # Real seconds: a clock that is moved leaves events of its own.
    world = await open_world(Policy(grace=(GraceRule(seconds=3),)))
    running = await world.start(order(("MUG", 1)), still=True)
    await on_hold(running, HoldKind.GRACE)
    placed = await running.ask("place_hold", PlaceHold(reason="call the customer"), HoldAnswer)
    await running.until(lambda p: len(p.holds) == 1)
    stored = world.store.get(running.order_id)
    assert stored
    assert stored.progress
    assert [hold.kind for hold in stored.progress.holds] == [HoldKind.OPS]
    await world.rest()
    await world.work()
    await running.ask("release_hold", ReleaseHold(hold_id=placed.hold_id), Done)
    await running.hand_over()
    await replays(running)
