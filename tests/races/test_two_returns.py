"""Return against return: one unit comes back once and is refunded once."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from contracts.commands import Done, InspectReturn, ReceiveReturn, RequestReturn, ReturnAnswer
from domain.policy import ReturnPolicy
from tests.races.conftest import OpenWorld
from tests.races.forcing import AGAIN, ASKED, Answers, Ask, Moment, away, during, quiet
from tests.races.kept import never_above_the_capture, told
from tests.workflows.scenes import delivered, ended, prompt, shelf, units
from tests.workflows.world import Running, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

WINDOW_IS_OVER = timedelta(days=31)


def asks(keys: Sequence[str], line: str = "1") -> list[Ask]:
    """Return a request for one unit, sent under each of these ids."""
    wanted = RequestReturn(lines=(units(line, 1),), actor="customer")
    return [Ask("request_return", wanted, ReturnAnswer, key) for key in keys]


def opened(answers: Answers) -> list[str]:
    """Return the ids of the returns that were opened; the other answers are refusals."""
    found = [one.return_id for one in answers.values() if isinstance(one, ReturnAnswer)]
    refused = {one for one in answers.values() if not isinstance(one, ReturnAnswer)}
    assert refused <= {"not_returnable", "return_window_over"}
    return found


async def label_sent(running: Running, return_id: str) -> None:
    def sent(progress: object) -> bool:
        return any(
            one.return_id == return_id and one.status == "label_sent" for one in progress.returns
        )

    await running.until(sent)


async def back_and_refunded(running: Running, return_id: str) -> None:
    """Let a return's parcel arrive, and be found in order."""
    await label_sent(running, return_id)
    await running.ask("receive_return", ReceiveReturn(return_id=return_id))
    await running.ask("inspect_return", InspectReturn(return_id=return_id))


async def refunded_once(running: Running, count: int) -> None:
    """M2, M3, S2: all units came back; each is refunded and on the shelf once."""
    assert (await ended(running)).refunded == count * 1000
    never_above_the_capture(running)
    assert told(running, "payments").count("refund") == count
    assert shelf(running.world, "MUG", "east") == (10, 0)


@pytest.mark.parametrize("keys", ASKED.values(), ids=ASKED)
async def test_a_unit_asked_back_twice_while_nobody_was_there_comes_back_once(
    shop: World, keys: Sequence[str]
) -> None:
    running = await delivered(shop, ("MUG", 1))
    answers = await away(running, asks(keys))

    (one,) = opened(answers)
    await back_and_refunded(running, one)
    await refunded_once(running, 1)


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.WITH_ANSWER])
async def test_a_unit_asked_back_while_its_return_label_is_bought_comes_back_once(
    shop: World, moment: Moment
) -> None:
    running = await delivered(shop, ("MUG", 1))
    await quiet(running)
    gate = shop.gates.hold("carriers.buy")
    first = await running.ask("request_return", asks("f")[0].model, ReturnAnswer)
    answers = await during(running, gate, asks(AGAIN), moment)

    assert opened(answers) == []
    await back_and_refunded(running, first.return_id)
    await refunded_once(running, 1)
    assert told(running, "carrier") == ["label", "label"]


async def test_a_return_across_the_end_of_its_window_is_refused_and_the_order_ends(
    shop: World,
) -> None:
    running = await delivered(shop, ("MUG", 1))
    answers = await away(running, asks(AGAIN), passes=WINDOW_IS_OVER)

    assert opened(answers) == []
    assert (await running.result()).refunded == 0
    assert told(running, "carrier") == ["label"]


@pytest.mark.parametrize("moment", [Moment.AFTER, Moment.ANSWER_LOST])
async def test_a_return_inspected_while_another_is_refunded_is_refunded_after_it(
    open_world: OpenWorld, moment: Moment
) -> None:
    shop = await open_world(prompt(returns=ReturnPolicy(refund_shipping=True)))
    running = await delivered(shop, ("MUG", 2), shipping=0)
    first, second = [
        (await running.ask(one.command, one.model, one.answer)).return_id for one in asks("12")
    ]
    for return_id in (first, second):
        await label_sent(running, return_id)
        await running.ask("receive_return", ReceiveReturn(return_id=return_id))
    await quiet(running)
    gate = shop.gates.hold("payments.refund", after=moment.after)
    await running.ask("inspect_return", InspectReturn(return_id=first))
    inspected = InspectReturn(return_id=second)
    answers = await during(
        running, gate, [Ask("inspect_return", inspected, Done, key) for key in AGAIN], moment
    )

    assert answers["b"] == "return_state"
    assert told(running, "payments").count("refund") <= 2
    await refunded_once(running, 2)
