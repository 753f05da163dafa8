"""A person's review against the end of the time they had for it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from contracts.commands import Done, Review
from domain.holds import HoldKind
from domain.policy import Policy, Verdict
from tests.races.conftest import OpenWorld
from tests.races.forcing import Answers, Ask, Moment, away, during, quiet
from tests.races.kept import told
from tests.workflows.scenes import kinds, mails, on_hold
from tests.workflows.world import Running, World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACCEPT, REJECT, NOBODY = Verdict.ACCEPT, Verdict.REJECT, Verdict.REVIEW
TIME_IS_UP = timedelta(hours=25)
ONE = [("a", ACCEPT)]
AGAIN = [("a", ACCEPT), ("a", ACCEPT), ("b", REJECT)]
AGAINST = [("b", REJECT), ("a", ACCEPT)]
WANTED = {"a": ACCEPT, "b": REJECT}


async def reviewed_shop(open_world: OpenWorld, expiry: Verdict) -> World:
    """Open a shop where a review that nobody makes in time ends so."""
    grading = Policy().grading.model_copy(update={"review_expiry": expiry})
    return await open_world(Policy(grace=(), grading=grading))


async def in_review(world: World) -> Running:
    running = await world.start(order(("MUG", 1), risk="medium"), still=True)
    await on_hold(running, HoldKind.FRAUD_REVIEW)
    return running


def asks(reviews: Sequence[tuple[str, Verdict]]) -> list[Ask]:
    return [Ask("review", Review(decision=wish), Done, key) for key, wish in reviews]


def decision(answers: Answers, otherwise: Verdict) -> Verdict:
    """Return what was decided: by the one review that was answered, else by the clock."""
    done = [WANTED[key] for key, answer in answers.items() if isinstance(answer, Done)]
    refused = {answer for answer in answers.values() if not isinstance(answer, Done)}
    assert len(done) <= 1, "two reviews were both answered"
    assert refused <= {"not_held", "order_ended"}
    return done[0] if done else otherwise


async def stands(running: Running, verdict: Verdict) -> None:
    """L1, L2: one decision, one end, and only what follows from it."""
    if verdict is REJECT:
        assert (await running.result()).status == "rejected"
        assert told(running, "payments") == []
    else:
        await running.until(lambda p: p.status == "processing" and bool(p.shipments))
        await quiet(running)
        assert told(running, "payments") == ["authorise"]
    noted, sent = Counter(kinds(running)), mails(running)
    rejected, accepted = int(verdict is REJECT), int(verdict is ACCEPT)
    assert (noted["order.turned_away"], noted["order.accepted"]) == (rejected, accepted)
    assert noted["hold.lifted"] == 1
    assert (sent["cancelled"], sent["confirmation"]) == (rejected, accepted)


@pytest.mark.parametrize(
    ("reviews", "expiry"),
    [(ONE, REJECT), (AGAIN, REJECT), (AGAIN, ACCEPT), (AGAINST, NOBODY)],
    ids=["once", "again and otherwise", "again and otherwise, accepted by itself", "against first"],
)
async def test_a_review_across_its_deadline_and_the_deadline_decide_once(
    open_world: OpenWorld, reviews: Sequence[tuple[str, Verdict]], expiry: Verdict
) -> None:
    running = await in_review(await reviewed_shop(open_world, expiry))
    answers = await away(running, asks(reviews), passes=TIME_IS_UP)

    await stands(running, decision(answers, otherwise=expiry))


@pytest.mark.parametrize(
    ("expiry", "step", "refusal", "moment"),
    [
        (ACCEPT, "payments.authorise", "not_held", Moment.BEFORE),
        (ACCEPT, "payments.authorise", "not_held", Moment.WITH_ANSWER),
        (REJECT, "mail.send", "order_ended", Moment.BEFORE),
    ],
    ids=["accepted", "accepted, with the answer", "rejected"],
)
async def test_a_review_after_its_deadline_is_refused_and_what_the_clock_decided_stands(
    open_world: OpenWorld, expiry: Verdict, step: str, refusal: str, moment: Moment
) -> None:
    world = await reviewed_shop(open_world, expiry)
    gate = world.gates.hold(step)
    running = await in_review(world)
    passing = asyncio.create_task(running.skip(TIME_IS_UP))
    answers = await during(running, gate, asks(AGAIN), moment)
    await passing

    assert set(answers.values()) == {refusal}
    await stands(running, expiry)
