"""Parcels: release, short picks, labels, captures at the packing stage, hand-over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateStage

from contracts.commands import (
    Cancel,
    CancelAnswer,
    ChangeAddress,
    MilestoneKind,
    NewMethod,
    ReleaseHold,
)
from domain.holds import HoldKind
from domain.policy import Clocks, Validation
from tests.fakes.faults import Fault
from tests.workflows.scenes import (
    alerts,
    at,
    ended,
    mails,
    on_hold,
    parcel,
    prompt,
    shelf,
    shelve,
    short_pick,
    units,
)
from tests.workflows.world import DAY, HOME, Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")
OpenWorld = Callable[..., Any]
HOUR = timedelta(hours=1)
ACCEPTED = WorkflowUpdateStage.ACCEPTED


async def start(shop: World, *lines: tuple[str, int], **more: Any) -> Running:
    return await shop.start(order(*lines, **more), still=True)


async def test_two_parcels_are_captured_and_delivered_one_by_one(shop: World) -> None:
    running = await start(shop, ("MUG", 15))

    await running.hand_over(1)
    assert (await running.progress()).status == "partially_shipped"
    assert shop.payments.ledger.total("capture", running.order_id) == 10_333
    await running.tell(MilestoneKind.DELIVERED, f"{running.order_id}-s1")
    await running.until(lambda p: p.status == "partially_delivered")
    await running.deliver(2)
    progress = await running.until(lambda p: p.status == "delivered")

    assert [one.value for one in progress.shipments] == [10_333, 5_167]
    result = await ended(running)
    assert (result.status, result.captured, result.refunded) == ("completed", 15_500, 0)


async def test_a_short_pick_is_placed_at_the_other_location_and_its_reservation_follows(
    shop: World,
) -> None:
    running = await start(shop, ("MUG", 2))
    await at(running, 1, "released")
    await short_pick(running, 1)
    await running.deliver(2)

    progress = await running.until(lambda p: parcel(p, 2) == "delivered")
    assert [one.location for one in progress.shipments] == ["east", "west"]
    assert (shelf(shop, "MUG", "east"), shelf(shop, "MUG", "west")) == ((10, 0), (8, 0))
    assert alerts(running, "short_shipment") == 1
    assert (await ended(running)).captured == 2500


async def test_what_was_found_goes_and_only_the_rest_is_placed_elsewhere(shop: World) -> None:
    running = await start(shop, ("MUG", 3))
    await at(running, 1, "released")
    for _ in range(2):
        await short_pick(running, 1, units("1", 2))
    await running.deliver(1)
    await running.deliver(2)

    progress = await running.until(lambda p: p.status == "delivered")
    assert [one.lines[0].quantity for one in progress.shipments] == [2, 1]
    assert (await ended(running)).captured == 3500


async def test_units_found_nowhere_are_backordered_until_new_stock_lifts_the_bars(
    shop: World,
) -> None:
    shelve(shop, "POT", east=1, west=1)
    running = await start(shop, ("POT", 1))
    await at(running, 1, "released")
    await short_pick(running, 1)
    await at(running, 2, "released")
    await short_pick(running, 2)
    progress = await on_hold(running, HoldKind.BACKORDER)
    assert progress.status == "backordered"

    shop.stock("POT", "east", 1)
    await running.tell(MilestoneKind.STOCK, "POT")
    await running.deliver(3)
    assert (await ended(running)).captured == 1500


async def test_a_warehouse_that_refuses_is_barred_and_the_other_one_sends(shop: World) -> None:
    shop.warehouse.closed.add("east")
    running = await start(shop, ("MUG", 1))
    await running.deliver(2)

    result = await ended(running)
    assert (result.status, result.captured) == ("completed", 1500)
    assert shelf(shop, "MUG", "east") == (10, 0)


async def test_a_warehouse_whose_answer_is_unknown_is_asked_again_not_replaced(
    open_world: OpenWorld,
) -> None:
    shop = await open_world(prompt(clocks=Clocks(provider_patience=3)))
    shop.faults.add("warehouse.release", Fault.AFTER, times=100)
    running = await start(shop, ("MUG", 1))
    progress = await on_hold(running, HoldKind.OPS)
    shop.faults.rules.clear()
    await running.ask("release_hold", ReleaseHold(hold_id=progress.holds[0].hold_id))
    await running.deliver(1)

    assert (await ended(running)).status == "completed"
    assert len(shop.warehouse.ledger.rows(running.order_id, "release")) == 1


async def test_units_refused_after_capture_are_refunded_and_back_in_stock(shop: World) -> None:
    running = await start(shop, ("MUG", 2))
    await running.pack()
    await at(running, 1, "labelled")
    await short_pick(running, 1)

    result = await running.result()
    assert (result.status, result.captured, result.refunded) == ("cancelled", 2500, 2500)
    assert shelf(shop, "MUG", "east") == (10, 0)
    assert shop.carrier.live_labels(running.order_id) == []


async def test_a_label_refused_for_its_address_waits_for_a_better_one(
    open_world: OpenWorld,
) -> None:
    shop = await open_world(prompt(validation=Validation(check_address=False)))
    running = await start(shop, ("MUG", 1), ship_to=HOME.model_copy(update={"line1": ""}))
    await running.pack()
    await on_hold(running, HoldKind.ADDRESS)
    await running.ask("change_address", ChangeAddress(address=HOME, actor="customer"))
    await at(running, 1, "labelled")

    assert len(shop.carrier.live_labels(running.order_id)) == 1
    await running.tell(MilestoneKind.HANDED_OVER, f"{running.order_id}-s1")
    await at(running, 1, "handed_over")
    assert mails(running)["on_hold_action"] == 1


async def test_a_carrier_that_is_down_for_an_hour_is_asked_until_it_answers(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.desk.RETRY_AFTER", 1000.0)
    shop.faults.add("carriers.buy", Fault.UNAVAILABLE, times=100_000)
    running = await start(shop, ("MUG", 1))
    await running.pack()
    await at(running, 1, "packed")
    await running.skip(HOUR)
    waiting = (await running.handle.describe()).raw_description.pending_activities
    assert [one.activity_type.name for one in waiting] == ["buy_label"]
    shop.faults.rules.clear()
    await running.skip(HOUR)
    await at(running, 1, "labelled")

    assert len(shop.carrier.ledger.rows(running.order_id, "label")) == 1


async def test_a_label_bought_while_the_parcel_was_stopped_is_voided(shop: World) -> None:
    shop.faults.add("carriers.buy", Fault.UNAVAILABLE)
    running = await start(shop, ("MUG", 1))
    await at(running, 1, "released")
    await running.tell(MilestoneKind.PACKED, f"{running.order_id}-s1")
    await at(running, 1, "packed")
    answer = await running.ask("cancel", Cancel(), CancelAnswer)
    await running.skip()

    assert (answer.outcome, (await running.result()).captured) == ("cancelled", 0)
    assert len(shop.carrier.ledger.rows(running.order_id, "label")) == 1
    assert shop.carrier.live_labels(running.order_id) == []


async def test_a_declined_capture_voids_the_label_and_another_method_buys_a_new_one(
    shop: World,
) -> None:
    shop.faults.add("payments.capture", Fault.DECLINE)
    running = await start(shop, ("MUG", 1))
    await running.pack()
    progress = await on_hold(running, HoldKind.PAYMENT)
    assert (progress.status, parcel(progress, 1)) == ("on_hold", "packed")
    assert shop.carrier.live_labels(running.order_id) == []
    await running.ask("payment_method", NewMethod(method="pm_other", actor="customer"))
    await at(running, 1, "labelled")

    assert len(shop.carrier.live_labels(running.order_id)) == 1
    assert shop.payments.ledger.total("capture", running.order_id) == 1500


async def test_call_backs_repeated_and_out_of_order_change_nothing(shop: World) -> None:
    running = await start(shop, ("MUG", 1))
    name = f"{running.order_id}-s1"
    await at(running, 1, "released")
    await running.tell(MilestoneKind.HANDED_OVER, name)
    await running.tell(MilestoneKind.PACKED, name)
    await running.tell(MilestoneKind.PICKED, name)
    await running.tell(MilestoneKind.PACKED, name)
    await at(running, 1, "labelled")
    for kind in (MilestoneKind.PICKED, MilestoneKind.PACKED):
        await running.tell(kind, name)
    assert parcel(await running.progress(), 1) == "labelled"
    for _ in range(2):
        await running.tell(MilestoneKind.HANDED_OVER, name)
    for kind in (MilestoneKind.DELIVERED, MilestoneKind.LOST, MilestoneKind.SHORT_PICKED):
        await running.tell(kind, name)
    await at(running, 1, "delivered")

    result = await ended(running)
    assert (result.status, result.captured, result.refunded) == ("completed", 1500, 0)
    assert len(shop.carrier.ledger.rows(running.order_id, "label")) == 1
    assert shelf(shop, "MUG", "east") == (9, 0)


async def test_a_parcel_delivered_without_a_hand_over_call_back_is_delivered(shop: World) -> None:
    running = await start(shop, ("MUG", 1))
    await running.pack()
    await at(running, 1, "labelled")
    await running.tell(MilestoneKind.DELIVERED, f"{running.order_id}-s1")
    await at(running, 1, "delivered")

    assert (await ended(running)).status == "completed"
    assert mails(running)["shipped"] == 1


async def test_a_late_warehouse_is_reported_each_day_until_it_packs(shop: World) -> None:
    running = await start(shop, ("MUG", 1))
    await at(running, 1, "released")
    await running.skip(2 * DAY + HOUR)
    assert alerts(running, "late") == 1
    await running.skip(DAY)
    assert alerts(running, "late") == 2
    await running.pack()
    await at(running, 1, "labelled")
    await running.skip(2 * DAY + HOUR)
    assert alerts(running, "late") == 3


async def test_what_a_warehouse_tells_while_it_is_asked_to_stop_waits_for_its_answer(
    shop: World,
) -> None:
    shop.faults.add("warehouse.cancel", Fault.UNAVAILABLE)
    running = await start(shop, ("MUG", 2))
    await at(running, 1, "released")
    asked = await running.handle.start_update(
        "cancel", Cancel(), id="c", wait_for_stage=ACCEPTED, result_type=CancelAnswer
    )
    await short_pick(running, 1, units("1", 1))
    await running.skip()

    assert (await asked.result()).outcome == "cancelled"
    assert (await running.result()).status == "cancelled"
    assert shelf(shop, "MUG", "east") == (10, 0)


async def test_an_order_cancelled_while_its_warehouse_refuses_goes_nowhere_else(
    shop: World,
) -> None:
    shop.faults.add("warehouse.release", Fault.UNAVAILABLE)
    shop.warehouse.closed.add("east")
    running = await start(shop, ("MUG", 1))
    await at(running, 1, "released")
    asked = await running.handle.start_update(
        "cancel", Cancel(), id="c", wait_for_stage=ACCEPTED, result_type=CancelAnswer
    )
    await running.skip()

    assert (await asked.result()).outcome == "cancelled"
    result = await running.result()
    assert (result.status, result.captured) == ("cancelled", 0)
    assert shop.warehouse.ledger.rows(running.order_id, "release") == ()
