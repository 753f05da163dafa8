"""Cancel against short pick: the same units are asked back and not found."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from contracts.commands import Cancel, CancelAnswer, CancelOutcome, Milestone, MilestoneKind
from tests.races.forcing import AGAIN, ASKED, DURING, Moment, away, during, quiet
from tests.races.kept import (
    cancelled_for_good,
    cancelled_units,
    cancels,
    packed_units,
    told,
    worth,
)
from tests.workflows.scenes import sums, units
from tests.workflows.world import Running, World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIDES = pytest.mark.parametrize("moment", DURING)


async def picking(shop: World) -> Running:
    running = await shop.start(order(("MUG", 3)), still=True)
    await running.until(lambda _: f"{running.order_id}-s1" in shop.warehouse.floor)
    await quiet(running)
    return running


def missing(running: Running, quantity: int) -> Milestone:
    """Let the warehouse miss some of the first parcel's three mugs; return what it says."""
    name = f"{running.order_id}-s1"
    running.world.warehouse.miss(name, "1", quantity)
    found = (units("1", 3 - quantity),) if quantity < 3 else ()
    return Milestone(kind=MilestoneKind.SHORT_PICKED, subject=name, at=now(), lines=found)


@pytest.mark.parametrize("absent", [2, 3])
async def test_all_is_cancelled_although_the_shelf_was_short_while_nobody_was_there(
    shop: World, absent: int
) -> None:
    running = await picking(shop)
    short = missing(running, absent)
    answers = await away(running, cancels(AGAIN), told=[short, short])

    assert cancelled_units(answers) == 3
    await cancelled_for_good(running, answers)
    assert told(running, "warehouse").count("cancel") == (1 if absent < 3 else 0)


@pytest.mark.parametrize("keys", ASKED.values(), ids=ASKED)
async def test_a_unit_cancelled_while_two_are_missing_leaves_the_rest_and_its_price(
    shop: World, keys: Sequence[str]
) -> None:
    running = await picking(shop)
    answers = await away(running, cancels(keys, units("1", 1)), told=[missing(running, 2)])
    for n in (1, 2)[: 3 - len(set(keys))]:
        await running.hand_over(n)

    assert {one.outcome for one in answers.values()} == {CancelOutcome.CANCELLED}
    assert cancelled_units(answers) + packed_units(running) == 3
    assert sums(shop, running)[1:] == (3500 - worth(answers), 0, 0)


@SIDES
async def test_what_is_missing_while_the_warehouse_is_asked_to_stop_is_cancelled_all_the_same(
    shop: World, moment: Moment
) -> None:
    gate = shop.gates.hold("warehouse.cancel", after=moment.after)
    running = await picking(shop)
    first = asyncio.create_task(running.ask("cancel", Cancel(), CancelAnswer, key="first"))
    await gate.reached()
    await running.handle.signal("milestone", missing(running, 1))
    answers = await during(running, gate, cancels(AGAIN), moment)

    answers["first"] = await first
    assert cancelled_units(answers) == 3
    await cancelled_for_good(running, answers)


@SIDES
async def test_a_cancel_while_the_missing_units_go_to_another_warehouse_stops_both(
    shop: World, moment: Moment
) -> None:
    running = await picking(shop)
    gate = shop.gates.hold("warehouse.release", after=moment.after)
    await running.handle.signal("milestone", missing(running, 1))
    answers = await during(running, gate, cancels(AGAIN), moment)

    assert cancelled_units(answers) == 3
    await cancelled_for_good(running, answers)
    assert Counter(told(running, "warehouse")) == {"release": 2, "short": 1, "cancel": 2}
