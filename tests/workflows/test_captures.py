"""Effects that must not happen twice, and captures that must add up."""

from collections.abc import Callable

import pytest

from contracts.commands import Cancel, CancelAnswer, Done
from domain.holds import HoldKind
from domain.order import Order, Payment, PaymentForm
from domain.policy import CaptureMoment, Clocks, GraceRule, PaymentPolicy, Policy
from tests.fakes.faults import Fault
from tests.workflows.scenes import kinds, on_hold, over, paid_in, prompt, shelve, sums, units
from tests.workflows.world import World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")
Opens = Callable[..., World]

CHALLENGED = "pm_card_authenticationRequired"


@pytest.mark.parametrize("call", ["authorise", "capture", "void", "refund"])
async def test_a_lost_answer_after_the_effect_makes_one_effect(world: World, call: str) -> None:
    world.faults.add(f"payments.{call}", Fault.AFTER, 1)
    captured = call == "refund"
    form = PaymentForm.CAPTURED if captured else PaymentForm.METHOD
    reference = paid_in(world, captured=True) if captured else ""
    running = await world.start(order(("MUG", 2), form=form, reference=reference), still=True)
    await on_hold(running, HoldKind.GRACE)
    if call in ("void", "refund"):
        await running.ask("cancel", Cancel(), CancelAnswer)
        await running.result()
    else:
        await running.ask("ship_now", {}, Done)
        await running.hand_over()

    assert len(world.payments.ledger.rows(running.order_id, call)) == 1


@pytest.mark.parametrize("fault", [Fault.STUCK, Fault.STUCK_AFTER])
@pytest.mark.parametrize("call", ["authorise", "capture"])
async def test_beyond_patience_an_effect_is_looked_up_and_repeated_only_when_it_is_not_there(
    open_world: Opens, call: str, fault: Fault
) -> None:
    world = await open_world(prompt(clocks=Clocks(provider_patience=1)))  # type: ignore[misc]
    world.faults.add(f"payments.{call}", fault, 1)
    running = await world.start(order(("MUG", 2)), still=True)
    await running.hand_over()

    assert sums(world, running)[:2] == (2500, 2500)
    assert len(world.payments.ledger.rows(running.order_id, call)) == 1
    assert "hold.placed" in kinds(running)


async def test_a_void_is_repeated_until_the_provider_takes_it(open_world: Opens) -> None:
    policy = Policy(grace=(GraceRule(seconds=1800),), clocks=Clocks(provider_patience=1))
    world = await open_world(policy)  # type: ignore[misc]
    world.faults.add("payments.void", Fault.STUCK, 1)
    running = await world.start(order(("MUG", 2)), still=True)
    await on_hold(running, HoldKind.GRACE)
    await running.ask("cancel", Cancel(), CancelAnswer)
    await running.result()

    assert sums(world, running) == (2500, 0, 2500, 0)


# captures


def apart(world: World) -> Order:
    """Return an order whose lines stand in different places: two parcels of 1750 and 3500."""
    shelve(world, "HERE", east=5)
    shelve(world, "THERE", west=5)
    return order(("HERE", 1), ("THERE", 2), price=1500, shipping=750)


@pytest.mark.parametrize("several", [True, False])
async def test_two_parcels_are_captured_one_by_one_and_add_up_exactly(
    shop: World, several: bool
) -> None:
    shop.payments.several_captures = several
    running = await shop.start(apart(shop), still=True)
    for n in (1, 2):
        await running.deliver(n)
    assert await over(running) == "completed"

    captures = [row.amount for row in shop.payments.ledger.rows(running.order_id, "capture")]
    assert sorted(captures) == [1750, 3500]
    assert sums(shop, running)[0] == (5250 if several else 5250 + 3500)


async def test_a_hold_that_can_be_captured_once_and_not_renewed_is_captured_whole(
    shop: World,
) -> None:
    wanted = apart(shop)
    payment = Payment(
        form="authorised", provider="fake", reference=paid_in(shop, 5250), amount=5250
    )
    running = await shop.start(wanted.model_copy(update={"payment": payment}), still=True)
    for n in (1, 2):
        await running.deliver(n)
    assert await over(running) == "completed"

    assert sums(shop, running) == (0, 5250, 0, 0)


async def test_capture_at_order_takes_each_unit_once_and_a_later_cancel_refunds(
    open_world: Opens,
) -> None:
    payment = PaymentPolicy(capture=CaptureMoment.ORDER)
    world = await open_world(Policy(grace=(GraceRule(seconds=1800),), payment=payment))  # type: ignore[misc]
    running = await world.start(order(("MUG", 3)), still=True)
    await on_hold(running, HoldKind.GRACE)
    first = await running.ask("cancel", Cancel(lines=(units("1", 1),)), CancelAnswer)
    await running.ask("ship_now", {}, Done)
    await running.until(lambda p: p.money.captured > 0)
    assert sums(world, running)[1] == 3500 - first.refunded
    second = await running.ask("cancel", Cancel(), CancelAnswer)
    await running.result()

    assert first.refunded + second.refunded == 3500
    assert sums(world, running)[3] == second.refunded
