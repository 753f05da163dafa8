"""Who sends us webhooks: where to, what, and how each signs. Ours verifies; here it is signed."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.api.api_world import NOON, SECRET
from tests.storefronts.platforms import sent

NOW = int(NOON.timestamp())
OTHER = "whsec_YW5vdGhlci1zZWNyZXQtb2YtYW5vdGhlci1zaG9w"

Headers = dict[str, str]

STRIPE_KINDS = (
    "charge.captured",
    "charge.dispute.created",
    "charge.refunded",
    "customer.created",
    "payment_intent.amount_capturable_updated",
    "payment_intent.succeeded",
)


@dataclass(frozen=True)
class Sender:
    """One kind of sender.

    ``body`` makes what it says (with further headers), ``n`` telling one from the next; ``sign``
    returns the headers that prove a body; ``holds`` tells by the same scheme, without any of our
    code, whether headers prove a body.
    """

    name: str
    path: str
    body: Callable[[Random, int], tuple[Any, Headers]]
    sign: Callable[..., Headers]
    holds: Callable[[Mapping[str, str], bytes], bool]


def mac(secret: bytes, body: bytes) -> bytes:
    """Return the HMAC-SHA256."""
    return hmac.new(secret, body, hashlib.sha256).digest()


def _storefront(name: str, path: str, header: str) -> Sender:
    def body(random: Random, n: int) -> tuple[Any, Headers]:
        said, headers = sent(name, random)
        if random.random() < 0.5:
            said["id"] = n + 10**9
        return said, headers

    def sign(body: bytes, secret: str = SECRET) -> Headers:
        return {header: b64encode(mac(secret.encode(), body)).decode()}

    def holds(headers: Mapping[str, str], body: bytes) -> bool:
        return headers.get(header, "").strip() == sign(body)[header]

    return Sender(name, path, body, sign, holds)


def _generic() -> Sender:
    def body(random: Random, n: int) -> tuple[Any, Headers]:
        said, headers = sent("generic", random)
        inner = said.get("data", said)
        if random.random() < 0.5:
            inner["external_id"] = f"x-{n}"
        return said, headers

    def sign(
        body: bytes, secret: str = SECRET, at: int | str = NOW, message: str = "msg_1"
    ) -> Headers:
        key = b64decode(secret.removeprefix("whsec_"))
        proof = b64encode(mac(key, f"{message}.{at}.".encode() + body)).decode()
        return {
            "webhook-id": message,
            "webhook-timestamp": str(at),
            "webhook-signature": f"v1,{proof}",
        }

    def holds(headers: Mapping[str, str], body: bytes) -> bool:
        at, message = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
        if not at.isascii() or not at.isdigit() or abs(int(at) - NOW) > 300:
            return False
        good = sign(body, at=int(at), message=message)["webhook-signature"]
        return good in headers.get("webhook-signature", "").split(" ")

    return Sender("generic", "/webhooks/shop", body, sign, holds)


def _easypost() -> Sender:
    def body(random: Random, n: int) -> tuple[Any, Headers]:
        scans = [
            {"status": status, "message": "scanned", "datetime": f"2026-03-01T1{hour}:00:00Z",
             "tracking_location": {"city": "Berlin", "country": "DE"}}
            for hour, status in enumerate(("in_transit", "out_for_delivery", "delivered"))
        ]  # fmt: skip
        number = random.choice(("TP10010", "TP10030", "unknown"))
        tracker = {"object": "Tracker", "tracking_code": number, "carrier": "TestPost",
                   "status": "delivered", "updated_at": "2026-03-01T13:00:00Z",
                   "est_delivery_date": "2026-03-02T00:00:00Z", "signed_by": "A. Lee",
                   "tracking_details": scans[: random.randint(0, 3)]}  # fmt: skip
        return {"id": f"evt_{n}", "description": "tracker.updated", "result": tracker}, {}

    def sign(body: bytes, secret: str = SECRET) -> Headers:
        return {"x-hmac-signature": "hmac-sha256-hex=" + mac(secret.encode(), body).hex()}

    def holds(headers: Mapping[str, str], body: bytes) -> bool:
        return headers.get("x-hmac-signature", "") == sign(body)["x-hmac-signature"]

    return Sender("easypost", "/webhooks/carriers/easypost", body, sign, holds)


def _stripe() -> Sender:
    def body(random: Random, n: int) -> tuple[Any, Headers]:
        owner = random.choice(("api-1001", "api-1005", "none"))
        thing = {"object": random.choice(("payment_intent", "charge", "dispute")), "id": f"pi_{n}",
                 "amount": 3750, "amount_received": 3750, "amount_captured": 3750,
                 "amount_refunded": 100, "amount_capturable": 3750, "currency": "eur",
                 "charge": "ch_1", "payment_intent": {"id": "pi_1"}, "status": "needs_response",
                 "metadata": {"waybill_order": owner}}  # fmt: skip
        kind = random.choice(STRIPE_KINDS)
        event = {"id": f"evt_{n}", "object": "event", "type": kind, "created": NOW,
                 "data": {"object": thing}}  # fmt: skip
        return event, {}

    def sign(body: bytes, secret: str = SECRET, at: int | str = NOW) -> Headers:
        proof = mac(secret.encode(), f"{at}.".encode() + body).hex()
        return {"stripe-signature": f"t={at},v1={proof}"}

    def holds(headers: Mapping[str, str], body: bytes) -> bool:
        parts = [part.split("=", 1) for part in headers.get("stripe-signature", "").split(",")]
        stamps = {part[1] for part in parts if part[0] == "t" and len(part) == 2}
        proofs = {part[1] for part in parts if part[0] == "v1" and len(part) == 2}
        if len(stamps) != 1 or not all(one.isdigit() and one.isascii() for one in stamps):
            return False
        (at,) = stamps
        good = mac(SECRET.encode(), f"{int(at)}.".encode() + body).hex()
        return good in proofs and abs(int(at) - NOW) <= 300

    return Sender("stripe", "/webhooks/payments/stripe", body, sign, holds)


SENDERS = (
    _storefront("shopify", "/webhooks/shopify", "x-shopify-hmac-sha256"),
    _storefront("woocommerce", "/webhooks/woo", "x-wc-webhook-signature"),
    _generic(),
    _easypost(),
    _stripe(),
)


def text(body: Any) -> bytes:
    """Return a body as JSON text."""
    return json.dumps(body).encode()
