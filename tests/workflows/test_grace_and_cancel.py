"""Cancelling: a request with an answer, and the answer is kept."""

import asyncio
from datetime import timedelta

import pytest

from contracts.commands import (
    AddedLine,
    Cancel,
    CancelAnswer,
    ChangeLines,
    Done,
    MilestoneKind,
    ShipNow,
)
from domain.holds import HoldKind
from domain.order import OrderLine
from domain.progress import LineUnits
from tests.fakes.faults import Fault
from tests.workflows.scenes import at, held, kinds, mails, on_hold, shelf, units
from tests.workflows.world import Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def cancel(running: Running, *lines: LineUnits, key: str = "") -> CancelAnswer:
    answer: CancelAnswer = await running.ask("cancel", Cancel(lines=lines), CancelAnswer, key)
    return answer


async def in_grace(world: World, *lines: tuple[str, int]) -> Running:
    running = await world.start(order(*lines), still=True)
    await on_hold(running, HoldKind.GRACE)
    return running


async def test_an_order_cancelled_in_grace_leaves_nothing_behind(world: World) -> None:
    running = await in_grace(world, ("MUG", 2), ("TEE", 1))
    answer = await cancel(running)

    assert (answer.outcome, answer.refunded, answer.may_return) == ("cancelled", 3500, False)
    assert (await running.result()).status == "cancelled"
    ledger = world.payments.ledger
    assert (ledger.total("void"), ledger.total("capture")) == (3500, 0)
    assert shelf(world, "MUG", "east") == (10, 0)
    assert not world.warehouse.floor
    assert (mails(running)["cancelled"], mails(running)["shipped"]) == (1, 0)


async def test_units_cancelled_one_by_one_are_worth_the_order_exactly(world: World) -> None:
    lines = (
        OrderLine(line_id="1", sku="MUG", quantity=3, unit_price=333, discount=100),
        OrderLine(line_id="2", sku="TEE", quantity=4, unit_price=777, tax=31),
    )
    total = 3 * 333 - 100 + 4 * 777 + 31 + 500
    payment = {"form": "method", "method": "pm_card", "provider": "fake", "amount": total}
    totals = {"total": total, "shipping": 500}
    running = await world.start(order(lines=lines, payment=payment, totals=totals), still=True)
    await on_hold(running, HoldKind.GRACE)

    answers = [await cancel(running, units(line, 1)) for line in "1212122"]
    assert [one.outcome for one in answers] == ["cancelled"] * 7
    assert sum(one.refunded for one in answers) == total
    assert (await running.result()).status == "cancelled"


async def test_what_is_left_after_a_part_was_cancelled_is_charged_and_shipped(
    world: World,
) -> None:
    running = await in_grace(world, ("MUG", 3))
    answer = await cancel(running, units("1", 2))
    await running.ask("ship_now", ShipNow(), Done)
    shipment = await running.hand_over()

    assert [one.quantity for one in world.warehouse.floor[shipment].order.lines] == [1]
    assert world.payments.ledger.total("capture") == 3500 - answer.refunded
    assert shelf(world, "MUG", "east") == (9, 0)


async def test_nothing_is_captured_or_released_before_grace_is_over(world: World) -> None:
    running = await in_grace(world, ("MUG", 1))
    await running.skip(timedelta(minutes=29))
    assert not world.warehouse.floor
    assert held(await running.progress(), HoldKind.GRACE)
    await running.skip(timedelta(minutes=2))
    await at(running, 1, "released")

    assert world.payments.ledger.total("capture") == 0


async def test_lines_can_be_lowered_and_added_in_grace_and_the_new_total_is_charged(
    world: World,
) -> None:
    running = await in_grace(world, ("MUG", 2))
    added = AddedLine(line_id="2", sku="TEE", quantity=2, unit_price=900)
    ask = ChangeLines(set=(units("1", 1),), add=(added,))
    await running.ask("change_lines", ask, Done)
    await running.ask("ship_now", ShipNow(), Done)
    for n in (1, 2):
        await running.hand_over(n)

    assert world.payments.ledger.total("capture") == 1250 + 1800


# after release


async def test_an_agreeing_warehouse_makes_a_late_cancel_good(shop: World) -> None:
    running = await shop.start(order(("MUG", 2)), still=True)
    await at(running, 1, "released")
    ask = Cancel(actor="customer", reason="found it cheaper")
    answer = await running.ask("cancel", ask, CancelAnswer)

    assert (answer.outcome, answer.refunded) == ("cancelled", 2500)
    assert (await running.result()).status == "cancelled"
    assert shelf(shop, "MUG", "east") == (10, 0)
    told = [one for one in shop.store.timeline(running.order_id) if one.kind == "units.cancelled"]
    assert [(one.actor, one.text) for one in told] == [("customer", "2 units: found it cheaper")]


async def test_a_part_stopped_at_the_warehouse_lets_the_rest_go(shop: World) -> None:
    running = await shop.start(order(("MUG", 3)), still=True)
    await at(running, 1, "released")
    answer = await cancel(running, units("1", 1))
    await running.hand_over()

    assert answer.outcome == "cancelled"
    assert shop.payments.ledger.total("capture") == 3500 - answer.refunded


async def test_a_warehouse_that_has_packed_refuses_and_the_order_goes_on(shop: World) -> None:
    running = await shop.start(order(("MUG", 2)), still=True)
    shipment = f"{running.order_id}-s1"
    await running.until(lambda _: shipment in shop.warehouse.floor)
    shop.warehouse.pack(shipment)
    answer = await cancel(running)

    assert (answer.outcome, answer.cancelled, answer.refunded) == ("too_late", (), 0)
    await running.tell(MilestoneKind.PACKED, shipment)
    await at(running, 1, "labelled")
    assert mails(running)["cancelled"] == 0


async def test_while_the_warehouse_does_not_answer_the_parcel_waits_and_asking_again_tells(
    shop: World,
) -> None:
    running = await shop.start(order(("MUG", 2)), still=True)
    await at(running, 1, "released")
    shop.faults.add("warehouse.cancel", Fault.BEFORE, 2)
    first, again = await asyncio.gather(
        cancel(running, key="request-1"), cancel(running, key="request-1")
    )

    assert first == again
    assert first.outcome == "cancelled"
    assert (await running.result()).status == "cancelled"
    assert len(shop.warehouse.ledger.rows(kind="cancel")) == 1


async def test_after_the_hand_over_a_return_is_offered_instead(shop: World) -> None:
    running = await shop.start(order(("MUG", 1)), still=True)
    await running.hand_over()
    answer = await cancel(running)

    assert (answer.outcome, answer.may_return) == ("too_late", True)
    assert shop.payments.ledger.total("refund") == 0


async def test_cancels_side_by_side_cancel_each_unit_once(shop: World) -> None:
    running = await shop.start(order(("MUG", 3)), still=True)
    await at(running, 1, "released")
    answers = await asyncio.gather(
        cancel(running, units("1", 2)), cancel(running), cancel(running, units("1", 1))
    )

    assert all(one.outcome == "cancelled" for one in answers)
    assert sum(line.quantity for one in answers for line in one.cancelled) == 3
    assert sum(one.refunded for one in answers) == 3500
    assert (await running.result()).status == "cancelled"


async def test_a_cancelled_order_can_be_cancelled_again(world: World) -> None:
    world.faults.add("payments.void", Fault.BEFORE, 1)
    running = await in_grace(world, ("MUG", 2))
    first = await cancel(running)
    second = await cancel(running)

    assert (first.outcome, second.outcome) == ("cancelled", "cancelled")
    assert (first.refunded, second.refunded) == (2500, 0)
    await running.result()
    assert mails(running)["cancelled"] == 1


async def test_a_cancel_while_the_provider_authorises_waits_for_it_and_lets_it_go(
    world: World,
) -> None:
    world.faults.add("payments.authorise", Fault.AFTER, 1)
    running = await world.start(order(("MUG", 2)), still=True)
    await running.until(lambda p: bool(p.shipments))
    answer = await cancel(running)
    await running.result()

    assert answer.outcome == "cancelled"
    assert [row.kind for row in world.payments.ledger.rows(running.order_id)] == [
        "authorise",
        "void",
    ]


async def test_a_decline_that_comes_after_the_cancel_bothers_nobody(world: World) -> None:
    world.faults.add("payments.authorise", Fault.BEFORE, 1)
    running = await world.start(order(("MUG", 2), method="pm_declined"), still=True)
    await running.until(lambda p: bool(p.shipments))
    await cancel(running)
    await running.result()

    assert (mails(running)["payment_failed"], mails(running)["cancelled"]) == (0, 1)


async def test_stopping_the_workflow_in_the_ui_is_a_cancel_and_interrupts_no_step(
    world: World,
) -> None:
    world.faults.add("payments.authorise", Fault.AFTER, 1)
    running = await world.start(order(("MUG", 2)), still=True)
    await running.until(lambda p: bool(p.shipments))
    await running.handle.cancel()
    await running.handle.cancel()

    assert (await running.result()).status == "cancelled"
    assert [row.kind for row in world.payments.ledger.rows(running.order_id)] == [
        "authorise",
        "void",
    ]
    assert kinds(running).count("order.cancelled") == 1


async def test_stopping_a_shipped_order_in_the_ui_changes_nothing(shop: World) -> None:
    running = await shop.start(order(("MUG", 2)), still=True)
    await running.hand_over()
    await running.handle.cancel()
    await running.tell(MilestoneKind.DELIVERED, f"{running.order_id}-s1")
    await at(running, 1, "delivered")

    assert shop.payments.ledger.total("refund") == 0
