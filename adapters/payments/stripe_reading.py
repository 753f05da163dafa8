"""What Stripe's objects say, as plain dictionaries in and our values out.

Answers and webhooks share this, so that a payment reads the same either way. ``latest_charge`` may
be an id or the whole charge, and old or small servers leave amounts out: both forms are read.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.payments.stripe_amounts import from_stripe
from domain.errors import EffectRefused
from ports.payments import Authorisation, Capture, PaymentState, Refund

OWNER = "waybill_order"
PURPOSE = "purpose"
STATES = {
    "requires_capture": PaymentState.AUTHORISED,
    "requires_action": PaymentState.ACTION_REQUIRED,
    "requires_payment_method": PaymentState.DECLINED,
    "succeeded": PaymentState.CAPTURED,
    "canceled": PaymentState.VOIDED,
}
USUAL_LIFE = timedelta(days=7)

Json = Mapping[str, Any]


def marks(order_id: str, key: str, present: Json | None = None) -> dict[str, str]:
    """Return the metadata that makes an object ours.

    A storefront's own ``order_id`` (WooCommerce writes one) is left as it is, and it does not make
    the payment another order's: only ``waybill_order`` does.
    """
    named = str((present or {}).get("order_id") or order_id)
    return {"order_id": named, OWNER: order_id, PURPOSE: key}


def capture_mark(key: str) -> str:
    """Return the metadata name of a capture; Stripe allows 40 characters, keys are longer."""
    return f"capture_{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def owner_of(thing: Json) -> str:
    """Return the order that the object is marked with, or the empty string."""
    return str(_metadata(thing).get(OWNER) or "")


def belongs(thing: Json, order_id: str, key: str) -> bool:
    """Tell whether the object is the effect of this order's key."""
    return owner_of(thing) == order_id and _metadata(thing).get(PURPOSE) == key


def read_intent(intent: Json) -> Authorisation:
    """Read a payment intent as it stands."""
    currency, charge = str(intent["currency"]), charge_of(intent)
    state = STATES.get(str(intent["status"]), PaymentState.PENDING)
    captured = _captured(intent, charge)
    if state is PaymentState.VOIDED and captured:
        state = PaymentState.CAPTURED
    held = int(intent["amount"]) if state is PaymentState.AUTHORISED else 0
    return Authorisation(
        reference=str(intent["id"]),
        state=state,
        amount=from_stripe(int(intent["amount"]), currency),
        currency=currency.upper(),
        capturable=from_stripe(int(intent.get("amount_capturable", held)), currency),
        captured=from_stripe(captured, currency),
        refunded=from_stripe(int(charge.get("amount_refunded") or 0), currency),
        expires_at=_expiry(intent, charge),
        multi_capture=_card(charge).get("multicapture", {}).get("status") == "available",
        customer=_id(intent.get("customer")),
        reusable_method=_id(intent.get("payment_method")) if intent.get("customer") else "",
    )


def read_capture(intent: Json, key: str, amount: int | None = None) -> Capture | None:
    """Read the capture with this key off the intent; ``None`` when the intent knows none.

    Args:
        amount: in Stripe's unit, when the caller has just captured it.
    """
    mark = str(_metadata(intent).get(capture_mark(key)) or "")
    if amount is None and not mark:
        return None
    currency, charge = str(intent["currency"]), charge_of(intent)
    taken = amount if amount is not None else int(mark.split(" ", 1)[0])
    return Capture(
        reference=str(charge.get("id") or intent["id"]),
        amount=from_stripe(taken, currency),
        fee=_fee(charge, currency),
        capturable=from_stripe(int(intent.get("amount_capturable", 0)), currency),
    )


def read_refund(refund: Json) -> Refund:
    """Read a refund.

    Raises:
        EffectRefused: Stripe took it and then could not pay it out (code ``refund_failed``).
    """
    if refund.get("status") in ("failed", "canceled"):
        reason = refund.get("failure_reason") or refund["status"]
        raise EffectRefused(f"refund {refund['id']}: {reason}", "refund_failed")
    amount = from_stripe(int(refund["amount"]), str(refund["currency"]))
    return Refund(reference=str(refund["id"]), amount=amount)


def charge_of(intent: Json) -> Json:
    """Return the latest charge, empty when there is none or only its id came."""
    charge = intent.get("latest_charge")
    if isinstance(charge, Mapping):
        return charge
    return {"id": charge} if charge else {}


def _fee(charge: Json, currency: str) -> int:
    """Return Stripe's fee; 0 while it is not booked, or when it is booked in another currency."""
    booking = charge.get("balance_transaction")
    if not isinstance(booking, Mapping) or booking.get("currency") != currency:
        return 0
    return from_stripe(int(booking.get("fee") or 0), currency)


def _captured(intent: Json, charge: Json) -> int:
    if intent.get("amount_received") is not None:
        return int(intent["amount_received"])
    whole = int(charge.get("amount") or 0) if charge.get("captured") else 0
    return int(charge.get("amount_captured", whole))


def _expiry(intent: Json, charge: Json) -> datetime | None:
    """Return when the hold lapses: the network's word, else Stripe's usual seven days.

    Source: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method (capture_before).
    """
    if intent["status"] != "requires_capture":
        return None
    if before := _card(charge).get("capture_before"):
        return datetime.fromtimestamp(int(before), UTC)
    made = int(charge.get("created") or intent["created"])
    return datetime.fromtimestamp(made, UTC) + USUAL_LIFE


def _card(charge: Json) -> Json:
    details = charge.get("payment_method_details") or {}
    card = details.get("card") or {}
    return card if isinstance(card, Mapping) else {}


def _metadata(thing: Json) -> Json:
    metadata = thing.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _id(value: Any) -> str:
    return str(value["id"]) if isinstance(value, Mapping) else str(value or "")
