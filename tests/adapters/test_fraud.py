"""Grading by a vendor who is asked; the merchant's own rules are ``domain.grading``."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from adapters.fraud.http_vendor import HttpFraudVendor
from domain.errors import EffectRefused, ProviderUnavailable
from domain.order import Customer, Order, OrderLine, Totals
from ports.fraud import Grade, Grading
from tests.fakes.faults import Fault, FaultPlan
from tests.fakes.fraud import FakeFraudVendor

ORDER = Order(
    order_id="shop-1", channel="shop", external_id="1", currency="EUR",
    placed_at=datetime.now(UTC), customer=Customer(email="zoe@example.com"), note="secret note",
    lines=(OrderLine(line_id="1", sku="MUG", quantity=1),), totals=Totals(total=9_000),
)  # fmt: skip
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


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
