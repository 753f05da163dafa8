"""The promises that a race must not break, told from the answers and from the fakes' own books."""

from collections import Counter
from collections.abc import Sequence

from contracts.commands import Cancel, CancelAnswer, CancelOutcome
from domain.progress import LineUnits
from tests.fakes.warehouses import Picking
from tests.races.forcing import Answers, Ask, quiet
from tests.workflows.scenes import mails, sums
from tests.workflows.world import Running


def cancels(keys: Sequence[str], *lines: LineUnits) -> list[Ask]:
    """Return a cancel, sent under each of these ids."""
    return Ask("cancel", Cancel(lines=lines, actor="customer"), CancelAnswer).under(keys)


def told(running: Running, provider: str) -> list[str]:
    """Return what happened to an order at a fake provider, in order."""
    ledger = getattr(running.world, provider).ledger
    return [row.kind for row in ledger.rows(running.order_id)]


def cancelled_units(answers: Answers) -> int:
    """Return how many units the answers name."""
    return sum(line.quantity for one in answers.values() for line in one.cancelled)


def worth(answers: Answers) -> int:
    """Return what the answers promise to give back or not to take, minor units."""
    return sum(one.refunded for one in answers.values())


def packed_units(running: Running) -> int:
    """Return how many units the warehouse has put into parcels."""
    return sum(sum(one.left.values()) for one in _parcels(running) if one.packed)


async def cancelled_for_good(running: Running, answers: Answers) -> None:
    """L4, H1, M5: everybody was told "cancelled", and it is so; each told by one mail."""
    assert {one.outcome for one in answers.values()} == {CancelOutcome.CANCELLED}
    await cancelled_at_the_providers(running)
    assert mails(running)["cancelled"] == sum(bool(one.cancelled) for one in answers.values())


async def cancelled_at_the_providers(running: Running) -> None:
    """L4, H1, M5, by the books of the others: nothing ships, nothing stays taken."""
    world = running.world
    assert (await running.result()).status == "cancelled"
    authorised, captured, voided, refunded = sums(world, running)
    assert captured == refunded
    assert authorised == voided + captured
    assert not world.carrier.live_labels(running.order_id)
    assert all(one.stopped for one in _parcels(running)), "the warehouse still works on it"
    assert mails(running)["shipped"] == 0


async def goes_on(running: Running, answers: Answers, due: int) -> None:
    """L4, M3: everybody was told "too late"; it ships, and is paid for once."""
    assert {one.outcome for one in answers.values()} == {CancelOutcome.TOO_LATE}
    assert (cancelled_units(answers), worth(answers)) == (0, 0)
    await running.leave()
    again: CancelAnswer = await running.ask("cancel", Cancel(), CancelAnswer)
    assert (again.outcome, again.may_return) == (CancelOutcome.TOO_LATE, True)
    assert sums(running.world, running) == (due, due, 0, 0)
    assert len(running.world.carrier.live_labels(running.order_id)) == 1
    await quiet(running)
    sent = mails(running)
    assert (sent["cancelled"], sent["shipped"]) == (0, 1)


def never_above_the_capture(running: Running) -> None:
    """M2, at every moment: the provider's books, row by row."""
    balance = Counter[str]()
    for row in running.world.payments.ledger.rows(running.order_id):
        balance[row.kind] += row.amount
        assert balance["refund"] + balance["dispute"] <= balance["capture"] + _storefront(running)


def _storefront(running: Running) -> int:
    """Return what a storefront's own capture had brought in before the order adopted it."""
    rows = running.world.payments.ledger.rows("", "capture")
    return sum(row.amount for row in rows)


def _parcels(running: Running) -> list[Picking]:
    floor = running.world.warehouse.floor.values()
    return [one for one in floor if one.order.order_id == running.order_id]
