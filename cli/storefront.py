"""A storefront's side of a webhook: which platform a payload is of, dated now, paid for, signed."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook as StandardWebhook

from adapters.storefronts.signatures import body_signature
from domain.errors import DomainError

Json = dict[str, Any]
CHANNEL_OF = {"shopify": "shopify", "woocommerce": "woo", "generic": "shop"}
PLACEHOLDER = "pi_3ExampleCheckout"
"""Stands in the examples for the payment that the storefront's own checkout has made."""


@dataclass(frozen=True)
class Delivery:
    """A signed webhook, ready to be posted to ``/webhooks/{channel}``."""

    channel: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Payload:
    """What a file holds: a platform's webhook body, with its topic where the file names one."""

    platform: str
    body: Any
    topic: str = ""

    def dated(self, now: datetime) -> "Payload":
        """Return it as if it had been placed now: a grace period counts from the order's time."""
        stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        body: Json = json.loads(json.dumps(self.body))
        if self.platform == "shopify":
            body |= dict.fromkeys(("created_at", "processed_at"), stamp + "+00:00")
        elif self.platform == "woocommerce":
            named = ("date_created", "date_created_gmt", "date_modified_gmt", "date_paid_gmt")
            body |= {name: stamp for name in named if body.get(name)}
        else:
            body["timestamp"] = stamp + "Z"
            if "placed_at" in body.get("data", {}):
                body["data"]["placed_at"] = stamp + "Z"
        return Payload(self.platform, body, self.topic)

    def paid_with(self, intent: str) -> "Payload":
        """Return it with a payment that exists at the provider in the placeholder's place."""
        text = json.dumps(self.body).replace(PLACEHOLDER, intent)
        return Payload(self.platform, json.loads(text), self.topic)

    @property
    def needs_payment(self) -> bool:
        """Whether the placeholder stands in it."""
        return PLACEHOLDER in json.dumps(self.body)

    @property
    def captured(self) -> bool:
        """Whether the storefront says that it has taken the money."""
        if self.platform == "shopify":
            return str(self.body.get("financial_status")) == "paid"
        return bool(self.body.get("date_paid_gmt"))

    @property
    def total(self) -> tuple[int, str]:
        """The order's total in hundredths, and its currency; for currencies with two decimals."""
        whole, _, cents = str(self.body.get("total_price") or self.body.get("total")).partition(".")
        return int(whole) * 100 + int((cents + "00")[:2]), str(self.body["currency"])

    def signed(self, secret: str, now: datetime) -> Delivery:
        """Return it as the platform would deliver it, under a delivery id of its own."""
        body = json.dumps(self.body, ensure_ascii=False).encode()
        headers = _HEADERS[self.platform](self, body, secret, now)
        return Delivery(
            CHANNEL_OF[self.platform], {"Content-Type": "application/json", **headers}, body
        )


def read_payload(path: Path) -> Payload:
    """Read a file: a bare body, or ``{"headers": …, "body": …}`` as it was once delivered.

    What cannot be told by its fields is told by its path (``…/shopify/…``); what remains is sent as
    our own format, so that the API says what it lacks.

    Raises:
        DomainError: code ``bad_file``; names the file.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DomainError(f"{path}: cannot be read as JSON ({error})", "bad_file") from None
    headers: Json = {}
    if isinstance(found, dict) and isinstance(found.get("headers"), dict) and "body" in found:
        headers = {str(name).lower(): value for name, value in found["headers"].items()}
        found = found["body"]
    platform = platform_of(found) or _platform_named(path) or "generic"
    topic = headers.get("x-shopify-topic") or headers.get("x-wc-webhook-topic") or ""
    return Payload(platform, found, str(topic))


def _platform_named(path: Path) -> str | None:
    name = path.as_posix().lower()
    return next((p for p in CHANNEL_OF if p in name), "woocommerce" if "woo" in name else None)


def platform_of(body: object) -> str | None:
    """Tell whose webhook a body is, by the fields that only that platform has."""
    if not isinstance(body, dict):
        return None
    for wrapper in ("order", "data"):
        inner = body.get(wrapper)
        if isinstance(inner, dict) and "line_items" in inner:
            return platform_of(inner)
    if {"type", "data"} <= body.keys() or "lines" in body:
        return "generic"
    if "line_items" not in body and "admin_graphql_api_id" not in body:
        return None
    woo = {"order_key", "date_created", "date_created_gmt", "payment_method", "prices_include_tax"}
    return "woocommerce" if woo & body.keys() else "shopify"


def _shopify(payload: Payload, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {
        "X-Shopify-Topic": payload.topic or "orders/create",
        "X-Shopify-Hmac-Sha256": body_signature(body, secret),
        "X-Shopify-Webhook-Id": secrets.token_hex(16),
        "X-Shopify-Triggered-At": now.isoformat(),
    }


def _woocommerce(payload: Payload, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {
        "X-WC-Webhook-Topic": payload.topic or "order.created",
        "X-WC-Webhook-Signature": body_signature(body, secret),
        "X-WC-Webhook-Delivery-ID": secrets.token_hex(16),
    }


def _generic(payload: Payload, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    message_id = f"msg_{secrets.token_hex(12)}"
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": StandardWebhook(secret).sign(message_id, now, body.decode()),
    }


_HEADERS = {"shopify": _shopify, "woocommerce": _woocommerce, "generic": _generic}
