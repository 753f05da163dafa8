"""Grading: the merchant's own rules, and a vendor who is asked."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from adapters.fraud.builtin import BuiltinGrading, GradingRule
from adapters.fraud.http_vendor import HttpFraudVendor
from domain.errors import EffectRefused, ProviderUnavailable
from domain.order import Customer, Order, OrderLine, Totals
from domain.policy import Policy
from ports.fraud import Grade, Grading
from tests.fakes.faults import Fault, FaultPlan
from tests.fakes.fraud import FakeFraudVendor

ORDER = Order(
    order_id="shop-1", channel="shop", external_id="1", currency="EUR",
    placed_at=datetime.now(UTC), customer=Customer(email="zoe@example.com"), note="secret note",
    lines=(OrderLine(line_id="1", sku="MUG", quantity=1),), totals=Totals(total=9_000),
)  # fmt: skip
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Rule:
    name: str
    when: str = "true"
    score: int = 0
    verdict: Grade | None = None


async def grade(*rules: GradingRule) -> Grading:
    return await BuiltinGrading(rules, review_at=50, reject_at=90).grade(ORDER, key="k")


async def test_without_rules_everything_is_accepted() -> None:
    assert (await grade()).grade is Grade.ACCEPT


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([49], Grade.ACCEPT), ([30, 20], Grade.REVIEW), ([60, 60], Grade.REJECT),
     ([100, -60], Grade.ACCEPT)],
)  # fmt: skip
async def test_scores_add_up(scores: list[int], expected: Grade) -> None:
    verdict = await grade(*(Rule(f"r{n}", score=score) for n, score in enumerate(scores)))
    assert verdict.grade is expected
    assert 0 <= verdict.score <= 100
    assert len(verdict.reasons) == len(scores)


async def test_a_rule_that_does_not_hold_says_nothing() -> None:
    verdict = await grade(Rule("big", when="total > 10000", score=100))
    assert (verdict.grade, verdict.reasons) == (Grade.ACCEPT, ())


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Grade.ACCEPT, Grade.REVIEW, Grade.REJECT], Grade.REJECT),
        ([Grade.ACCEPT, Grade.REVIEW], Grade.REVIEW),
        ([Grade.ACCEPT], Grade.ACCEPT),
    ],
)
async def test_the_gravest_verdict_counts_and_outweighs_the_score(
    verdicts: list[Grade], expected: Grade
) -> None:
    rules = [Rule(str(verdict), verdict=verdict) for verdict in verdicts]
    assert (await grade(Rule("score", score=100), *rules)).grade is expected


async def test_a_broken_rule_never_lets_an_order_through() -> None:
    verdict = await grade(Rule("broken", when="total / 0 > 1"), Rule("ok", verdict=Grade.ACCEPT))
    assert verdict.grade is Grade.REVIEW
    assert "broken" in verdict.reasons[0]


async def test_the_shipped_policy_grades() -> None:
    rules = Policy().grading
    builtin = BuiltinGrading(rules.rules, rules.review_at, rules.reject_at)
    assert (await builtin.grade(ORDER, key="k")).grade is Grade.ACCEPT
    risky = ORDER.model_copy(update={"risk": "high"})
    assert (await builtin.grade(risky, key="k")).grade is Grade.REJECT


def vendor(answer: Callable[[httpx.Request], httpx.Response]) -> HttpFraudVendor:
    made = HttpFraudVendor("https://fraud.example/grade", SECRET, name="acme")
    made._http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return made


async def test_a_vendor_gets_a_signed_question_and_gives_a_verdict() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        Webhook(SECRET).verify(request.content, dict(request.headers))
        return httpx.Response(200, json={"grade": "review", "score": 61, "reasons": ["new"]})

    verdict = await vendor(answer).grade(ORDER, key="shop-1:grade:1")
    assert verdict == Grading(grade=Grade.REVIEW, score=61, reasons=("new",), vendor="acme")
    assert seen[0].headers["webhook-id"] == "shop-1:grade:1"
    assert b"secret note" not in seen[0].content
    assert json.loads(seen[0].content)["facts"]["total"] == 9_000


@pytest.mark.parametrize(
    ("status", "body", "becomes"),
    [
        (422, "no", EffectRefused),
        (500, "", ProviderUnavailable),
        (302, "", ProviderUnavailable),
        (401, "", ProviderUnavailable),
        (200, "<html>", ProviderUnavailable),
        (200, '{"grade": "maybe"}', ProviderUnavailable),
        (200, '{"grade": "accept", "score": 1000}', ProviderUnavailable),
    ],
)
async def test_no_verdict_is_no_acceptance(
    status: int, body: str, becomes: type[Exception]
) -> None:
    with pytest.raises(becomes):
        await vendor(lambda _: httpx.Response(status, text=body)).grade(ORDER, key="k")


async def test_the_fake_gives_one_verdict_a_key() -> None:
    faults = FaultPlan()
    fake = FakeFraudVendor(faults=faults)
    faults.add("fraud.grade", Fault.UNAVAILABLE, times=2)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await fake.grade(ORDER, key="k1")
    assert (await fake.grade(ORDER, key="k1")).grade is Grade.ACCEPT
    fake.verdicts["zoe@example.com"] = Grading(grade=Grade.REJECT)
    assert (await fake.grade(ORDER, key="k1")).grade is Grade.ACCEPT
    assert (await fake.grade(ORDER, key="k2")).grade is Grade.REJECT
