"""The storefront's cancel by webhook against the customer's own, through the API's door."""

import asyncio
from datetime import timedelta

import pytest

from domain.holds import HoldKind
from tests.races.door import Customer, Door, Webhook, at_the_door
from tests.races.forcing import Answers, Moment, away, during, quiet
from tests.races.kept import cancelled_at_the_providers, told
from tests.workflows.scenes import kinds, mails, on_hold
from tests.workflows.world import Running, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRACE_IS_OVER = timedelta(minutes=31)
CUSTOMER_TOLD, STOREFRONT_TOLD = (200, "cancelled"), (202, "cancelled")


async def order_in(door: Door, *, grace: bool = True) -> Running:
    assert (await door.order_comes()).status_code == 202
    running = door.running()
    if grace:
        await on_hold(running, HoldKind.GRACE)
    else:
        await running.until(lambda _: f"{door.order_id}-s1" in running.world.warehouse.floor)
    await quiet(running)
    return running


def all_told_the_same(answers: Answers) -> None:
    """Nobody is told anything but "cancelled"."""
    assert set(answers.values()) == {CUSTOMER_TOLD, STOREFRONT_TOLD}


async def cancelled_once(door: Door, running: Running) -> None:
    """L4, M3, N1: one end, one undoing; and whoever asks again afterwards is told so."""
    await cancelled_at_the_providers(running)
    assert kinds(running).count("units.cancelled") == 1
    assert kinds(running).count("order.cancelled") == 1
    assert mails(running)["cancelled"] == 1
    assert await Customer(door, "later").send(running) == CUSTOMER_TOLD
    assert await Webhook(door, "later").send(running) == (202, "order_ended")


def who_cancelled(world: World, door: Door) -> list[str]:
    return [e.actor for e in world.store.timeline(door.order_id) if e.kind == "units.cancelled"]


@pytest.mark.parametrize("customer_first", [True, False], ids=["customer first", "webhook first"])
async def test_both_cancel_across_the_end_of_grace_while_nobody_is_there(
    world: World, customer_first: bool
) -> None:
    async with at_the_door(world) as door:
        running = await order_in(door)
        webhooks = [Webhook(door, "d-1"), Webhook(door, "d-1"), Webhook(door, "d-2")]
        customer = [Customer(door, "c-1")]
        asks = [*customer, *webhooks] if customer_first else [*webhooks, *customer]
        answers = await away(running, asks, passes=GRACE_IS_OVER)

        all_told_the_same(answers)
        await cancelled_once(door, running)


async def test_who_was_told_to_ask_again_is_told_the_truth_by_asking_again(world: World) -> None:
    async with at_the_door(world, patience=timedelta(seconds=0.3)) as door:
        running = await order_in(door)
        both = [Customer(door, "c-1"), Webhook(door, "d-1")]
        await world.rest()
        assert [await one.send(running) for one in both] == [
            (202, "requested"),
            (503, 503),
        ]
        await world.work()
        await running.until(lambda _: True)
        for one in both:
            while (answer := await one.send(running))[1] in ("requested", 503):
                await quiet(running)
            assert answer in (CUSTOMER_TOLD, STOREFRONT_TOLD, (202, "order_ended"))
        await cancelled_once(door, running)


@pytest.mark.parametrize("moment", [Moment.AFTER, Moment.WITH_ANSWER])
async def test_the_webhook_comes_while_the_warehouse_is_asked_to_stop_for_the_customer(
    shop: World, moment: Moment
) -> None:
    async with at_the_door(shop) as door:
        running = await order_in(door, grace=False)
        gate = shop.gates.hold("warehouse.cancel", after=moment.after)
        first = Customer(door, "c-1")
        others = [Webhook(door, "d-1"), Webhook(door, "d-1"), Customer(door, "c-2")]
        asked = asyncio.create_task(first.send(running))
        await gate.reached()
        answers = await during(running, gate, others, moment)

        all_told_the_same(answers | {"first": await asked})
        await cancelled_once(door, running)
        assert told(running, "warehouse") == ["release", "cancel"]


async def test_a_parked_cancel_meets_its_order_and_the_customer_at_once(world: World) -> None:
    async with at_the_door(world) as door:
        assert (await door.storefront_cancels("d-1")).json()["status"] == "parked"
        door.temporal_is_away = True
        await world.rest()
        assert (await door.order_comes()).status_code == 202
        assert (await door.customer_cancels("c-1")).status_code in (202, 503)
        door.temporal_is_away = False
        await door.sweep()
        running = door.running()
        answers = await away(running, [Customer(door, "c-1"), Webhook(door, "d-2")])

        all_told_the_same(answers)
        await cancelled_once(door, running)
        assert told(running, "payments") == []
        assert who_cancelled(world, door) == ["storefront"]
