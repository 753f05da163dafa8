"""Test payment methods and customers.

Source: https://docs.stripe.com/testing
"""

import time
from dataclasses import dataclass

from testbed.database import Json, new_id
from testbed.operations import Call
from testbed.payment_lists import page
from testbed.payment_wire import merged, missing, required, stored

MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "authentication_required": "This transaction requires authentication.",
}


@dataclass(frozen=True)
class Card:
    """How a test card behaves: ``decline`` is a decline code, ``challenge`` asks for 3DS."""

    last4: str
    brand: str = "visa"
    decline: str | None = None
    challenge: bool = False


CARDS = {
    "pm_card_visa": Card("4242"),
    "pm_card_mastercard": Card("4444", brand="mastercard"),
    "pm_card_amex": Card("8431", brand="amex"),
    "pm_card_chargeDeclined": Card("0002", decline="generic_decline"),
    "pm_card_visa_chargeDeclined": Card("0002", decline="generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": Card("9995", decline="insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": Card("0069", decline="expired_card"),
    "pm_card_authenticationRequired": Card("3155", challenge=True),
}


def card_of(call: Call, method_id: str) -> Card:
    """Return the card behind a test id or an attached payment method, or refuse."""
    known = CARDS.get(method_id)
    if known is None:
        attached = call.world.db.get(method_id, "payment_method")
        known = CARDS.get(str(attached["metadata"]["testbed_card"])) if attached else None
    if known is None:
        raise missing(call, "PaymentMethod", method_id)
    return known


def wire_card(card: Card) -> Json:
    """Return a card as Stripe shows it."""
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": "pass",
            "cvc_check": "pass",
        },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"testbed{card.last4}",
        "funding": "credit",
        "last4": card.last4,
        "network": card.brand,
        "three_d_secure": None,
        "wallet": None,
    }


def retrieve_method(call: Call) -> Json:
    """Show a payment method."""
    attached = call.world.db.get(call.id, "payment_method")
    return attached or _method(call, call.id, None)


def attach_method(call: Call) -> Json:
    """Attach a payment method to a customer; a test id becomes a method of its own."""
    customer = stored(call, "customer", required(call, "customer"))["id"]
    attached = call.world.db.get(call.id, "payment_method")
    if attached:
        attached["customer"] = customer
        return call.world.db.put("payment_method", attached, customer)
    method = _method(call, call.id, customer)
    method |= {"id": new_id("pm"), "metadata": {"testbed_card": call.id}}
    return call.world.db.put("payment_method", method, customer)


def _method(call: Call, method_id: str, customer: str | None) -> Json:
    return {
        "id": method_id,
        "object": "payment_method",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "card": wire_card(card_of(call, method_id)),
        "created": int(call.world.now()),
        "customer": customer,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def create_customer(call: Call) -> Json:
    """Create a customer."""
    kept = ("email", "name", "phone", "description", "address", "shipping")
    customer = {
        "id": new_id("cus"),
        "object": "customer",
        "balance": 0,
        "created": int(call.world.now()),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "invoice_prefix": format(time.monotonic_ns() % 16**8, "08X"),
        "livemode": False,
        "metadata": merged({}, call.params.get("metadata")),
        **{name: call.params.get(name) for name in kept},
    }
    return call.world.db.put("customer", customer)


def retrieve_customer(call: Call) -> Json:
    """Show a customer."""
    return stored(call, "customer", call.id)


def list_customers(call: Call) -> Json:
    """List customers."""
    return page(call, "customer", "/v1/customers")
