"""Refund against refund: two at once never give back more than was taken, nor twice."""

import pytest

from contracts.commands import Cancel, CancelAnswer
from domain.holds import HoldKind
from domain.order import PaymentForm
from tests.races.forcing import AGAIN, Moment, away, during
from tests.races.kept import cancelled_units, cancels, never_above_the_capture, told, worth
from tests.workflows.scenes import on_hold, paid_in, units
from tests.workflows.world import Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

TAKEN = 4500
"""Four mugs at 1000 and the shipping, which the storefront has captured."""


async def paid(world: World) -> Running:
    reference = paid_in(world, TAKEN, captured=True)
    wanted = order(("MUG", 4), form=PaymentForm.CAPTURED, reference=reference)
    running = await world.start(wanted, still=True)
    await on_hold(running, HoldKind.GRACE)
    return running


async def nothing_is_kept(running: Running, promised: int) -> None:
    """Cancel the rest: every cent goes back exactly once."""
    rest: CancelAnswer = await running.ask("cancel", Cancel(), CancelAnswer)
    assert (await running.result()).refunded == TAKEN
    never_above_the_capture(running)
    refunds = running.world.payments.ledger.rows(running.order_id, "refund")
    assert promised + rest.refunded == sum(row.amount for row in refunds) == TAKEN
    assert len({row.key for row in refunds}) == len(refunds)


async def test_two_parts_cancelled_while_nobody_was_there_are_refunded_once_each(
    world: World,
) -> None:
    running = await paid(world)
    answers = await away(running, cancels(AGAIN, units("1", 1)))

    assert cancelled_units(answers) == 2
    await nothing_is_kept(running, worth(answers))


@pytest.mark.parametrize("moment", Moment)
async def test_a_part_cancelled_while_another_is_refunded_is_refunded_after_it(
    world: World, moment: Moment
) -> None:
    running = await paid(world)
    gate = world.gates.hold("payments.refund", after=moment.after)
    one_more = cancels(["first"], units("1", 1))[0]
    first: CancelAnswer = await running.ask("cancel", one_more.model, CancelAnswer)
    answers = await during(running, gate, cancels(AGAIN, units("1", 1)), moment)

    assert cancelled_units(answers) == 2
    await nothing_is_kept(running, first.refunded + worth(answers))
    assert told(running, "payments").count("refund") >= 2
