"""An unpaid order against the end of the time it has; and words that come early."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from contracts.commands import Cancel, CancelAnswer, Done, Milestone, MilestoneKind, NewMethod
from domain.holds import HoldKind
from tests.races.forcing import AGAIN, ASKED, Ask, away, quiet
from tests.races.kept import cancelled_for_good, cancels, told
from tests.workflows.scenes import mails, on_hold, units
from tests.workflows.world import Running, World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

TIME_IS_UP = timedelta(days=4)


async def unpaid(shop: World, method: str = "pm_declined") -> Running:
    running = await shop.start(order(("MUG", 1), method=method), still=True)
    await on_hold(running, HoldKind.PAYMENT)
    return running


@pytest.mark.parametrize("keys", ASKED.values(), ids=ASKED)
async def test_a_cancel_across_the_end_of_a_payment_hold_cancels_once(
    shop: World, keys: Sequence[str]
) -> None:
    running = await unpaid(shop)
    answers = await away(running, cancels(keys), passes=TIME_IS_UP)

    await cancelled_for_good(running, answers)


async def test_a_new_method_across_the_end_of_a_payment_hold_is_used_or_refused(
    shop: World,
) -> None:
    running = await unpaid(shop)
    ask = Ask("payment_method", NewMethod(method="pm_card_visa"), Done)
    answers = await away(running, ask.under(AGAIN), passes=TIME_IS_UP)
    progress = await running.until(lambda p: p.status in ("cancelled", "processing"))
    await quiet(running)

    goes_on = progress.status == "processing"
    assert goes_on == all(isinstance(one, Done) for one in answers.values())
    assert told(running, "payments").count("authorise") == goes_on
    assert mails(running)["cancelled"] == (not goes_on)


async def test_a_challenge_passed_before_we_knew_of_it_is_not_waited_for(shop: World) -> None:
    running = await unpaid(shop, "pm_authenticationRequired")
    await quiet(running)
    held = shop.payments._of_order[running.order_id][0].reference
    await shop.rest()
    shop.payments.confirm(held)
    await running.tell(MilestoneKind.ACTION_DONE, held)
    await shop.work()
    await running.hand_over()

    assert shop.payments.ledger.total("authorise", running.order_id) == 1500


async def test_a_cancel_before_the_order_was_read_is_checked_when_it_is(world: World) -> None:
    await world.rest()
    running = await world.start(order(("MUG", 2)), still=True)
    unknown = Ask("cancel", Cancel(lines=(units("9", 1),)), CancelAnswer, "unknown")
    answers = await away(running, [unknown, *cancels(AGAIN[:2], units("1", 1))])

    assert answers["unknown"] == "line_unknown"
    assert (answers["a"].outcome, answers["a"].refunded) == ("cancelled", 1250)
    progress = await on_hold(running, HoldKind.GRACE)
    assert progress.money.authorised == 1250


async def test_a_short_pick_told_after_the_hand_over_takes_nothing_back(shop: World) -> None:
    running = await shop.start(order(("MUG", 1)), still=True)
    shipment = await running.pack()
    await running.until(lambda p: p.shipments[0].status == "labelled")
    await away(
        running,
        [],
        told=[
            Milestone(kind=kind, subject=shipment, at=now())
            for kind in (MilestoneKind.HANDED_OVER, MilestoneKind.SHORT_PICKED)
        ],
    )
    await running.until(lambda p: p.shipments[0].status == "handed_over")

    assert told(running, "payments") == ["authorise", "capture"]
