"""Orders to send: the repository's examples, each under an id and an address of its own."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from cli.scenarios import EXAMPLES
from cli.storefront import Payload, read_payload

Json = dict[str, Any]

BY_WEBHOOK = (
    "generic-return", "generic-split", "generic-cash-on-delivery", "generic-grace-cancel",
    "shopify-authorised", "woo-captured", "woo-kit",
)  # fmt: skip
BY_API = ("generic-return", "generic-split", "generic-grace-cancel", "generic-cash-on-delivery")
WITH_GRACE = ("generic-grace-cancel", "generic-split", "generic-return")


def payload_of(example: str, number: int) -> Payload:
    """Return an example as customer ``number`` would place it now; the payment is still open."""
    payload = read_payload(EXAMPLES / f"{example}.json").dated(datetime.now(UTC))
    body = json.loads(_own_address(json.dumps(payload.body), number))
    if payload.platform == "shopify":
        body |= {
            "id": 5_200_000_000_000 + number,
            "admin_graphql_api_id": f"gid://shopify/Order/{5_200_000_000_000 + number}",
            "name": f"#{10_000 + number}",
            "order_number": 10_000 + number,
        }
    elif payload.platform == "woocommerce":
        woo = 90_000 + number
        body |= {"id": woo, "number": str(woo), "order_key": f"wc_order_{woo}"}
    else:
        body["data"] |= {"external_id": f"c-{number}", "number": f"C-{number}"}
    return Payload(payload.platform, body, payload.topic)


def cancel_of(payload: Payload) -> Payload:
    """Return the storefront's event that calls a generic order off."""
    body = {
        "type": "order.cancelled",
        "timestamp": payload.body["timestamp"],
        "data": {"external_id": payload.body["data"]["external_id"], "reason": "changed"},
    }
    return Payload("generic", body)


def _own_address(text: str, number: int) -> str:
    """Give each customer a mailbox of their own: the same basket twice is then no double order."""
    return re.sub(r"[\w.]+@example\.com", f"buyer.{number}@example.com", text)
