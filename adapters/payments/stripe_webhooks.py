"""Stripe's webhooks: proof that Stripe spoke, and what it said.

Events repeat, overtake one another and arrive twice in different words (``charge.captured`` and
``payment_intent.succeeded`` for one capture): amounts are therefore totals, never increments.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import stripe

from adapters.payments import stripe_reading as reading
from adapters.payments.stripe_amounts import from_stripe
from domain.errors import DomainError
from ports.payments import PaymentEvent
from ports.storefronts import Unauthentic

TOLERANCE_SECONDS = 300
FIELDS = {
    "payment_intent.amount_capturable_updated": ("authorised", "amount_capturable"),
    "payment_intent.requires_action": ("action_required", "amount"),
    "payment_intent.payment_failed": ("declined", "amount"),
    "payment_intent.succeeded": ("captured", "amount_received"),
    "payment_intent.canceled": ("voided", "amount"),
    "charge.captured": ("captured", "amount_captured"),
    "charge.refunded": ("refunded", "amount_refunded"),
}
NOTHING_TAKEN = ("won", "prevented", "warning_needs_response", "warning_under_review",
                 "warning_closed")  # fmt: skip

Json = Mapping[str, Any]


class StripeWebhooks:
    """Reads the events of one Stripe account. ``now`` is the clock of the ±300 s window."""

    name = "stripe"

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
        """Check the ``stripe-signature`` of the raw body against each live secret.

        Raises:
            Unauthentic: no secret fits, or the stamp is more than 300 s away in either direction.
        """
        header = headers.get("stripe-signature", "")
        if not any(_fits(body, header, secret) for secret in secrets if secret.strip()):
            raise Unauthentic("no live secret made this Stripe signature")
        stamp = int(next(part[2:] for part in header.split(",") if part.startswith("t=")))
        if abs(self._now().timestamp() - stamp) > TOLERANCE_SECONDS:
            raise Unauthentic(f"the Stripe signature is from {stamp}, not from now")

    def read(self, body: bytes) -> PaymentEvent:
        """Read an event; what is no payment of ours to follow has kind ``other``.

        ``amount`` is what stands now, in our minor units: held, captured so far, refunded so far,
        or disputed (0 for an inquiry and for a dispute that is won).

        Raises:
            DomainError: the body is no Stripe event (code ``unreadable_event``).
        """
        try:
            event = json.loads(body)
            kind, thing = str(event["type"]), event["data"]["object"]
            event_id, created = str(event["id"]), int(event.get("created") or 0)
        except (ValueError, KeyError, TypeError) as error:
            raise DomainError("the body is no Stripe event", "unreadable_event") from error
        at = datetime.fromtimestamp(created, UTC) if created else None
        if kind.startswith("charge.dispute."):
            return _event(event_id, "disputed", thing, _disputed(kind, thing), at)
        if kind not in FIELDS:
            return PaymentEvent(event_id=event_id, kind="other", occurred_at=at)
        meaning, field = FIELDS[kind]
        return _event(event_id, meaning, thing, int(thing.get(field) or 0), at)


def _fits(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        # TypeError: the SDK compares text, and a header may hold what is not ASCII.
        return False
    return True


def _disputed(kind: str, dispute: Json) -> int:
    back = kind == "charge.dispute.funds_reinstated" or dispute.get("status") in NOTHING_TAKEN
    return 0 if back else int(dispute.get("amount") or 0)


def _event(event_id: str, kind: str, thing: Json, amount: int, at: datetime | None) -> PaymentEvent:
    intent = thing["id"] if thing.get("object") == "payment_intent" else thing.get("payment_intent")
    if isinstance(intent, Mapping):
        intent = intent.get("id")
    charge = thing.get("charge") or thing.get("id") or ""
    currency = str(thing.get("currency") or "").upper()
    return PaymentEvent(
        event_id=event_id,
        kind=kind,
        reference=str(intent or charge),
        order_id=reading.owner_of(thing),
        amount=from_stripe(amount, currency) if currency else 0,
        currency=currency,
        occurred_at=at,
    )
