"""A fraud vendor behind one signed JSON call.

POST {url} with the order's facts and parties; the answer is
``{"grade": "accept" | "review" | "reject", "score": 0-100, "reasons": ["…"]}``.

The request is signed as Standard Webhooks says (``webhook-id``, ``webhook-timestamp``,
``webhook-signature``), the id being the effect key: the vendor answers a repeat with its first
verdict. Source: https://www.standardwebhooks.com.
"""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks.webhooks import Webhook

from adapters.rules.facts import order_facts
from domain.errors import EffectRefused, ProviderUnavailable
from domain.order import Order
from ports.fraud import Grade, Grading

Json = dict[str, Any]


class Verdict(BaseModel):
    """The vendor's answer; fields of its own are ignored, reasons are cut."""

    model_config = ConfigDict(extra="ignore")

    grade: Grade
    score: int = Field(default=0, ge=0, le=100)
    reasons: list[str] = []


class HttpFraudVendor:
    """A ``ports.fraud.FraudVendor``.

    Args:
        url: the vendor's endpoint.
        secret: the shared signing secret, ``whsec_…`` (base64) as Standard Webhooks has it.
        name: what the vendor is called on the order's timeline.
    """

    def __init__(
        self, url: str, secret: str, *, name: str = "vendor", timeout: float = 10.0
    ) -> None:
        self.name = name
        self._url, self._signer = url, Webhook(secret)
        self._http = httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def grade(self, order: Order, *, key: str) -> Grading:
        """Ask for a verdict.

        Raises:
            EffectRefused: the vendor will not grade this order (400, 409, 422).
            ProviderUnavailable: no answer, or one that is no verdict.
        """
        body = json.dumps(question(order), separators=(",", ":"), ensure_ascii=False)
        at = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(key, at, body),
        }
        try:
            answer = await self._http.post(self._url, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            raise ProviderUnavailable(f"{self.name}: {error!r}") from error
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> Grading:
        if answer.status_code in (400, 409, 422):
            raise EffectRefused(f"{self.name}: {answer.text[:300]}", "not_gradable")
        if not answer.is_success:
            raise ProviderUnavailable(f"{self.name}: HTTP {answer.status_code}")
        try:
            verdict = Verdict.model_validate_json(answer.content)
        except ValidationError as error:
            raise ProviderUnavailable(f"{self.name}: the answer is no verdict") from error
        reasons = tuple(reason[:200] for reason in verdict.reasons[:20])
        return Grading(grade=verdict.grade, score=verdict.score, reasons=reasons, vendor=self.name)


def question(order: Order) -> Json:
    """Return what the vendor is told: facts, parties and lines, no notes and no card data."""
    return {
        "order_id": order.order_id,
        "placed_at": order.placed_at.isoformat(),
        "facts": {name: value for name, value in order_facts(order).items() if name != "note"},
        "customer": order.customer.model_dump(include={"customer_id", "email", "phone", "name"}),
        "ship_to": order.ship_to.model_dump() if order.ship_to else None,
        "bill_to": order.bill_to.model_dump() if order.bill_to else None,
        "lines": [
            line.model_dump(include={"sku", "title", "quantity", "unit_price"})
            for line in order.lines
        ],
    }
