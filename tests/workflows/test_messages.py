"""Messages: what a customer hears of an order, each at most once (INVARIANTS N1)."""

from collections import Counter

import pytest

from contracts.commands import MilestoneKind
from tests.fakes.faults import Fault
from tests.workflows.scenes import alerts, at, ended, mails
from tests.workflows.world import World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_simple_order_sends_three_mails_each_once(world: World) -> None:
    running = await world.start(order(("MUG", 2)))
    await running.deliver()
    await running.result()

    assert mails(running) == Counter({"confirmation": 1, "shipped": 1, "delivered": 1})
    assert len(world.mailer.sent) == 3


async def test_a_mail_claimed_by_a_worker_that_died_is_not_sent_again(world: World) -> None:
    placed = order(("MUG", 1))
    world.store.claim(placed.order_id, "confirmation", 1)
    running = await world.start(placed)
    await running.deliver()
    await running.result()

    assert mails(running)["confirmation"] == 0
    rows = world.store.messages(running.order_id)
    assert [row["outcome"] for row in rows if row["template"] == "confirmation"] == [""]


async def test_a_mail_whose_fate_is_unknown_is_not_sent_again(shop: World) -> None:
    shop.faults.add("mail.send", Fault.AFTER)
    running = await shop.start(order(("MUG", 1)))
    await running.deliver()
    await running.result()

    rows = shop.store.messages(running.order_id)
    assert [row["outcome"] for row in rows if row["template"] == "confirmation"] == ["unknown"]
    assert len(shop.mailer.sent) == 3


async def test_a_mail_server_that_is_down_is_tried_again_and_holds_nothing_up(shop: World) -> None:
    shop.faults.add("mail.send", Fault.BEFORE, times=3)
    running = await shop.start(order(("MUG", 1)), still=True)
    await running.pack()
    await at(running, 1, "labelled")
    await running.skip()
    await running.tell(MilestoneKind.HANDED_OVER, f"{running.order_id}-s1")
    await running.tell(MilestoneKind.DELIVERED, f"{running.order_id}-s1")
    await running.result()
    assert mails(running) == Counter({"confirmation": 1, "shipped": 1, "delivered": 1})


async def test_a_mailbox_that_does_not_exist_stops_no_order(shop: World) -> None:
    shop.faults.add("mail.send", Fault.REFUSE, times=3)
    running = await shop.start(order(("MUG", 1)))
    await running.deliver()
    assert (await ended(running)).status == "completed"
    assert alerts(running, "message_failed") == 0
