"""Webhooks in our own format, signed by the Standard Webhooks specification.

The body is ``{"type": "order.created", "timestamp": "2026-03-01T12:00:00Z", "data": {…}}``:
``order.created`` with a ``GenericOrder``, ``order.cancelled`` with a ``GenericCancel``.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

from pydantic import Field, ValidationError
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from adapters.storefronts.assembly import problems_of
from adapters.storefronts.body import parse_body
from adapters.storefronts.cards import refuse_cards
from adapters.storefronts.generic_order import read_generic
from adapters.storefronts.generic_parts import Exact, Moment
from domain.errors import InvalidOrder
from ports.storefronts import EventKind, StorefrontEvent, Unauthentic

TOLERANCE = timedelta(seconds=300)


class GenericCancel(Exact):
    """The ``data`` of ``order.cancelled``: the whole order is called off."""

    external_id: str = Field(pattern=r"^[!-~]{1,150}$")
    reason: str = Field(default="", max_length=200)


class GenericEvent(Exact):
    """The envelope of every event; what ``data`` holds depends on ``type``."""

    type: str = Field(min_length=1, max_length=100)
    timestamp: Moment = Field(description="When it happened, ISO 8601 with an offset.")
    data: dict[str, object]


class GenericStorefront:
    """Reads webhooks of any system that can send our format.

    Types other than ``order.created`` and ``order.cancelled`` are ignored, so that a sender may
    send more than we use. A body without ``type`` is read as a bare ``GenericOrder``.
    """

    name = "generic"

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
    ) -> None:
        """Check id, stamp (±300 s of ``now``) and signature with each live secret.

        The library signs; its own ``verify`` is not used since it reads the machine's clock.
        """
        message_id, stamp = headers.get("webhook-id"), headers.get("webhook-timestamp")
        given = headers.get("webhook-signature")
        if not (message_id and stamp and given):
            raise Unauthentic("a webhook-id, -timestamp or -signature header is missing")
        sent_at = _sent_at(stamp)
        if abs(now - sent_at) > TOLERANCE:
            raise Unauthentic("the stamp is more than 300 s away")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise Unauthentic("the body is not UTF-8, so nobody can have signed it") from None
        expected = [key.sign(message_id, sent_at, text).encode() for key in _keys(secrets)]
        signatures = [signature.encode() for signature in given.split(" ")[:20]]
        fits = [compare_digest(mine, theirs) for mine in expected for theirs in signatures]
        if not any(fits):
            raise Unauthentic("no live secret gives this signature")

    def read(
        self, headers: Mapping[str, str], body: bytes, channel: str, now: datetime
    ) -> StorefrontEvent:
        """Turn a delivery into what it asks of us.

        Raises:
            InvalidOrder: no readable event; names every field at fault.
        """
        value = parse_body(body)
        refuse_cards(value)
        delivery_id = headers.get("webhook-id", "")[:200]
        if isinstance(value, dict) and "type" not in value and "external_id" in value:
            event = StorefrontEvent(kind=EventKind.IGNORED, topic="", delivery_id=delivery_id)
            return _with_order(event, value, channel)
        try:
            sent = GenericEvent.model_validate(value)
            event = StorefrontEvent(
                kind=EventKind.IGNORED,
                topic=sent.type,
                delivery_id=delivery_id,
                occurred_at=sent.timestamp,
            )
            return _asked(event, sent, channel)
        except ValidationError as error:
            raise InvalidOrder(problems_of(error)) from None


def _asked(event: StorefrontEvent, sent: GenericEvent, channel: str) -> StorefrontEvent:
    if sent.type == "order.created":
        try:
            return _with_order(event, sent.data, channel)
        except InvalidOrder as error:
            raise InvalidOrder([(f"data.{f}", message) for f, message in error.problems]) from None
    if sent.type == "order.cancelled":
        try:
            cancel = GenericCancel.model_validate(sent.data)
        except ValidationError as error:
            raise InvalidOrder(problems_of(error, "data")) from None
        return event.model_copy(
            update={
                "kind": EventKind.CANCEL,
                "external_id": cancel.external_id,
                "reason": cancel.reason,
            }
        )
    return event.model_copy(update={"reason": "a type that asks nothing of an order"})


def _with_order(event: StorefrontEvent, data: dict[str, object], channel: str) -> StorefrontEvent:
    order = read_generic(data, channel)
    return event.model_copy(
        update={"kind": EventKind.ORDER, "external_id": order.external_id, "order": order}
    )


def can_sign(secret: str) -> bool:
    """Tell whether a secret is one by the specification: base64, perhaps after ``whsec_``."""
    try:
        return bool(b64decode(secret.removeprefix("whsec_"), validate=True))
    except ValueError:
        return False


def _sent_at(stamp: str) -> datetime:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 11):
        raise Unauthentic("the stamp is not in seconds since 1970")
    return datetime.fromtimestamp(int(stamp), tz=UTC)


def _keys(secrets: Sequence[str]) -> Iterator[Webhook]:
    for secret in secrets:
        try:
            yield Webhook(secret)
        except (Base64Error, ValueError, EmptyWebhookSecretError):
            continue  # a secret that is none can fit nothing
