"""Paid at the storefront after the order was placed; reservations that ran out."""

from datetime import timedelta

import pytest

from contracts.commands import Done, MilestoneKind, Paid
from domain.money import Money
from domain.order import PaymentForm
from tests.workflows.world import World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_unpaid_order_goes_on_when_the_storefront_was_paid(world: World) -> None:
    running = await world.start(order(("MUG", 2), method="pm_declined"), still=True)
    await running.until(lambda p: any(hold.kind == "payment" for hold in p.holds))

    reference = world.payments.placed_by_storefront(
        Money(amount=2500, currency="USD"), captured=True
    )
    paid = Paid(form=PaymentForm.CAPTURED, provider="fake", reference=reference, amount=2500)
    await running.ask("paid", paid, Done)
    await running.skip()
    await running.deliver()

    result = await running.result()
    assert (result.status, result.captured, result.refunded) == ("completed", 2500, 0)
    assert world.payments.ledger.rows(running.order_id, "authorise") == ()


async def test_a_reservation_that_ran_out_is_made_anew_before_it_ships(world: World) -> None:
    running = await world.start(order(("MUG", 2)), still=True)
    await running.until(lambda p: any(hold.kind == "grace" for hold in p.holds))
    world.store.expire(now() + timedelta(days=365))
    assert world.store.reserved(running.order_id) == []

    await running.tell(MilestoneKind.RESERVATION_EXPIRED, running.order_id)
    await running.skip(timedelta(minutes=31))
    await running.skip()
    await running.deliver(2)
    assert (await running.result()).status == "completed"
    levels = {level.location: level for level in world.store.levels("MUG")}
    assert (levels["east"].on_hand, levels["east"].reserved) == (8, 0)
