"""Cancel against the end of the grace period."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from domain.holds import HoldKind
from tests.races.forcing import AGAIN, ASKED, DURING, Moment, away, during
from tests.races.kept import cancelled_for_good, cancels, told
from tests.workflows.scenes import on_hold
from tests.workflows.world import Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRACE_IS_OVER = timedelta(minutes=31)


async def in_grace(world: World) -> Running:
    running = await world.start(order(("MUG", 2)), still=True)
    await on_hold(running, HoldKind.GRACE)
    return running


@pytest.mark.parametrize("keys", ASKED.values(), ids=ASKED)
async def test_a_cancel_across_the_end_of_grace_ships_nothing(
    world: World, keys: Sequence[str]
) -> None:
    running = await in_grace(world)
    answers = await away(running, cancels(keys), passes=GRACE_IS_OVER)

    await cancelled_for_good(running, answers)


@pytest.mark.parametrize("moment", DURING)
async def test_a_cancel_after_the_end_of_grace_stops_what_the_warehouse_was_just_told(
    world: World, moment: Moment
) -> None:
    gate = world.gates.hold("warehouse.release", after=moment.after)
    running = await in_grace(world)
    passing = asyncio.create_task(running.skip(GRACE_IS_OVER))
    answers = await during(running, gate, cancels(AGAIN), moment)
    await passing

    await cancelled_for_good(running, answers)
    assert told(running, "warehouse") == ["release", "cancel"]
