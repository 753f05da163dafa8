"""Tracing: delivered, returned to sender, lost, silent; what comes after the end is too late."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.commands import MilestoneKind
from domain.policy import LostParcel, ReturnPolicy
from ports.carriers import Scan, TrackingState
from tests.workflows.scenes import (
    alerts,
    at,
    delivered,
    ended,
    kinds,
    mails,
    parcel,
    prompt,
    shelf,
)
from tests.workflows.world import DAY, Running, World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")
OpenWorld = Callable[..., Any]
HOUR = timedelta(hours=1)


async def on_its_way(shop: World, *lines: tuple[str, int]) -> Running:
    """Start an order and give its parcel to the carrier."""
    running = await shop.start(order(*lines), still=True)
    await running.hand_over()
    return running


async def scan(running: Running, when: datetime) -> None:
    """Let the carrier scan the parcel."""
    number = (await running.progress()).shipments[0].tracking_number
    seen = Scan(state=TrackingState.IN_TRANSIT, code="T", at=when)
    running.world.store.add_scans("fake", number, [seen])


async def test_a_delivered_parcel_keeps_its_signature_and_time(shop: World) -> None:
    running = await delivered(shop, ("MUG", 1))
    one = (await running.progress()).shipments[0]
    assert one.signed_by == "A. Marker"
    assert one.delivered_at is not None
    assert mails(running)["delivered"] == 1


async def test_a_parcel_returned_to_its_sender_is_refunded(shop: World) -> None:
    running = await on_its_way(shop, ("MUG", 2))
    await running.tell(MilestoneKind.RETURNED_TO_SENDER, f"{running.order_id}-s1", detail="refused")

    result = await ended(running)
    assert (result.status, result.captured, result.refunded) == ("completed", 2500, 2500)
    assert (mails(running)["refunded"], mails(running)["claim_lost"]) == (1, 0)


async def test_a_parcel_that_the_carrier_lost_is_refunded_with_its_shipping(shop: World) -> None:
    running = await on_its_way(shop, ("MUG", 2))
    await running.tell(MilestoneKind.LOST, f"{running.order_id}-s1")

    assert (await ended(running)).refunded == 2500
    assert alerts(running, "parcel_lost") == 1
    assert mails(running)["claim_lost"] == 1


async def test_a_parcel_nobody_scans_is_reported_and_then_refunded_as_lost(shop: World) -> None:
    running = await on_its_way(shop, ("MUG", 1))
    await running.skip(3 * DAY + HOUR)
    assert alerts(running, "parcel_silent") == 1
    assert parcel(await running.progress(), 1) == "handed_over"
    await running.skip(11 * DAY)

    assert (await running.result()).refunded == 1500


async def test_a_lost_parcel_is_sent_again_when_the_policy_says_so(open_world: OpenWorld) -> None:
    shop = await open_world(prompt(returns=ReturnPolicy(lost_parcel=LostParcel.RESHIP)))
    running = await on_its_way(shop, ("MUG", 2))
    await running.tell(MilestoneKind.LOST, f"{running.order_id}-s1")
    await running.deliver(2)

    result = await ended(running)
    assert (result.status, result.captured, result.refunded) == ("completed", 2500, 0)
    assert shelf(shop, "MUG", "east") == (6, 0)
    assert any("send the items again" in mail.text for mail in shop.mailer.sent)


async def test_a_scan_pushes_the_deadline_of_a_silent_parcel(shop: World) -> None:
    running = await on_its_way(shop, ("MUG", 1))
    await scan(running, now() + 2 * DAY)
    await running.skip(8 * DAY)
    assert alerts(running, "parcel_silent") == 0
    await running.skip(DAY + HOUR)
    assert alerts(running, "parcel_silent") == 1
    await running.skip(6 * DAY)
    assert parcel(await running.progress(), 1) == "handed_over"
    await running.skip(DAY)
    await at(running, 1, "lost")


async def test_a_milestone_after_the_end_changes_nothing(shop: World) -> None:
    running = await delivered(shop, ("MUG", 1))
    before = kinds(running)
    for kind in (
        MilestoneKind.LOST,
        MilestoneKind.RETURNED_TO_SENDER,
        MilestoneKind.EXCEPTION,
        MilestoneKind.HANDED_OVER,
    ):
        await running.tell(kind, f"{running.order_id}-s1")

    result = await ended(running)
    assert (result.status, result.refunded) == ("completed", 0)
    assert kinds(running) == [*before, "order.completed"]
