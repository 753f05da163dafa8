"""PaymentIntents: create, confirm, capture, cancel, and what happens when nobody captures.

Source: https://docs.stripe.com/api/payment_intents
"""

from testbed.agenda import Task
from testbed.database import Json, new_id
from testbed.operations import Call, Refusal
from testbed.payment_cards import card_of
from testbed.payment_charges import EXPIRE, authorise, capture, decline, release, store
from testbed.payment_lists import page, search
from testbed.payment_wire import expanded, merged, refuse, required, stored, truth, whole
from testbed.webhooks import stripe_event
from testbed.world import World

MAX_CAPTURES = 50
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def create_intent(call: Call) -> Json:
    """Create an intent, and confirm it at once if asked to."""
    required(call, "amount")
    amount = whole(call, "amount", 0)
    if amount < 1:
        raise refuse("Invalid positive integer", "parameter_invalid_integer", "amount")
    params = call.params
    method = params.get("payment_method")
    if method:
        card_of(call, method)
    if params.get("customer"):
        stored(call, "customer", params["customer"])
    intent = {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic"),
        "confirmation_method": "automatic",
        "created": int(call.world.now()),
        "currency": required(call, "currency").lower(),
        "customer": params.get("customer"),
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "next_action": None,
        "payment_method": method,
        "payment_method_options": params.get("payment_method_options") or {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": params.get("shipping"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_confirmation" if method else "requires_payment_method",
        "transfer_group": params.get("transfer_group"),
    }
    intent["client_secret"] = f"{intent['id']}_secret_testbed"
    store(call.world, intent)
    if truth(call, "confirm"):
        _confirm(call, intent)
    return expanded(call, intent)


def confirm_intent(call: Call) -> Json:
    """Try the payment method, a new one if given."""
    intent = stored(call, "payment_intent", call.id)
    _expect(intent, CONFIRMABLE, "confirm")
    intent["payment_method"] = call.params.get("payment_method") or intent["payment_method"]
    _confirm(call, intent)
    return expanded(call, intent)


def _confirm(call: Call, intent: Json) -> None:
    world, key = call.world, call.key
    if not intent["payment_method"]:
        raise refuse("You cannot confirm this PaymentIntent because it's missing a payment method.")
    card = card_of(call, intent["payment_method"])
    if call.fault and call.fault.kind == "decline":
        code = call.fault.code or "generic_decline"
        raise Refusal(402, decline(world, intent, card, code, key))
    if card.decline:
        raise Refusal(402, decline(world, intent, card, card.decline, key))
    if card.challenge and truth(call, "off_session"):
        # Nobody is there to answer the bank, so Stripe turns the challenge into a decline.
        raise Refusal(402, decline(world, intent, card, "authentication_required", key))
    if card.challenge:
        intent |= {"status": "requires_action", "next_action": _challenge(call, intent)}
        store(world, intent)
        stripe_event(world, "payment_intent.requires_action", intent, key)
        return
    authorise(world, intent, card, key)


def _challenge(call: Call, intent: Json) -> Json:
    address = f"{call.base_url}/control/payment_intents/{intent['id']}/authenticate"
    back = call.params.get("return_url")
    if back:
        return {"type": "redirect_to_url", "redirect_to_url": {"url": address, "return_url": back}}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}


def authenticate(world: World, intent: Json, call: Call, passed: bool) -> Json:
    """Let the cardholder pass or fail the challenge; for the control API."""
    _expect(intent, ("requires_action",), "authenticate")
    card = card_of(call, intent["payment_method"])
    if passed:
        authorise(world, intent, card, None)
    else:
        decline(world, intent, card, "authentication_required", None)
    return intent


def retrieve_intent(call: Call) -> Json:
    """Show an intent."""
    return expanded(call, stored(call, "payment_intent", call.id))


def update_intent(call: Call) -> Json:
    """Change metadata, description or, before it is confirmed, the payment method."""
    intent = stored(call, "payment_intent", call.id)
    intent["metadata"] = merged(intent["metadata"], call.params.get("metadata"))
    for name in ("description", "receipt_email", "transfer_group"):
        intent[name] = call.params.get(name, intent.get(name))
    if "payment_method" in call.params:
        _expect(intent, CONFIRMABLE, "update")
        card_of(call, call.params["payment_method"])
        intent |= {"payment_method": call.params["payment_method"]}
        intent["status"] = "requires_confirmation"
    store(call.world, intent)
    return expanded(call, intent)


def list_intents(call: Call) -> Json:
    """List intents."""
    return page(call, "payment_intent", "/v1/payment_intents")


def search_intents(call: Call) -> Json:
    """Find intents by metadata and other fields."""
    return search(call, "payment_intent", "/v1/payment_intents/search")


def capture_intent(call: Call) -> Json:
    """Capture all or part of a hold; without multicapture the rest is released.

    Source: https://docs.stripe.com/payments/multicapture
    """
    intent = stored(call, "payment_intent", call.id)
    _expect(intent, ("requires_capture",), "capture")
    charge = stored(call, "charge", intent["latest_charge"])
    left = intent["amount_capturable"]
    amount = whole(call, "amount_to_capture", left)
    final = truth(call, "final_capture", default=True)
    several = charge["payment_method_details"]["card"]["multicapture"]["status"] == "available"
    if amount > left:
        message = f"The amount_to_capture ({amount}) is greater than the capturable amount ({left})"
        raise refuse(message, "amount_too_large", "amount_to_capture")
    if not final and not several:
        raise refuse("final_capture requires multicapture to be available.", param="final_capture")
    if amount == 0 and not (final and charge["captured"]):
        raise refuse("Amount must be at least 1.", "amount_too_small", "amount_to_capture")
    taken = call.world.db.rows(
        "SELECT 1 FROM object WHERE kind = 'balance_transaction' AND owner = ?", charge["id"]
    )
    if not final and len(taken) >= MAX_CAPTURES:
        raise refuse(f"At most {MAX_CAPTURES} captures that are not final are allowed.")
    if call.fault and call.fault.kind == "decline":
        raise Refusal(402, _capture_declined(call, intent, charge))
    own = call.params.get("metadata")
    intent["metadata"] = merged(intent["metadata"], own)
    capture(call.world, intent, charge, amount, final=final, key=call.key)
    return expanded(call, intent)


def _capture_declined(call: Call, intent: Json, charge: Json) -> Json:
    code = (call.fault and call.fault.code) or "generic_decline"
    error = {"type": "card_error", "code": "card_declined", "decline_code": code}
    message = "Your card was declined while capturing."
    return {
        "error": {**error, "message": message, "charge": charge["id"], "payment_intent": intent}
    }


def cancel_intent(call: Call) -> Json:
    """Cancel an intent and release what it still holds."""
    intent = stored(call, "payment_intent", call.id)
    _expect(intent, (*CONFIRMABLE, "requires_capture"), "cancel")
    reason = call.params.get("cancellation_reason")
    release(call.world, intent, "void", reason, call.key)
    return expanded(call, intent)


def _expect(intent: Json, statuses: tuple[str, ...], verb: str) -> None:
    if intent["status"] not in statuses:
        message = (
            f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
            f" Only a PaymentIntent with one of the following statuses may be used:"
            f" {', '.join(statuses)}."
        )
        raise refuse(message, "payment_intent_unexpected_state", payment_intent=intent)


def watch_expiry(world: World) -> None:
    """Let holds lapse at ``capture_before``: cancelled, or ended as captured so far."""

    def expire(task: Task) -> None:
        intent = world.db.get(task.subject, "payment_intent")
        if intent is None or intent["status"] != "requires_capture":
            return
        if not intent["amount_received"]:
            release(world, intent, "expire", "automatic", None)
            return
        charge = world.db.get(intent["latest_charge"], "charge")
        if charge:
            capture(world, intent, charge, 0, final=True, key=None)

    world.agenda.on(EXPIRE, expire)
