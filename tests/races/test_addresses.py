"""A changed address against the release to the warehouse."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from contracts.commands import ChangeAddress, Done
from domain.holds import HoldKind
from tests.races.forcing import AGAIN, ONCE, Answers, Ask, Moment, away, during
from tests.races.kept import told
from tests.workflows.scenes import kinds, on_hold
from tests.workflows.world import HOME, Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRACE_IS_OVER = timedelta(minutes=31)
LINES = {"a": "1 New Road", "b": "2 Other Way"}


def asks(keys: Sequence[str]) -> list[Ask]:
    """Return a change to a street of its own for each id."""
    there = {key: HOME.model_copy(update={"line1": line}) for key, line in LINES.items()}
    return [Ask("change_address", ChangeAddress(address=there[k]), Done, k) for k in keys]


async def in_grace(world: World) -> Running:
    running = await world.start(order(("MUG", 1)), still=True)
    await on_hold(running, HoldKind.GRACE)
    return running


async def goes_where_it_was_last_told(running: Running, answers: Answers) -> None:
    """The one parcel goes to an address whose change was answered, and where the order says."""
    world, name = running.world, f"{running.order_id}-s1"
    await running.until(lambda _: name in world.warehouse.floor)
    told_to = world.warehouse.floor[name].order.ship_to
    changed = [key for key, answer in answers.items() if isinstance(answer, Done)]
    stored = world.store.get(running.order_id)
    assert stored is not None
    assert told_to == (stored.ship_to or stored.order.ship_to)
    assert told_to.line1 in ([LINES[key] for key in changed] or [HOME.line1])
    assert told(running, "warehouse") == ["release"]
    assert kinds(running).count("address.changed") == len(changed)


@pytest.mark.parametrize("keys", [ONCE, AGAIN], ids=["once", "again and to another"])
async def test_an_address_changed_across_the_end_of_grace_is_where_the_parcel_goes(
    world: World, keys: Sequence[str]
) -> None:
    running = await in_grace(world)
    answers = await away(running, asks(keys), passes=GRACE_IS_OVER)

    assert all(isinstance(one, Done) for one in answers.values())
    await goes_where_it_was_last_told(running, answers)


@pytest.mark.parametrize("moment", [Moment.AFTER, Moment.WITH_ANSWER])
async def test_an_address_changed_while_the_warehouse_is_told_is_refused_and_the_old_one_stays(
    world: World, moment: Moment
) -> None:
    gate = world.gates.hold("warehouse.release", after=moment.after)
    running = await in_grace(world)
    passing = asyncio.create_task(running.skip(GRACE_IS_OVER))
    answers = await during(running, gate, asks(AGAIN), moment)
    await passing

    assert set(answers.values()) == {"too_late"}
    await goes_where_it_was_last_told(running, answers)
