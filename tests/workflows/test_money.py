"""Money: secured, captured per parcel, renewed, given back; whatever the provider does."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.commands import Cancel, CancelAnswer, Done, MilestoneKind, NewMethod
from domain.holds import HoldKind
from domain.order import Payment, PaymentForm
from domain.policy import GraceRule, PaymentPolicy, Policy
from domain.progress import MoneyStatus
from tests.fakes.faults import Fault
from tests.workflows.scenes import (
    alerts,
    held,
    kinds,
    mails,
    on_hold,
    over,
    paid_in,
    shelf,
    sums,
    units,
)
from tests.workflows.world import Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")
Opens = Callable[..., World]

CHALLENGED = "pm_card_authenticationRequired"


# how money arrives


async def test_an_adopted_authorisation_is_captured_and_no_second_one_is_made(
    shop: World,
) -> None:
    wanted = order(("MUG", 2), form=PaymentForm.AUTHORISED, reference=paid_in(shop))
    running = await shop.start(wanted)
    await running.deliver()

    assert (await running.result()).captured == 2500
    assert sums(shop, running) == (0, 2500, 0, 0)


async def test_a_capture_of_the_storefront_is_refunded_through_its_provider(shop: World) -> None:
    wanted = order(("MUG", 2), form=PaymentForm.CAPTURED, reference=paid_in(shop, captured=True))
    running = await shop.start(wanted, still=True)
    await running.until(lambda p: p.money.captured == 2500)
    answer = await running.ask("cancel", Cancel(), CancelAnswer)

    assert (answer.outcome, answer.refunded) == ("cancelled", 2500)
    assert (await running.result()).refunded == 2500
    assert sums(shop, running) == (0, 0, 0, 2500)


async def test_a_part_cancelled_before_the_capture_was_adopted_is_refunded_at_once(
    world: World,
) -> None:
    wanted = order(
        ("MUG", 2),
        form=PaymentForm.CAPTURED,
        reference=paid_in(world, captured=True),
        risk="medium",
    )
    running = await world.start(wanted, still=True)
    progress = await on_hold(running, HoldKind.FRAUD_REVIEW)
    await running.ask("cancel", Cancel(lines=(units("1", 1),)), CancelAnswer)
    review = {"decision": "accept"}
    await running.ask("review", review, Done)
    progress = await on_hold(running, HoldKind.GRACE)

    assert (progress.money.captured, progress.money.refunded) == (2500, 1250)
    await running.ask("ship_now", {}, Done)
    await running.deliver()
    assert await over(running) == "completed"


async def test_a_capture_we_cannot_touch_is_refunded_in_the_storefront_by_a_person(
    shop: World,
) -> None:
    payment = Payment(form="captured", provider="", amount=2500)
    running = await shop.start(order(("MUG", 2), payment=payment), still=True)
    await running.until(lambda p: p.money.captured == 2500)
    await running.ask("cancel", Cancel(), CancelAnswer)

    assert (await running.result()).refunded == 2500
    assert alerts(running, "refund_at_storefront") == 1
    assert not shop.payments.ledger.rows()


@pytest.mark.parametrize("form", [PaymentForm.COD, PaymentForm.ELSEWHERE])
async def test_money_that_is_not_ours_to_take_is_left_alone(shop: World, form: PaymentForm) -> None:
    running = await shop.start(order(("MUG", 2), form=form))
    await running.deliver()

    assert (await running.result()).status == "completed"
    assert not shop.payments.ledger.rows()


async def test_an_authorisation_short_of_the_total_is_taken_for_what_it_is(shop: World) -> None:
    wanted = order(("MUG", 2), form=PaymentForm.AUTHORISED, reference=paid_in(shop, 2000))
    running = await shop.start(wanted)
    await running.deliver()

    assert (await running.result()).captured == 2000
    assert "payment.short" in kinds(running)


# declines and challenges


async def test_after_a_decline_another_method_lets_the_order_go_on(shop: World) -> None:
    running = await shop.start(order(("MUG", 2), method="pm_card_declined"), still=True)
    progress = await on_hold(running, HoldKind.PAYMENT)
    assert progress.status == "on_hold"
    await running.ask("payment_method", NewMethod(method="pm_card_visa"), Done)
    await running.deliver()

    assert await over(running) == "completed"
    assert sums(shop, running) == (2500, 2500, 0, 0)
    assert mails(running)["payment_failed"] == 1


async def test_an_order_that_nobody_pays_is_cancelled_and_its_stock_is_free(shop: World) -> None:
    running = await shop.start(order(("MUG", 2), method="pm_card_declined"), still=True)
    await on_hold(running, HoldKind.PAYMENT)
    assert shelf(shop, "MUG", "east") == (10, 2)
    await running.skip(timedelta(days=3, minutes=1))

    assert (await running.result()).status == "cancelled"
    assert shelf(shop, "MUG", "east") == (10, 0)
    assert mails(running)["cancelled"] == 1


async def test_a_confirmed_payment_is_read_again_and_not_made_twice(shop: World) -> None:
    running = await shop.start(order(("MUG", 2), method=CHALLENGED), still=True)
    progress = await on_hold(running, HoldKind.PAYMENT)
    assert progress.money.status is MoneyStatus.ACTION_REQUIRED
    reference = challenged(shop, running)
    shop.payments.confirm(reference)
    await running.tell(MilestoneKind.ACTION_DONE, reference)
    await running.deliver()

    assert await over(running) == "completed"
    assert sums(shop, running) == (2500, 2500, 0, 0)


async def test_a_payment_never_confirmed_is_voided_with_the_order(shop: World) -> None:
    running = await shop.start(order(("MUG", 2), method=CHALLENGED), still=True)
    await on_hold(running, HoldKind.PAYMENT)
    await running.ask("cancel", Cancel(), CancelAnswer)
    await running.result()

    with pytest.raises(AssertionError, match="voided"):
        shop.payments.confirm(challenged(shop, running))


async def test_another_method_replaces_a_payment_that_waits_for_its_challenge(shop: World) -> None:
    running = await shop.start(order(("MUG", 2), method=CHALLENGED), still=True)
    await on_hold(running, HoldKind.PAYMENT)
    old = challenged(shop, running)
    await running.ask("payment_method", NewMethod(method="pm_card_visa"), Done)
    await running.hand_over()

    assert sums(shop, running)[:2] == (2500, 2500)
    with pytest.raises(AssertionError, match="voided"):
        shop.payments.confirm(old)


def challenged(world: World, running: Running) -> str:
    return world.payments._of_order[running.order_id][0].reference


async def test_another_method_is_used_after_a_declined_capture(shop: World) -> None:
    shop.faults.add("payments.capture", Fault.DECLINE, 1)
    running = await shop.start(order(("MUG", 2)), still=True)
    await running.pack()
    await on_hold(running, HoldKind.PAYMENT)
    await running.ask("payment_method", NewMethod(method="pm_card_other"), Done)
    await running.until(lambda p: p.money.captured == 2500)

    assert sums(shop, running) == (5000, 2500, 2500, 0)
    assert len(shop.carrier.live_labels(running.order_id)) == 1


# expiry


async def test_an_authorisation_is_renewed_before_it_lapses_while_the_order_waits(
    open_world: Opens,
) -> None:
    world = await open_world(Policy(grace=(GraceRule(seconds=20 * 86400),)))  # type: ignore[misc]
    running = await world.start(order(("MUG", 2)), still=True)
    await on_hold(running, HoldKind.GRACE)
    await running.skip(timedelta(days=20, minutes=1))
    await running.hand_over()

    rows = world.payments.ledger.rows(running.order_id)
    assert [row.kind for row in rows] == ["authorise", "void"] * 2 + ["authorise", "capture"]
    assert sums(world, running) == (7500, 2500, 5000, 0)


async def test_a_hold_shorter_than_the_margin_is_not_renewed_for_ever(open_world: Opens) -> None:
    payment = PaymentPolicy(expiry_margin=30 * 86400)
    world = await open_world(Policy(grace=(GraceRule(seconds=7 * 86400),), payment=payment))  # type: ignore[misc]
    running = await world.start(order(("MUG", 2)), still=True)
    await on_hold(running, HoldKind.GRACE)
    await running.skip(timedelta(days=7, minutes=1))
    await running.hand_over()

    assert len(world.payments.ledger.rows(running.order_id, "authorise")) <= 4


async def test_a_hold_that_lapsed_early_is_taken_anew_and_nobody_is_bothered(
    world: World,
) -> None:
    running = await world.start(order(("MUG", 2)), still=True)
    await on_hold(running, HoldKind.GRACE)
    world.payments.lapse(challenged(world, running))
    await running.ask("ship_now", {}, Done)
    await running.hand_over()

    assert sums(world, running)[:2] == (5000, 2500)
    assert mails(running)["payment_failed"] == 0


async def test_an_adopted_hold_without_a_method_is_kept_to_its_end(open_world: Opens) -> None:
    world = await open_world(Policy(grace=(GraceRule(seconds=6 * 86400 + 20 * 3600),)))  # type: ignore[misc]
    wanted = order(("MUG", 2), form=PaymentForm.AUTHORISED, reference=paid_in(world))
    running = await world.start(wanted, still=True)
    await on_hold(running, HoldKind.GRACE)
    await running.skip(timedelta(days=6, hours=19))

    assert sums(world, running) == (0, 0, 0, 0)
    assert held(await running.progress(), HoldKind.GRACE)


# answers that never come
