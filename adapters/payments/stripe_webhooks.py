"""Stripe's webhooks: proof that Stripe spoke, and what it said.

Events repeat, overtake one another and arrive twice in different words (``charge.captured`` and
``payment_intent.succeeded`` for one capture): amounts are therefore totals, never increments.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import stripe
from pydantic import BeforeValidator, Field

from adapters.events import Event, Name, Text, read_event, validated
from adapters.payments import stripe_reading as reading
from adapters.payments.stripe_amounts import from_stripe
from adapters.storefronts.amounts import LARGEST
from domain.errors import EffectRefused, UnreadableEvent
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

LATEST = 253_402_300_799
"""The last second that a date can name."""

Amount = Annotated[int | None, Field(ge=0, le=LARGEST)]


class Reference(Event):
    """A payment intent or a charge, written out."""

    id: Text = ""


class Thing(Event):
    """What an event is about: a payment intent, a charge or a dispute. Amounts in Stripe's unit."""

    object: Text = ""
    id: Text = ""
    charge: Reference | Text = ""
    payment_intent: Reference | Text = ""
    currency: Annotated[Text, Field(pattern=r"^([A-Za-z]{3})?$")] = ""
    status: Text = ""
    metadata: dict[str, Any] | None = None
    amount: Amount = 0
    amount_capturable: Amount = 0
    amount_received: Amount = 0
    amount_captured: Amount = 0
    amount_refunded: Amount = 0

    @property
    def payment(self) -> str:
        """The payment intent's id; of an old charge without one, the charge's."""
        named = self.id if self.object == "payment_intent" else _id(self.payment_intent)
        return (named or _id(self.charge) or self.id)[:200]

    def is_given_back(self, kind: str) -> bool:
        """Whether a dispute takes nothing, or takes nothing any more."""
        return kind == "charge.dispute.funds_reinstated" or self.status in NOTHING_TAKEN


class Data(Event):
    """Where Stripe puts the object."""

    object: dict[str, Any]


class StripeEvent(Event):
    """The envelope."""

    id: Name
    type: Name
    created: Annotated[int, BeforeValidator(lambda value: value or 0), Field(ge=0, le=LATEST)] = 0
    data: Data


def _id(thing: Reference | str) -> str:
    return thing if isinstance(thing, str) else thing.id


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
        stamps = [part[2:] for part in header.split(",") if part.startswith("t=")]
        # One stamp: with two, what is signed and what is compared with the clock could differ.
        if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
            raise Unauthentic("the Stripe signature has not one stamp in seconds since 1970")
        if not any(_fits(body, header, secret) for secret in secrets if secret.strip()):
            raise Unauthentic("no live secret made this Stripe signature")
        if len(stamps[0]) > 11 or abs(self._now().timestamp() - int(stamps[0])) > TOLERANCE_SECONDS:
            raise Unauthentic(f"the Stripe signature is from {stamps[0][:20]}, not from now")

    def read(self, body: bytes) -> PaymentEvent:
        """Read an event; what is no payment of ours to follow has kind ``other``.

        ``amount`` is what stands now, in our minor units: held, captured so far, refunded so far,
        or disputed (0 for an inquiry and for a dispute that is won).

        Raises:
            UnreadableEvent: the body is no Stripe event; names the fields at fault.
        """
        event = read_event(StripeEvent, body)
        at = datetime.fromtimestamp(event.created, UTC) if event.created else None
        if event.type.startswith("charge.dispute."):
            meaning, field = "disputed", "amount"
        elif event.type in FIELDS:
            meaning, field = FIELDS[event.type]
        else:
            return PaymentEvent(event_id=event.id, kind="other", occurred_at=at)
        thing = validated(Thing, event.data.object, "data.object")
        back = meaning == "disputed" and thing.is_given_back(event.type)
        amount = 0 if back else getattr(thing, field) or 0
        return PaymentEvent(
            event_id=event.id,
            kind=meaning,
            reference=thing.payment,
            order_id=reading.owner_of({"metadata": thing.metadata}),
            amount=_ours(amount, thing.currency, f"data.object.{field}"),
            currency=thing.currency.upper(),
            occurred_at=at,
        )


def _fits(body: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        # TypeError: the SDK compares text, and a header may hold what is not ASCII.
        return False
    return True


def _ours(amount: int, currency: str, field: str) -> int:
    try:
        return from_stripe(amount, currency) if currency else 0
    except EffectRefused as refused:
        raise UnreadableEvent([(field, str(refused))]) from None
