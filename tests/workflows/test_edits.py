"""Edits before release: lower, remove and add lines; another address. Refused afterwards."""

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from contracts.commands import AddedLine, ChangeAddress, ChangeLines, Reschedule
from domain.holds import HoldKind
from tests.workflows.scenes import at, ended, mails, on_hold, shelf, shelve, units
from tests.workflows.world import DAY, HOME, Running, World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")
ELSEWHERE = HOME.model_copy(update={"line1": "2 Pine St"})


async def in_grace(world: World, *lines: tuple[str, int]) -> Running:
    """Start an order and stop the clock in its grace period."""
    running = await world.start(order(*lines), still=True)
    await on_hold(running, HoldKind.GRACE)
    return running


async def refusal(running: Running, command: str, model: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await running.ask(command, model)
    return str(getattr(failed.value.cause, "type", ""))


async def test_a_lowered_and_a_removed_line_are_neither_sent_nor_charged(world: World) -> None:
    running = await in_grace(world, ("MUG", 3), ("TEE", 1))
    await running.ask("change_lines", ChangeLines(set=(units("1", 1), units("2", 0))))
    assert (shelf(world, "MUG", "east"), shelf(world, "TEE", "east")) == ((10, 1), (10, 0))
    await running.skip(DAY / 24)
    await running.deliver(1)

    result = await ended(running)
    assert (result.status, result.captured) == ("completed", 1125)
    assert shelf(world, "MUG", "east") == (9, 0)


async def test_an_added_line_is_placed_charged_and_sent(world: World) -> None:
    running = await in_grace(world, ("MUG", 1))
    added = AddedLine(line_id="x", sku="CAP", quantity=2, unit_price=700)
    await running.ask("change_lines", ChangeLines(add=(added,)))
    await running.skip(DAY / 24)
    await running.deliver(1)
    await running.deliver(2)

    assert (await ended(running)).captured == 1500 + 1400
    assert shelf(world, "CAP", "east") == (8, 0)


async def test_what_is_wrong_with_an_added_line_changes_nothing(world: World) -> None:
    running = await in_grace(world, ("MUG", 1))
    unknown = AddedLine(line_id="x", sku="NONE", quantity=1, unit_price=1)
    wrong = ChangeLines(set=(units("1", 0),), add=(unknown,))
    assert await refusal(running, "change_lines", wrong) == "invalid_lines"
    assert await refusal(running, "change_lines", ChangeLines(set=(units("1", 2),))) == "quantity"
    assert [line.units.ordered for line in (await running.progress()).lines] == [1]


async def test_an_address_changed_before_release_is_where_the_parcel_goes(world: World) -> None:
    running = await in_grace(world, ("MUG", 1))
    await running.ask("change_address", ChangeAddress(address=ELSEWHERE, actor="customer"))
    await running.skip(DAY / 24)
    name = await running.pack()
    assert world.warehouse.floor[name].order.ship_to == ELSEWHERE


async def test_an_address_that_cannot_be_is_refused_and_the_old_one_stays(world: World) -> None:
    running = await in_grace(world, ("MUG", 1))
    wrong = ChangeAddress(address=HOME.model_copy(update={"postal_code": "not a code"}))
    assert await refusal(running, "change_address", wrong) == "invalid_address"
    stored = world.store.get(running.order_id)
    assert stored is not None
    assert (stored.ship_to or stored.order.ship_to) == HOME


async def test_nothing_can_be_edited_once_a_part_is_released(shop: World) -> None:
    running = await shop.start(order(("MUG", 1)), still=True)
    await at(running, 1, "released")
    for command, model in (
        ("change_address", ChangeAddress(address=ELSEWHERE)),
        ("change_lines", ChangeLines(set=(units("1", 0),))),
        ("reschedule", Reschedule(deliver_on=(now() + 9 * DAY).date())),
    ):
        assert await refusal(running, command, model) == "too_late"
    assert mails(running)["cancelled"] == 0


async def test_an_order_that_waits_for_stock_cannot_be_given_another_date(shop: World) -> None:
    shelve(shop, "POT")
    running = await shop.start(order(("POT", 1)), still=True)
    await on_hold(running, HoldKind.BACKORDER)
    later = Reschedule(deliver_on=(now() + 9 * DAY).date())
    assert await refusal(running, "reschedule", later) == "too_late"
