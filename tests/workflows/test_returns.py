"""Returns: asked for, authorised, labelled, received, inspected, refunded by frozen shares."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from contracts.commands import (
    AuthoriseReturn,
    CancelReturn,
    InspectedLine,
    InspectReturn,
    MilestoneKind,
    ReceiveReturn,
    RequestReturn,
    ReturnAnswer,
)
from domain.order import PaymentForm
from domain.policy import Resolution, ReturnPolicy
from domain.progress import OrderProgress
from ports.carriers import Scan, TrackingState
from tests.fakes.faults import Fault
from tests.workflows.scenes import (
    alerts,
    at,
    delivered,
    ended,
    mails,
    prompt,
    shelf,
    units,
)
from tests.workflows.world import DAY, Running, World, now, order

pytestmark = pytest.mark.asyncio(loop_scope="session")
OpenWorld = Callable[..., Any]


async def ask(running: Running, *lines: tuple[str, int], **more: Any) -> str:
    """Ask for a return; returns its id."""
    wanted = tuple(units(line_id, quantity) for line_id, quantity in lines)
    request = RequestReturn(lines=wanted, actor="customer", **more)
    answer = await running.ask("request_return", request, ReturnAnswer)
    return str(answer.return_id)


async def refusal(running: Running, command: str, model: Any) -> str:
    """Return the code with which a command is refused."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await running.ask(command, model)
    return str(getattr(failed.value.cause, "type", ""))


def status(progress: OrderProgress, return_id: str) -> str:
    return next(one.status.value for one in progress.returns if one.return_id == return_id)


async def reaches(running: Running, return_id: str, wished: str) -> None:
    await running.until(lambda p: status(p, return_id) == wished)


async def send_back(running: Running, return_id: str, *found: InspectedLine) -> None:
    """Let a return arrive and be inspected."""
    await reaches(running, return_id, "label_sent")
    await running.ask("receive_return", ReceiveReturn(return_id=return_id))
    await running.ask("inspect_return", InspectReturn(return_id=return_id, lines=found))


async def test_a_returned_order_is_refunded_and_restocked_its_shipping_kept(shop: World) -> None:
    running = await delivered(shop, ("MUG", 2))
    back = await ask(running, ("1", 2))
    await send_back(running, back)
    await reaches(running, back, "refunded")

    result = await ended(running)
    assert (result.status, result.captured, result.refunded) == ("completed", 2500, 2000)
    assert shelf(shop, "MUG", "east") == (10, 0)
    sent = mails(running)
    assert [sent[name] for name in ("return_authorised", "return_received", "refunded")] == [1] * 3
    assert shop.warehouse.returns[back].lines[0].quantity == 2


async def test_shipping_goes_back_too_when_the_policy_says_so(open_world: OpenWorld) -> None:
    shop = await open_world(prompt(returns=ReturnPolicy(refund_shipping=True)))
    running = await delivered(shop, ("MUG", 3))
    first = await ask(running, ("1", 1))
    await send_back(running, first)
    second = await ask(running, ("1", 2))
    await send_back(running, second)

    refunds = [row.amount for row in shop.payments.ledger.rows(running.order_id, "refund")]
    await ended(running)
    refunds = [row.amount for row in shop.payments.ledger.rows(running.order_id, "refund")]
    assert (refunds, sum(refunds)) == ([1166, 2334], 3500)


async def test_each_unit_is_judged_damaged_is_refunded_rejected_is_not(shop: World) -> None:
    running = await delivered(shop, ("MUG", 3))
    back = await ask(running, ("1", 3))
    await send_back(
        running,
        back,
        InspectedLine(line_id="1", quantity=1),
        InspectedLine(line_id="1", quantity=1, disposition="damaged"),
        InspectedLine(line_id="1", quantity=1, disposition="rejected"),
    )
    await reaches(running, back, "refunded")

    assert (await ended(running)).refunded == 2000
    assert shelf(shop, "MUG", "east") == (8, 0)
    assert mails(running)["return_rejected"] == 1


async def test_half_accepted_and_half_rejected_refunds_the_accepted_half(shop: World) -> None:
    running = await delivered(shop, ("MUG", 2))
    back = await ask(running, ("1", 2))
    await send_back(
        running,
        back,
        InspectedLine(line_id="1", quantity=1),
        InspectedLine(line_id="1", quantity=1, disposition="rejected"),
    )
    await reaches(running, back, "refunded")

    assert (await running.progress()).returns[0].refund == 1000
    assert (await ended(running)).refunded == 1000


async def test_a_rejected_return_refunds_nothing_and_cannot_come_again(shop: World) -> None:
    running = await delivered(shop, ("MUG", 2))
    back = await ask(running, ("1", 1))
    await send_back(running, back, InspectedLine(line_id="1", quantity=1, disposition="rejected"))
    await reaches(running, back, "rejected")

    assert await refusal(running, "request_return", RequestReturn(lines=(units("1", 2),))) == (
        "not_returnable"
    )
    assert (await ended(running)).refunded == 0
    assert (mails(running)["refunded"], mails(running)["return_rejected"]) == (0, 1)


async def test_more_units_than_were_delivered_cannot_come_back(shop: World) -> None:
    running = await delivered(shop, ("MUG", 2), ("TEE", 1))
    for wrong in ((units("1", 3),), (units("1", 1), units("1", 2)), (units("9", 1),)):
        assert await refusal(running, "request_return", RequestReturn(lines=wrong)) == (
            "not_returnable"
        )
    await ask(running, ("1", 2))
    assert await refusal(running, "request_return", RequestReturn(lines=(units("1", 1),))) == (
        "not_returnable"
    )


async def test_two_returns_for_the_same_unit_at_once_open_only_one(shop: World) -> None:
    running = await delivered(shop, ("MUG", 1))
    answers = await asyncio.gather(
        *(ask(running, ("1", 1)) for _ in range(4)), return_exceptions=True
    )
    opened = [answer for answer in answers if isinstance(answer, str)]
    assert len(opened) == 1
    await send_back(running, opened[0])
    assert (await ended(running)).refunded == 1000


async def test_two_returns_travel_side_by_side_and_never_refund_above_the_capture(
    open_world: OpenWorld,
) -> None:
    shop = await open_world(prompt(returns=ReturnPolicy(refund_shipping=True)))
    running = await delivered(shop, ("MUG", 1), ("TEE", 1))
    first, second = await ask(running, ("1", 1)), await ask(running, ("2", 1))
    await asyncio.gather(send_back(running, first), send_back(running, second))

    result = await ended(running)
    assert (result.captured, result.refunded) == (2500, 2500)
    assert shop.payments.ledger.total("refund", running.order_id) == 2500


async def test_an_unused_return_label_is_voided_when_its_time_is_over(shop: World) -> None:
    running = await delivered(shop, ("MUG", 1))
    back = await ask(running, ("1", 1))
    await reaches(running, back, "label_sent")
    await running.skip(21 * DAY + timedelta(hours=1))
    await reaches(running, back, "expired")

    assert (await ended(running)).refunded == 0
    assert len(shop.carrier.ledger.rows(running.order_id, "void")) == 1


async def test_a_return_on_its_way_at_its_deadline_may_still_arrive(shop: World) -> None:
    running = await delivered(shop, ("MUG", 1))
    back = await ask(running, ("1", 1))
    await reaches(running, back, "label_sent")
    number = (await running.progress()).returns[0].tracking_number
    seen = Scan(state=TrackingState.IN_TRANSIT, code="T", at=now() + 20 * DAY)
    shop.store.add_scans("fake", number, [seen])
    await running.skip(21 * DAY + timedelta(hours=1))
    await reaches(running, back, "in_transit")
    await running.ask("receive_return", ReceiveReturn(return_id=back))
    await running.ask("inspect_return", InspectReturn(return_id=back))

    assert (await ended(running)).refunded == 1000


async def test_a_return_called_off_voids_its_label_and_frees_its_units(shop: World) -> None:
    running = await delivered(shop, ("MUG", 1))
    shop.faults.add("carriers.buy", Fault.BEFORE)
    early = await ask(running, ("1", 1))
    await running.ask("cancel_return", CancelReturn(return_id=early))
    late = await ask(running, ("1", 1))
    await reaches(running, late, "label_sent")
    await running.ask("cancel_return", CancelReturn(return_id=late))
    await ended(running)

    assert len(shop.carrier.ledger.rows(running.order_id, "void")) == 2
    assert set(shop.warehouse.returns) == {late}
    assert mails(running)["return_authorised"] == 1


async def test_a_return_may_wait_for_a_person_to_allow_it(open_world: OpenWorld) -> None:
    shop = await open_world(prompt(returns=ReturnPolicy(automatic=False, label=False)))
    running = await delivered(shop, ("MUG", 2))
    first, second = await ask(running, ("1", 1)), await ask(running, ("1", 1))
    assert status(await running.progress(), first) == "requested"
    await running.skip(DAY + timedelta(hours=1))
    assert alerts(running, "late") == 2
    await running.ask("authorise_return", AuthoriseReturn(return_id=first))
    refuse = AuthoriseReturn(return_id=second, approve=False)
    await running.ask("authorise_return", refuse)
    await running.ask("receive_return", ReceiveReturn(return_id=first))
    await running.ask("inspect_return", InspectReturn(return_id=first))
    await reaches(running, first, "refunded")
    await reaches(running, second, "rejected")

    assert (await ended(running)).refunded == 1000
    assert mails(running)["return_rejected"] == 1


async def test_what_the_policy_does_not_offer_is_refused(shop: World) -> None:
    running = await delivered(shop, ("MUG", 1))
    exchange = RequestReturn(lines=(units("1", 1),), resolution=Resolution.EXCHANGE)
    assert await refusal(running, "request_return", exchange) == "resolution_not_offered"


async def test_no_return_opens_after_the_window_but_one_opened_before_is_settled(
    shop: World,
) -> None:
    running = await delivered(shop, ("MUG", 2))
    await running.skip(29 * DAY)
    back = await ask(running, ("1", 1))
    await running.skip(2 * DAY)
    late = RequestReturn(lines=(units("1", 1),))
    assert await refusal(running, "request_return", late) == "return_window_over"
    await send_back(running, back)
    assert (await running.result()).refunded == 1000


async def test_a_parcel_may_come_back_while_another_still_travels(shop: World) -> None:
    running = await shop.start(order(("MUG", 15)), still=True)
    await running.deliver(1)
    await running.hand_over(2)
    await at(running, 1, "delivered")
    back = await ask(running, ("1", 10))
    await send_back(running, back)
    await reaches(running, back, "refunded")
    await running.until(lambda p: p.status == "partially_delivered")
    await running.tell(MilestoneKind.DELIVERED, f"{running.order_id}-s2")

    result = await ended(running)
    assert (result.captured, result.refunded) == (15_500, 10_000)


async def test_returns_go_to_the_place_that_the_policy_names(open_world: OpenWorld) -> None:
    shop = await open_world(prompt(returns=ReturnPolicy(location="west")))
    running = await delivered(shop, ("MUG", 1))
    back = await ask(running, ("1", 1))
    await send_back(running, back)
    await ended(running)
    assert shelf(shop, "MUG", "west") == (11, 0)


async def test_nothing_is_refunded_for_what_was_never_paid_to_us(shop: World) -> None:
    running = await delivered(shop, ("MUG", 1), form=PaymentForm.ELSEWHERE)
    back = await ask(running, ("1", 1))
    await send_back(running, back)
    assert (await ended(running)).refunded == 0


async def test_an_inspection_names_every_received_unit_or_none(shop: World) -> None:
    running = await delivered(shop, ("MUG", 2))
    back = await ask(running, ("1", 2))
    await reaches(running, back, "label_sent")
    await running.ask("receive_return", ReceiveReturn(return_id=back))
    for count in (1, 3):
        some = InspectedLine(line_id="1", quantity=count)
        wrong = InspectReturn(return_id=back, lines=(some,))
        assert await refusal(running, "inspect_return", wrong) == "quantity"
