"""Money movements on one authorisation: authorise, capture, release, with their ledger rows."""

from testbed.database import Json, new_id
from testbed.ledger import order_of, record
from testbed.payment_cards import MESSAGES, Card, wire_card
from testbed.webhooks import stripe_event
from testbed.world import World

EXPIRE = "payments.expire"


def fee(amount: int) -> int:
    """Return the provider's fee in minor units: 2.9 % rounded half up, plus 30."""
    return (amount * 29 + 500) // 1000 + 30


def authorise(world: World, intent: Json, card: Card, key: str | None) -> Json:
    """Hold the intent's amount on a card and return the charge.

    Source of ``capture_before``: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
    """
    charge = _charge(world, intent, card)
    manual = intent["capture_method"] == "manual"
    details = charge["payment_method_details"]["card"]
    details["amount_authorized"] = intent["amount"]
    options = (intent["payment_method_options"].get("card") or {}).get("request_multicapture")
    details["multicapture"] = {
        "status": "available" if manual and options == "if_available" else "unavailable"
    }
    record(world, "authorise", intent, charge["id"], intent["amount"], key=key)
    intent |= {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None}
    if not manual:
        store(world, intent, charge)
        return capture(world, intent, charge, intent["amount"], final=True, key=key)
    lapses = world.now() + world.settings.authorization_seconds
    details["capture_before"] = int(lapses)
    intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
    store(world, intent, charge)
    world.agenda.add(EXPIRE, intent["id"], lapses)
    stripe_event(world, "payment_intent.amount_capturable_updated", intent, key)
    return charge


def decline(world: World, intent: Json, card: Card, decline_code: str, key: str | None) -> Json:
    """Leave a failed charge and return Stripe's card error."""
    charge = _charge(world, intent, card)
    expired = decline_code == "expired_card"
    challenged = decline_code == "authentication_required"
    code = decline_code if expired or challenged else "card_declined"
    message = MESSAGES.get(decline_code, "Your card was declined.")
    charge |= {"status": "failed", "paid": False, "failure_code": code, "failure_message": message}
    charge["outcome"] |= {"type": "issuer_declined", "reason": decline_code}
    charge["outcome"]["network_status"] = "declined_by_network"
    error = {
        "charge": charge["id"],
        "code": code,
        "decline_code": decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
        "type": "card_error",
    }
    intent |= {
        "latest_charge": charge["id"],
        "last_payment_error": {**error, "payment_method": {"id": intent["payment_method"]}},
        "payment_method": None,
        "status": "requires_payment_method",
        "next_action": None,
    }
    record(world, "decline", intent, charge["id"], intent["amount"], key=key)
    store(world, intent, charge)
    stripe_event(world, "payment_intent.payment_failed", intent, key)
    return {"error": {**error, "payment_intent": intent}}


def capture(
    world: World, intent: Json, charge: Json, amount: int, *, final: bool, key: str | None,
    metadata: Json | None = None,
) -> Json:  # fmt: skip
    """Take ``amount`` of the hold; a final capture releases the rest. Return the charge."""
    if amount:
        taken = balance_transaction(world, charge, "charge", amount, fee(amount), charge["id"])
        charge["balance_transaction"] = taken["id"]
        record(world, "capture", intent, taken["id"], amount, metadata=metadata, key=key)
    rest = intent["amount"] - intent["amount_received"] - amount
    if final and rest:
        record(world, "release", intent, charge["id"], rest, metadata=metadata, key=key)
    charge |= {"captured": True, "amount_captured": charge["amount_captured"] + amount}
    intent |= {
        "amount_received": intent["amount_received"] + amount,
        "amount_capturable": 0 if final else rest,
        "status": "succeeded" if final else "requires_capture",
    }
    if final:
        world.agenda.drop(EXPIRE, intent["id"])
    store(world, intent, charge)
    if amount:
        stripe_event(world, "charge.captured", charge, key)
    kind = "succeeded" if final else "amount_capturable_updated"
    stripe_event(world, f"payment_intent.{kind}", intent, key)
    return charge


def release(world: World, intent: Json, kind: str, reason: str | None, key: str | None) -> None:
    """Let the uncaptured rest go and cancel the intent; ``kind`` names the ledger row."""
    charge = world.db.get(intent["latest_charge"]) if intent["latest_charge"] else None
    if charge and intent["amount_capturable"]:
        record(world, kind, intent, charge["id"], intent["amount_capturable"], key=key)
    intent |= {
        "amount_capturable": 0,
        "canceled_at": int(world.now()),
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    world.agenda.drop(EXPIRE, intent["id"])
    if charge and not charge["captured"] and charge["status"] == "succeeded":
        charge |= {"refunded": True, "amount_refunded": charge["amount"]}
    store(world, intent, charge)
    stripe_event(world, "payment_intent.canceled", intent, key)


def store(world: World, intent: Json, charge: Json | None = None) -> None:
    """Write the intent, and its charge if given."""
    order = order_of(intent["metadata"])
    world.db.put("payment_intent", intent, order_id=order)
    if charge:
        world.db.put("charge", charge, owner=intent["id"], order_id=order)


def balance_transaction(
    world: World, charge: Json, kind: str, amount: int, fees: int, source: str
) -> Json:
    """Book ``amount`` (negative for money that leaves) less ``fees`` on the merchant's balance."""
    now = int(world.now())
    shown = {"amount": fees, "currency": charge["currency"], "description": "Processing fees"}
    entry = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now + 2 * 86_400,
        "created": now,
        "currency": charge["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fees,
        "fee_details": [{**shown, "type": "stripe_fee", "application": None}] if fees else [],
        "net": amount - fees,
        "reporting_category": kind,
        "source": source,
        "status": "pending",
        "type": kind,
    }
    return world.db.put("balance_transaction", entry, owner=source)


def _charge(world: World, intent: Json, card: Card) -> Json:
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": False,
        "created": int(world.now()),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"card": wire_card(card), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "status": "succeeded",
    }
