"""Paid at the storefront after the order was placed; reservations that ran out."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from contracts.commands import Cancel, CancelAnswer, ChangeAddress, Done, MilestoneKind, Paid
from domain.holds import HoldKind
from domain.money import Money
from domain.order import Address, Order, PaymentForm
from tests.workflows.scenes import on_hold, over, sums
from tests.workflows.world import HOME, World, now, order

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


def authorised(world: World) -> tuple[Order, str]:
    """Return an order whose storefront holds its money, and that payment's reference. The method
    could be charged again."""
    money = Money(amount=2500, currency="USD")
    reference = world.payments.placed_by_storefront(money, customer="cus_1")
    return order(("MUG", 2), form=PaymentForm.AUTHORISED, reference=reference), reference


def captured(reference: str, amount: int = 2500) -> Paid:
    return Paid(form=PaymentForm.CAPTURED, provider="fake", reference=reference, amount=amount)


@pytest.mark.parametrize("told", [True, False])
async def test_what_the_merchant_has_captured_is_never_taken_again(
    world: World, told: bool
) -> None:
    wanted, reference = authorised(world)
    running = await world.start(wanted, still=True)
    await on_hold(running, HoldKind.GRACE)
    world.payments.captured_by_merchant(reference)
    if told:
        for _ in range(2):
            await running.ask("paid", captured(reference), Done)
        assert (await running.progress()).money.captured == 2500
    await running.ask("ship_now", {}, Done)
    await running.deliver()

    assert await over(running) == "completed"
    assert sums(world, running) == (0, 2500, 0, 0)
    assert (await running.progress()).money.captured == 2500


async def test_what_the_merchant_has_captured_goes_back_when_the_order_is_cancelled(
    world: World,
) -> None:
    wanted, reference = authorised(world)
    running = await world.start(wanted, still=True)
    await on_hold(running, HoldKind.GRACE)
    world.payments.captured_by_merchant(reference)
    await running.ask("cancel", Cancel(), CancelAnswer)

    result = await running.result()
    assert (result.status, result.captured, result.refunded) == ("cancelled", 2500, 2500)
    assert world.payments.ledger.total("refund", running.order_id) == 2500


async def test_a_second_payment_beside_the_one_there_is_is_refused(world: World) -> None:
    wanted, _ = authorised(world)
    running = await world.start(wanted, still=True)
    await on_hold(running, HoldKind.GRACE)
    money = Money(amount=2500, currency="USD")
    other = world.payments.placed_by_storefront(money, captured=True)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await running.ask("paid", captured(other), Done)
    assert refused.value.cause.type == "already_paid"  # type: ignore[union-attr]


async def test_a_payment_that_came_while_the_order_was_being_mended_is_kept(world: World) -> None:
    nowhere = Address(name="Ada", line1="1 Main St", city="Springfield", country="XX")
    wanted = order(("MUG", 2), method="pm_declined").model_copy(update={"ship_to": nowhere})
    running = await world.start(wanted, still=True)
    await on_hold(running, HoldKind.ADDRESS)
    money = Money(amount=2500, currency="USD")
    reference = world.payments.placed_by_storefront(money, captured=True)
    await running.ask("paid", captured(reference), Done)
    await running.ask("change_address", ChangeAddress(address=HOME), Done)
    progress = await on_hold(running, HoldKind.GRACE)
    assert progress.money.captured == 2500


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
