"""Cancel against capture, and against the label that is bought before it."""

import pytest

from contracts.commands import Milestone, MilestoneKind
from domain.parcel import Parcel
from tests.races.forcing import AGAIN, Moment, away, during, quiet
from tests.races.kept import cancelled_for_good, cancels, goes_on, told
from tests.workflows.scenes import sums
from tests.workflows.world import Running, World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOMENT = pytest.mark.parametrize("moment", Moment)


async def picking(shop: World) -> Running:
    running = await shop.start(order(("MUG", 2)), still=True)
    await running.until(lambda _: f"{running.order_id}-s1" in shop.warehouse.floor)
    await quiet(running)
    return running


def says_packed(running: Running) -> Milestone:
    """Return what a warehouse says that has packed, but can still take the parcel back."""
    name = f"{running.order_id}-s1"
    parcel = Parcel(weight_grams=700)
    return Milestone(kind=MilestoneKind.PACKED, subject=name, at=now(), parcel=parcel)


@MOMENT
async def test_a_cancel_while_the_money_is_taken_is_too_late_and_the_parcel_goes(
    shop: World, moment: Moment
) -> None:
    gate = shop.gates.hold("payments.capture", after=moment.after)
    running = await picking(shop)
    await running.handle.signal("milestone", says_packed(running))
    answers = await during(running, gate, cancels(AGAIN), moment)

    await goes_on(running, answers, due=2500)


@MOMENT
async def test_a_cancel_while_the_label_is_bought_voids_it_when_the_parcel_can_be_stopped(
    shop: World, moment: Moment
) -> None:
    gate = shop.gates.hold("carriers.buy", after=moment.after)
    running = await picking(shop)
    await running.handle.signal("milestone", says_packed(running))
    answers = await during(running, gate, cancels(AGAIN), moment)

    await cancelled_for_good(running, answers)
    assert told(running, "carrier") == ["label", "void"]
    assert sums(shop, running) == (2500, 0, 2500, 0)


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "can be stopped"])
async def test_packed_and_cancelled_while_nobody_was_there_the_warehouse_decides(
    shop: World, packed: bool
) -> None:
    running = await picking(shop)
    if packed:
        shop.warehouse.pack(f"{running.order_id}-s1")
    answers = await away(running, cancels(AGAIN), told=[says_packed(running)])

    if packed:
        await goes_on(running, answers, due=2500)
    else:
        await cancelled_for_good(running, answers)
        assert told(running, "carrier") in ([], ["label", "void"])
