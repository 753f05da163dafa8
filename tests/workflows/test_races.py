"""Races with a forced order: nobody is at work while both sides happen (TEMPORAL.md T1, T2)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import _workflow, _workflow_instance

from contracts.commands import (
    Cancel,
    CancelAnswer,
    ChangeAddress,
    Done,
    MilestoneKind,
    NewMethod,
    Review,
)
from domain.holds import HoldKind
from domain.policy import Verdict
from tests.workflows.scenes import mails, on_hold, units
from tests.workflows.world import HOME, Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

FLAGS = "_DEFAULT_ENABLED_WORKFLOW_LOGIC_FLAGS"


@pytest.fixture(params=["one by one", "one batch"], autouse=True)
def jobs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply the jobs of an activation as the SDK does today, and as it will do."""
    if request.param == "one batch":
        flag = _workflow_instance._WorkflowLogicFlag
        batch = frozenset({flag.PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH})
        monkeypatch.setattr(_workflow, FLAGS, batch)


async def meanwhile(
    running: Running, skipped: timedelta, command: str, ask: Any, answer: Any
) -> Any:
    """Let a deadline pass and a command arrive while nobody is at work; then return the answer."""
    world = running.world
    await quiet(running)
    await world.rest()
    skip = asyncio.create_task(running.skip(skipped))
    await fired(running)
    asked = asyncio.create_task(running.ask(command, ask, answer, key="request"))
    await asyncio.sleep(0.3)
    await world.work()
    await skip
    try:
        return await asked
    finally:
        await _both_in_one_task(running)


async def quiet(running: Running) -> None:
    """Wait until the order does nothing but wait, and the server knows it."""
    while True:
        shown = (await running.handle.describe()).raw_description
        busy = shown.pending_activities or shown.HasField("pending_workflow_task")
        if not busy and "EVENT_TYPE_TIMER_STARTED" in await history(running):
            return
        await asyncio.sleep(0.05)


async def fired(running: Running) -> None:
    """Wait until a deadline has passed at the server."""
    while True:
        if "EVENT_TYPE_TIMER_FIRED" in await history(running):
            return
        await asyncio.sleep(0.05)


async def history(running: Running) -> list[str]:
    """Return the names of an order's events."""
    return [EventType.Name(e.event_type) async for e in running.handle.fetch_history_events()]


async def _both_in_one_task(running: Running) -> None:
    """Make sure that the race was one: no task was completed between timer and command."""
    events = await history(running)
    accepted = [i for i, name in enumerate(events) if name.endswith("UPDATE_ACCEPTED")]
    if accepted:
        fired = events.index("EVENT_TYPE_TIMER_FIRED")
        between = events[fired : accepted[0]]
        assert fired < accepted[0], events
        assert between.count("EVENT_TYPE_WORKFLOW_TASK_COMPLETED") == 1, between


async def test_a_cancel_across_the_end_of_grace_is_answered_and_the_answer_is_kept(
    world: World,
) -> None:
    running = await world.start(order(("MUG", 1)), still=True)
    await on_hold(running, HoldKind.GRACE)
    answer = await meanwhile(running, timedelta(minutes=31), "cancel", Cancel(), CancelAnswer)

    if answer.outcome == "cancelled":
        assert (await running.result()).status == "cancelled"
    else:
        await running.hand_over()
    assert mails(running)["cancelled"] == (answer.outcome == "cancelled")


async def test_a_cancel_across_the_end_of_a_payment_hold_cancels_once(shop: World) -> None:
    running = await shop.start(order(("MUG", 1), method="pm_declined"), still=True)
    await on_hold(running, HoldKind.PAYMENT)
    answer = await meanwhile(running, timedelta(days=4), "cancel", Cancel(), CancelAnswer)

    assert answer.outcome == "cancelled"
    assert (await running.result()).status == "cancelled"
    assert mails(running)["cancelled"] == 1


async def test_a_new_method_across_the_end_of_a_payment_hold_is_used_or_refused(
    shop: World,
) -> None:
    running = await shop.start(order(("MUG", 1), method="pm_declined"), still=True)
    await on_hold(running, HoldKind.PAYMENT)
    ask = NewMethod(method="pm_card_visa")
    await meanwhile(running, timedelta(days=4), "payment_method", ask, Done)
    progress = await running.until(lambda p: p.status in ("cancelled", "processing"))

    captured = progress.status == "processing"
    assert bool(shop.payments.ledger.rows(running.order_id, "authorise")) == captured


async def test_a_review_across_its_deadline_is_decided_once(world: World) -> None:
    running = await world.start(order(("MUG", 1), risk="medium"), still=True)
    await on_hold(running, HoldKind.FRAUD_REVIEW)
    ask = Review(decision=Verdict.ACCEPT)
    try:
        await meanwhile(running, timedelta(days=2), "review", ask, Done)
    except WorkflowUpdateFailedError:
        assert (await running.result()).status == "rejected"
        return
    progress = await running.until(lambda p: p.status == "rejected" or bool(p.shipments))

    assert mails(running)["cancelled"] == (progress.status == "rejected")


async def test_an_address_changed_across_the_end_of_grace_is_where_the_parcel_goes_or_refused(
    world: World,
) -> None:
    running = await world.start(order(("MUG", 1)), still=True)
    await on_hold(running, HoldKind.GRACE)
    there = HOME.model_copy(update={"line1": "1 New Road"})
    ask = ChangeAddress(address=there)
    try:
        await meanwhile(running, timedelta(minutes=31), "change_address", ask, Done)
        written = "1 New Road"
    except WorkflowUpdateFailedError:
        written = HOME.line1
    shipment = f"{running.order_id}-s1"
    await running.until(lambda _: shipment in world.warehouse.floor)

    picked = world.warehouse.floor[shipment].order
    assert picked.ship_to.line1 == written


async def test_a_challenge_passed_before_we_knew_of_it_is_not_waited_for(shop: World) -> None:
    running = await shop.start(order(("MUG", 1), method="pm_authenticationRequired"), still=True)
    await on_hold(running, HoldKind.PAYMENT)
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
    asks = [
        asyncio.create_task(running.ask("cancel", Cancel(lines=lines), CancelAnswer))
        for lines in ((units("9", 1),), (units("1", 1),))
    ]
    await asyncio.sleep(0.3)
    await world.work()
    with pytest.raises(WorkflowUpdateFailedError):
        await asks[0]
    answer = await asks[1]

    assert (answer.outcome, answer.refunded) == ("cancelled", 1250)
    progress = await on_hold(running, HoldKind.GRACE)
    assert progress.money.authorised == 1250


async def test_a_short_pick_told_after_the_hand_over_takes_nothing_back(shop: World) -> None:
    running = await shop.start(order(("MUG", 1)), still=True)
    shipment = await running.pack()
    await running.until(lambda p: p.shipments[0].status == "labelled")
    await quiet(running)
    await shop.rest()
    await running.tell(MilestoneKind.HANDED_OVER, shipment)
    await running.tell(MilestoneKind.SHORT_PICKED, shipment)
    await shop.work()
    await running.until(lambda p: p.shipments[0].status == "handed_over")

    assert shop.payments.ledger.total("refund") == 0
