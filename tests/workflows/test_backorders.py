"""Backorders and kits: what is short waits for stock, by priority and then by age."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.commands import (
    Cancel,
    CancelAnswer,
    MilestoneKind,
)
from contracts.steps import LineFacts, Placed, PlacedShipment
from domain.holds import HoldKind
from domain.order import Component
from domain.policy import RoutingPolicy
from domain.stock import Product
from domain.units import UnitState
from tests.workflows.scenes import (
    at,
    ended,
    held,
    mails,
    on_hold,
    prompt,
    shelf,
    shelve,
    units,
)
from tests.workflows.world import DAY, Running, World, order
from workflows.placing import Placing
from workflows.state import OrderState

pytestmark = pytest.mark.asyncio(loop_scope="session")
OpenWorld = Callable[..., Any]
HOUR = timedelta(hours=1)


async def start(shop: World, *lines: tuple[str, int], **more: Any) -> Running:
    return await shop.start(order(*lines, **more), still=True)


def money(running: Running) -> list[str]:
    """Return what happened to an order's money at the provider, in order."""
    return [row.kind for row in running.world.payments.ledger.rows(running.order_id)]


async def test_what_is_there_goes_at_once_and_the_rest_when_stock_comes(shop: World) -> None:
    shelve(shop, "POT", east=2)
    running = await start(shop, ("POT", 5))
    await running.deliver(1)
    progress = await on_hold(running, HoldKind.BACKORDER)
    assert progress.lines[0].units.backordered == 3
    shop.stock("POT", "west", 1)
    await running.tell(MilestoneKind.STOCK, "POT")
    await running.deliver(2)
    assert held(await running.progress(), HoldKind.BACKORDER)
    shop.stock("POT", "east", 9)
    await running.tell(MilestoneKind.STOCK, "POT")
    await running.deliver(3)

    result = await ended(running)
    assert (result.status, result.captured, result.refunded) == ("completed", 5500, 0)
    assert shelf(shop, "POT", "east") == (7, 0)


async def test_orders_queue_for_stock_by_priority_and_then_by_age(shop: World) -> None:
    shelve(shop, "POT")
    vip = order(("POT", 1)).customer.model_copy(update={"tier": "vip"})
    first = await start(shop, ("POT", 1))
    await on_hold(first, HoldKind.BACKORDER)
    second = await start(shop, ("POT", 2), customer=vip)
    await second.until(lambda _: len(shop.store.waiting("POT")) == 2)
    queue = [(one.order_id, one.quantity) for one in shop.store.waiting("POT")]
    assert queue == [(second.order_id, 2), (first.order_id, 1)]

    shop.stock("POT", "east", 2)
    await second.tell(MilestoneKind.STOCK, "POT")
    await at(second, 1, "released")
    await first.until(lambda _: len(shop.store.waiting("POT")) == 1)
    assert shop.store.waiting("POT")[0].order_id == first.order_id


async def test_money_is_not_held_for_a_long_backorder_and_taken_again_before_it_ships(
    shop: World,
) -> None:
    shelve(shop, "POT")
    running = await start(shop, ("POT", 1))
    await running.until(lambda p: p.money.status == "voided")
    shop.stock("POT", "east", 1)
    await running.skip(10 * DAY)
    await running.tell(MilestoneKind.STOCK, "POT")
    await running.deliver(1)
    assert (await ended(running)).captured == 1500
    assert money(running) == ["authorise", "void", "authorise", "capture"]


async def test_a_backorder_is_cancelled_at_its_deadline_and_the_customer_told(
    open_world: OpenWorld,
) -> None:
    shop = await open_world(prompt(routing=RoutingPolicy(backorder_deadline=3 * 86400)))
    shelve(shop, "POT", east=1)
    running = await start(shop, ("POT", 2))
    await running.deliver(1)
    await on_hold(running, HoldKind.BACKORDER)
    await running.skip(3 * DAY + HOUR)
    progress = await running.until(lambda p: p.lines[0].units.cancelled == 1)
    assert (progress.status, progress.holds) == ("delivered", ())

    assert (await ended(running)).captured == 1250
    assert (mails(running)["backordered"], mails(running)["cancelled"]) == (1, 1)
    assert shop.store.waiting("POT") == []


async def test_a_customer_may_cancel_a_backorder_and_hears_of_it_once(shop: World) -> None:
    shelve(shop, "POT", east=1)
    running = await start(shop, ("POT", 2))
    await on_hold(running, HoldKind.BACKORDER)
    answer = await running.ask("cancel", Cancel(lines=(units("1", 1),)), CancelAnswer)
    assert answer.outcome == "cancelled"
    progress = await running.progress()
    assert not held(progress, HoldKind.BACKORDER)
    await running.deliver(1)
    await running.skip(31 * DAY)

    assert (await running.result()).captured == 1250
    assert mails(running)["cancelled"] == 1


async def test_a_whole_backorder_that_is_cancelled_ends_at_once(shop: World) -> None:
    shelve(shop, "POT")
    running = await start(shop, ("POT", 1))
    await on_hold(running, HoldKind.BACKORDER)
    await running.ask("cancel", Cancel(), CancelAnswer)
    result = await running.result()
    assert (result.status, result.captured) == ("cancelled", 0)
    assert shop.store.waiting("POT") == []


async def test_units_that_may_not_be_backordered_are_cancelled_and_the_rest_goes(
    shop: World,
) -> None:
    shelve(shop, "LAST", east=1, backorder=False)
    running = await start(shop, ("LAST", 3))
    await running.deliver(1)
    result = await ended(running)
    assert (result.status, result.captured) == ("completed", 1166)
    sent = mails(running)
    assert (sent["cancelled"], sent["backordered"], sent["confirmation"]) == (1, 0, 1)


async def test_an_order_of_nothing_but_sold_out_units_is_cancelled_at_once(
    open_world: OpenWorld,
) -> None:
    shop = await open_world(prompt(routing=RoutingPolicy(backorder=False)))
    shelve(shop, "LAST")
    running = await start(shop, ("LAST", 1))
    result = await running.result()
    assert (result.status, result.captured, money(running)) == ("cancelled", 0, [])
    assert mails(running) == {"cancelled": 1}


# kits


def kit(shop: World, sku: str, **parts: int) -> str:
    """Add a kit of other products."""
    components = tuple(Component(sku=one, quantity=each) for one, each in parts.items())
    shop.store.save_product(Product(sku=sku, title=sku.title(), components=components))
    return sku


async def test_a_kit_reserves_and_consumes_its_components(shop: World) -> None:
    kit(shop, "SET", MUG=2, TEE=1)
    running = await start(shop, ("SET", 3))
    await at(running, 1, "released")
    assert (shelf(shop, "MUG", "east"), shelf(shop, "TEE", "east")) == ((10, 6), (10, 3))
    await running.deliver(1)
    await ended(running)
    assert (shelf(shop, "MUG", "east"), shelf(shop, "TEE", "east")) == ((4, 0), (7, 0))


async def test_a_kit_and_its_component_in_one_order_share_the_shelf(shop: World) -> None:
    kit(shop, "SET", MUG=1, TEE=1)
    running = await start(shop, ("SET", 6), ("MUG", 6))
    await at(running, 1, "released")
    await running.deliver(1)
    await running.deliver(2)
    progress = await running.until(lambda p: p.status == "delivered")
    assert sum(line.units.delivered for line in progress.lines) == 12
    assert shelf(shop, "MUG", "east")[0] + shelf(shop, "MUG", "west")[0] == 8


async def test_a_backordered_kit_queues_for_its_components(shop: World) -> None:
    shelve(shop, "LID")
    kit(shop, "SET", MUG=1, LID=2)
    running = await start(shop, ("SET", 1))
    await on_hold(running, HoldKind.BACKORDER)
    assert [one.quantity for one in shop.store.waiting("LID")] == [2]
    shop.stock("LID", "west", 2)
    await running.tell(MilestoneKind.STOCK, "LID")
    await at(running, 1, "released")
    assert (await running.progress()).shipments[0].location == "west"


async def test_units_cancelled_while_they_are_being_placed_give_their_stock_back() -> None:
    state = OrderState("shop-1")
    state.add((LineFacts(line_id="1", sku="MUG", quantity=3, total=3, collect=3),))
    state.line_facts["1"] = state.line_facts["1"].model_copy(update={"components": (("MUG", 1),)})
    state.move("1", UnitState.OPEN, UnitState.CANCELLED, 2)
    some = PlacedShipment(location="east", lines=(units("1", 2),))
    desk: Any = SimpleNamespace(state=state)
    Placing(desk, desk, desk)._take(Placed(shipments=(some,), backordered=(units("1", 1),), n=1))

    counted = state.lines["1"].units
    assert (counted.reserved, counted.backordered, counted.cancelled) == (1, 0, 2)
    assert [(move.action, move.quantity) for move in state.moves] == [("release", 1)]
