"""Validation and grading: what is wrong is a hold that says what to mend."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from contracts.commands import (
    Cancel,
    CancelAnswer,
    CancelOutcome,
    ChangeAddress,
    Done,
    ReleaseHold,
    Review,
)
from domain.holds import HoldKind
from domain.money import Money
from domain.order import Order, OrderLine, Payment, PaymentForm
from domain.policy import Clocks, Grading, Policy, Verdict
from domain.progress import OrderProgress
from domain.stock import Product
from ports.fraud import Grade
from ports.fraud import Grading as Vendor
from tests.fakes.faults import Fault
from tests.workflows.scenes import alerts, mails, on_hold
from tests.workflows.world import HOME, Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOWHERE = HOME.model_copy(update={"line1": "", "postal_code": "x"})


def hold_of(progress: OrderProgress, kind: HoldKind) -> str:
    return next(hold.hold_id for hold in progress.holds if hold.kind is kind)


async def release(running: Running, kind: HoldKind) -> None:
    progress = await on_hold(running, kind)
    await running.ask("release_hold", ReleaseHold(hold_id=hold_of(progress, kind)), Done)


async def test_every_problem_is_named_at_once_and_the_mended_order_goes_on(world: World) -> None:
    running = await world.start(order(("MUG", 1), ("NEW", 1), ship_to=NOWHERE), still=True)
    progress = await running.until(lambda p: len(p.holds) == 2)

    fields = {field for field, _ in progress.problems}
    assert {"lines[1].sku", "ship_to.line1", "ship_to.postal_code"} <= fields
    assert {hold.kind for hold in progress.holds} == {HoldKind.DATA, HoldKind.ADDRESS}
    assert not world.payments.ledger.rows()

    with pytest.raises(WorkflowUpdateFailedError):
        await running.ask("change_address", ChangeAddress(address=NOWHERE), Done)
    world.store.save_product(Product(sku="NEW", title="New", grams=10))
    world.stock("NEW", "east", 5)
    await running.ask("change_address", ChangeAddress(address=HOME), Done)
    await release(running, HoldKind.DATA)
    progress = await on_hold(running, HoldKind.GRACE)

    assert (progress.problems, mails(running)["on_hold_action"]) == ((), 1)
    await running.ask("cancel", Cancel(), CancelAnswer)
    assert (await running.result()).status == "cancelled"


async def test_a_probable_duplicate_waits_and_goes_on_when_a_person_waves_it_through(
    world: World,
) -> None:
    first = order(("MUG", 1))
    await world.start(first, still=True)
    second = await world.start(order(("MUG", 1), customer=first.customer), still=True)

    progress = await on_hold(second, HoldKind.DATA)
    assert [field for field, _ in progress.problems] == ["order"]
    await release(second, HoldKind.DATA)
    await on_hold(second, HoldKind.GRACE)


async def test_an_overdue_hold_is_escalated_and_the_order_is_not_dropped(world: World) -> None:
    running = await world.start(order(("UNKNOWN", 1)), still=True)
    before = await on_hold(running, HoldKind.DATA)
    await running.skip(timedelta(days=3, minutes=1))
    await running.until(lambda p: p.holds != before.holds)

    assert alerts(running, "hold_overdue") == 1
    assert (await running.progress()).status == "on_hold"


RISKY = {"medium": Verdict.REVIEW, "high": Verdict.REJECT}


async def test_a_high_risk_is_turned_away_without_touching_money_or_stock(world: World) -> None:
    running = await world.start(order(("MUG", 1), risk="high"))

    assert (await running.result()).status == "rejected"
    assert not world.payments.ledger.rows()
    assert mails(running)["cancelled"] == 1


@pytest.mark.parametrize(
    ("decision", "ending"), [("accept", "grace"), ("reject", "rejected"), (None, "rejected")]
)
async def test_a_review_is_decided_by_a_person_or_by_its_deadline(
    world: World, decision: str | None, ending: str
) -> None:
    running = await world.start(order(("MUG", 1), risk="medium"), still=True)
    await on_hold(running, HoldKind.FRAUD_REVIEW)
    if decision:
        ask = Review(decision=Verdict(decision), actor="operator:ann")
        await running.ask("review", ask, Done)
    else:
        await running.skip(timedelta(days=1, minutes=1))
    if ending == "grace":
        await on_hold(running, HoldKind.GRACE)
        return

    assert (await running.result()).status == ending
    assert mails(running)["cancelled"] == 1
    assert not world.payments.ledger.rows()


async def test_the_worse_of_our_verdict_and_the_vendors_counts_and_silence_means_review(
    open_world: Callable[..., World],
) -> None:
    grading = Grading(vendor="vendor")
    world = await open_world(Policy(grading=grading, clocks=Clocks(look_again=1)))  # type: ignore[misc]
    doubted, unheard, clean = order(("MUG", 1)), order(("MUG", 2)), order(("MUG", 3))
    world.vendor.verdicts[doubted.order_id] = Vendor(grade=Grade.REVIEW, reasons=("odd",))
    world.faults.add("fraud.grade", Fault.BEFORE, 9, key=f"{unheard.order_id}:*")

    for one in (doubted, unheard):
        running = await world.start(one, still=True)
        progress = await on_hold(running, HoldKind.FRAUD_REVIEW)
        assert progress.grade == "review"
    assert (await (await world.start(clean, still=True)).until(accepted)).grade == "accept"


def accepted(progress: OrderProgress) -> bool:
    return progress.grade != ""


@pytest.mark.parametrize("form", [PaymentForm.METHOD, PaymentForm.AUTHORISED, PaymentForm.CAPTURED])
async def test_a_cancel_that_came_before_the_order_keeps_no_money(
    world: World, form: PaymentForm
) -> None:
    reference = ""
    if form is not PaymentForm.METHOD:
        captured = form is PaymentForm.CAPTURED
        money = Money(amount=1500, currency="USD")
        reference = world.payments.placed_by_storefront(money, captured=captured)
    wanted = order(("MUG", 1), form=form, reference=reference)
    running = await world.start(wanted, cancelled="ordered twice")
    result = await running.result()

    expected = 1500 if form is PaymentForm.CAPTURED else 0
    assert (result.status, result.captured, result.refunded) == ("cancelled", expected, expected)
    assert world.payments.ledger.total("refund", running.order_id) == expected
    assert mails(running)["cancelled"] == 1


def partly_cancelled(cancelled: int) -> Order:
    line = OrderLine(
        line_id="1", sku="MUG", quantity=3, already_cancelled=cancelled, unit_price=1000
    )
    left = (3 - cancelled) * 1000 + 500
    return order(
        ("MUG", 3), lines=(line,), payment=Payment(form="method", method="pm_card", amount=left)
    )


async def test_units_cancelled_at_the_storefront_are_neither_charged_nor_shipped(
    world: World,
) -> None:
    running = await world.start(partly_cancelled(1))
    shipment = await running.deliver()
    result = await running.result()

    assert (result.status, result.captured) == ("completed", 2500)
    picked = world.warehouse.floor[shipment].order
    assert [line.quantity for line in picked.lines] == [2]


async def test_an_order_with_nothing_left_waits_for_a_person_and_can_be_ended(
    world: World,
) -> None:
    running = await world.start(partly_cancelled(3), still=True)
    await on_hold(running, HoldKind.DATA)
    answer = await running.ask("cancel", Cancel(), CancelAnswer)

    assert answer.outcome is CancelOutcome.CANCELLED
    assert (await running.result()).status == "cancelled"


async def test_a_download_is_charged_and_delivered_without_a_parcel(world: World) -> None:
    line = OrderLine(line_id="1", sku="", quantity=2, unit_price=1000, requires_shipping=False)
    running = await world.start(order(("x", 2), lines=(line,), ship_to=None))
    result = await running.result()

    assert (result.status, result.captured) == ("completed", 2500)
    assert (await running.progress()).shipments == ()


async def test_an_unpaid_download_is_not_delivered_and_ends_with_its_deadline(
    world: World,
) -> None:
    line = OrderLine(line_id="1", sku="", quantity=2, unit_price=1000, requires_shipping=False)
    world.faults.add("payments.capture", Fault.DECLINE, 1)
    running = await world.start(order(("x", 2), lines=(line,)))
    result = await running.result()

    assert (result.status, result.captured) == ("cancelled", 0)
    assert (mails(running)["payment_failed"], mails(running)["cancelled"]) == (1, 1)


async def test_an_order_that_costs_nothing_ships_without_a_payment(world: World) -> None:
    running = await world.start(order(("MUG", 1), price=0, shipping=0))
    await running.deliver()

    assert (await running.result()).status == "completed"
    assert not world.payments.ledger.rows()
