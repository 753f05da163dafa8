"""Holds of people, and commands that are refused without a trace."""

from datetime import date, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from contracts.commands import (
    Cancel,
    ChangeLines,
    Done,
    HoldAnswer,
    NewMethod,
    PlaceHold,
    ReleaseHold,
    Reschedule,
    Review,
    ShipNow,
)
from domain.holds import HoldKind
from tests.workflows.scenes import alerts, at, on_hold, units
from tests.workflows.world import World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_held_order_waits_beyond_its_grace_until_the_hold_is_lifted(world: World) -> None:
    running = await world.start(order(("MUG", 1)), still=True)
    await on_hold(running, HoldKind.GRACE)
    placed = await running.ask("place_hold", PlaceHold(reason="call the customer"), HoldAnswer)
    await running.skip(timedelta(minutes=31))
    progress = await running.until(lambda p: len(p.holds) == 1)
    assert (progress.status, world.warehouse.floor) == ("on_hold", {})
    await running.ask("release_hold", ReleaseHold(hold_id=placed.hold_id), Done)

    await at(running, 1, "released")


async def test_a_hold_that_nobody_lifts_is_escalated(world: World) -> None:
    running = await world.start(order(("MUG", 1)), still=True)
    await on_hold(running, HoldKind.GRACE)
    await running.ask("place_hold", PlaceHold(), HoldAnswer)
    await running.skip(timedelta(days=3, minutes=1))
    await running.until(lambda _: alerts(running, "hold_overdue") == 1)


@pytest.mark.parametrize("expiry", ["cancel", "reject"])
async def test_a_hold_on_released_goods_that_runs_out_asks_the_warehouse_to_stop(
    shop: World, expiry: str
) -> None:
    running = await shop.start(order(("MUG", 1)), still=True)
    await at(running, 1, "released")
    await running.ask(
        "place_hold", PlaceHold(expires_at=now() + timedelta(hours=1), expiry=expiry), HoldAnswer
    )
    await running.skip(timedelta(hours=1, minutes=1))

    assert (await running.result()).status == "cancelled"
    assert len(shop.warehouse.ledger.rows(kind="cancel")) == 1


REFUSED: list[tuple[str, Any, str]] = [
    ("cancel", Cancel(lines=(units("9", 1),)), "line_unknown"),
    ("cancel", Cancel(lines=(units("1", 3),)), "quantity"),
    ("cancel", Cancel(lines=(units("1", 1), units("1", 2))), "quantity"),
    ("cancel", Cancel(lines=(units("1", 0),)), "quantity"),
    ("cancel", Cancel(lines=(units("1", -1),)), "quantity"),
    ("change_lines", ChangeLines(set=(units("9", 1),)), "line_unknown"),
    ("change_lines", ChangeLines(set=(units("1", 5),)), "quantity"),
    ("release_hold", ReleaseHold(hold_id="h99"), "hold_unknown"),
    ("place_hold", PlaceHold(expiry="never"), "expiry"),
    ("place_hold", PlaceHold(expires_at=now() - timedelta(days=1)), "expires_at"),
    ("review", Review(decision="accept"), "not_held"),
    ("payment_method", NewMethod(method=""), "method"),
    ("reschedule", Reschedule(deliver_on=date(2020, 1, 1)), "deliver_on"),
]


async def test_what_cannot_be_done_is_refused_with_its_code_and_leaves_no_trace(
    world: World,
) -> None:
    running = await world.start(order(("MUG", 2)), still=True)
    before = await on_hold(running, HoldKind.GRACE)
    codes = []
    for command, ask, _ in REFUSED:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await running.ask(command, ask, Done)
        assert isinstance(refused.value.cause, ApplicationError)
        codes.append(refused.value.cause.type)

    assert codes == [code for _, _, code in REFUSED]
    traces = [
        EventType.Name(event.event_type) for event in (await running.handle.fetch_history()).events
    ]
    assert not [trace for trace in traces if "UPDATE" in trace]
    assert await running.progress() == before


async def test_there_is_nothing_to_hurry_once_grace_is_over(shop: World) -> None:
    running = await shop.start(order(("MUG", 1)), still=True)
    await at(running, 1, "released")
    with pytest.raises(WorkflowUpdateFailedError, match="failed"):
        await running.ask("ship_now", ShipNow(), Done)
