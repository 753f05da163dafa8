"""Waiting: for a wished date, for a launch. Money is not held meanwhile (C56)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.commands import (
    Cancel,
    CancelAnswer,
    MilestoneKind,
    ReleaseHold,
    Reschedule,
    ShipNow,
)
from domain.holds import HoldKind
from tests.fakes.faults import Fault
from tests.workflows.scenes import (
    at,
    ended,
    held,
    mails,
    on_hold,
    parcel,
    shelf,
    shelve,
)
from tests.workflows.world import DAY, Running, World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")
OpenWorld = Callable[..., Any]
HOUR = timedelta(hours=1)


async def start(shop: World, *lines: tuple[str, int], **more: Any) -> Running:
    return await shop.start(order(*lines, **more), still=True)


def money(running: Running) -> list[str]:
    """Return what happened to an order's money at the provider, in order."""
    return [row.kind for row in running.world.payments.ledger.rows(running.order_id)]


# a wished date


async def test_an_order_for_a_far_date_holds_no_money_until_it_is_released(shop: World) -> None:
    wished = (now() + 40 * DAY).date()
    running = await start(shop, ("MUG", 1), deliver_on=wished)
    progress = await on_hold(running, HoldKind.SCHEDULE)
    await running.until(lambda p: p.money.status == "voided")
    assert (progress.status, progress.promise) == ("scheduled", wished)
    assert money(running) == ["authorise", "void"]
    await running.skip(40 * DAY)
    await running.deliver(1)

    assert (await ended(running)).captured == 1500
    assert money(running) == ["authorise", "void", "authorise", "capture"]
    assert mails(running)["delay"] == 0


async def test_a_decline_at_release_ships_nothing_until_another_method_pays(shop: World) -> None:
    running = await start(shop, ("MUG", 1), deliver_on=(now() + 40 * DAY).date())
    await running.until(lambda p: p.money.status == "voided")
    shop.faults.add("payments.authorise", Fault.DECLINE)
    await running.skip(34 * DAY)
    progress = await on_hold(running, HoldKind.PAYMENT)
    assert (progress.status, parcel(progress, 1)) == ("on_hold", "planned")
    await running.skip(4 * DAY)

    result = await running.result()
    assert (result.status, result.captured) == ("cancelled", 0)
    assert shop.warehouse.ledger.rows(running.order_id, "release") == ()
    assert shelf(shop, "MUG", "east") == (10, 0)


async def test_a_rescheduled_order_waits_for_its_new_date(shop: World) -> None:
    running = await start(shop, ("MUG", 1), deliver_on=(now() + 20 * DAY).date())
    await on_hold(running, HoldKind.SCHEDULE)
    later = (now() + 30 * DAY).date()
    await running.ask("reschedule", Reschedule(deliver_on=later))
    progress = await running.until(lambda p: p.promise == later and held(p, HoldKind.SCHEDULE))
    assert len(progress.holds) == 1
    await running.skip(20 * DAY)
    assert (await running.progress()).status == "scheduled"
    await running.skip(10 * DAY)
    await at(running, 1, "released")


@pytest.mark.parametrize("by", ["ship_now", "release_hold"])
async def test_a_schedule_ends_at_once_when_a_person_says_so(shop: World, by: str) -> None:
    running = await start(shop, ("MUG", 1), deliver_on=(now() + 20 * DAY).date())
    progress = await on_hold(running, HoldKind.SCHEDULE)
    model = ShipNow() if by == "ship_now" else ReleaseHold(hold_id=progress.holds[0].hold_id)
    await running.ask(by, model)
    await at(running, 1, "released")
    assert (await running.progress()).holds == ()


async def test_ship_now_in_the_grace_period_ends_the_schedule_too(world: World) -> None:
    running = await start(world, ("MUG", 1), deliver_on=(now() + 20 * DAY).date())
    await on_hold(running, HoldKind.GRACE)
    await running.ask("ship_now", ShipNow())
    await at(running, 1, "released")


async def test_a_scheduled_order_can_be_cancelled_until_it_is_released(shop: World) -> None:
    running = await start(shop, ("MUG", 1), deliver_on=(now() + 60 * DAY).date())
    await running.until(lambda p: p.money.status == "voided")
    await running.skip(35 * DAY)
    shop.store.expire(now() + 35 * DAY)
    assert shelf(shop, "MUG", "east") == (10, 1)
    answer = await running.ask("cancel", Cancel(), CancelAnswer)
    assert answer.outcome == "cancelled"
    result = await running.result()
    assert (result.status, shelf(shop, "MUG", "east")) == ("cancelled", (10, 0))


# a launch


async def test_a_preorder_waits_for_its_launch_and_then_ships(shop: World) -> None:
    shelve(shop, "GAME", east=5, launch_on=(now() + 30 * DAY).date())
    running = await start(shop, ("GAME", 1))
    progress = await on_hold(running, HoldKind.PREORDER)
    assert progress.status == "scheduled"
    assert shelf(shop, "GAME", "east") == (5, 0)
    await running.skip(31 * DAY)
    await running.deliver(1)
    assert (await ended(running)).captured == 1500


async def test_a_preorder_without_stock_at_its_launch_becomes_a_backorder(shop: World) -> None:
    shelve(shop, "GAME", launch_on=(now() + 3 * DAY).date())
    running = await start(shop, ("GAME", 1), ("MUG", 1))
    await on_hold(running, HoldKind.PREORDER)
    await running.skip(4 * DAY)
    progress = await on_hold(running, HoldKind.BACKORDER)
    assert [line.units.backordered for line in progress.lines] == [1, 0]
    await running.deliver(1)
    shop.stock("GAME", "west", 1)
    await running.tell(MilestoneKind.STOCK, "GAME")
    await running.deliver(2)
    assert (await ended(running)).captured == 2500


async def test_an_operator_may_release_a_preorder_before_its_launch(shop: World) -> None:
    shelve(shop, "GAME", east=1, launch_on=(now() + 30 * DAY).date())
    running = await start(shop, ("GAME", 1))
    progress = await on_hold(running, HoldKind.PREORDER)
    await running.ask("release_hold", ReleaseHold(hold_id=progress.holds[0].hold_id))
    await at(running, 1, "released")
