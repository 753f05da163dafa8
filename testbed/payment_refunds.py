"""Refunds, disputes, charges and balance transactions.

Source: https://docs.stripe.com/api/refunds
"""

from testbed.database import Json, new_id
from testbed.ledger import order_of, record
from testbed.operations import Call, Refusal
from testbed.payment_charges import balance_transaction, store
from testbed.payment_lists import page
from testbed.payment_wire import expanded, merged, refuse, stored, whole
from testbed.webhooks import stripe_event
from testbed.world import World

DISPUTE_FEE = 1500


def create_refund(call: Call) -> Json:
    """Give back all or part of what was captured and is neither refunded nor disputed."""
    world = call.world
    intent, charge = _refundable(call)
    left = charge["amount_captured"] - charge["amount_refunded"] - _disputed(world, charge)
    amount = whole(call, "amount", left)
    if charge["amount_captured"] and charge["amount_refunded"] >= charge["amount_captured"]:
        message = f"Charge {charge['id']} has already been refunded."
        raise refuse(message, "charge_already_refunded")
    if left <= 0 and charge["disputed"]:
        raise refuse(f"Charge {charge['id']} has been charged back.", "charge_disputed")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise refuse(message, param="amount")
    if amount < 1:
        raise refuse("Invalid positive integer", "parameter_invalid_integer", "amount")
    if call.fault and call.fault.kind == "decline":
        raise refuse(
            "Insufficient funds in your balance.", call.fault.code or "balance_insufficient"
        )
    refund = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "charge": charge["id"],
        "created": int(world.now()),
        "currency": charge["currency"],
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        "metadata": merged({}, call.params.get("metadata")),
        "payment_intent": intent["id"],
        "reason": call.params.get("reason"),
        "receipt_number": None,
        "status": "succeeded",
    }
    booked = balance_transaction(world, charge, "refund", -amount, 0, refund["id"])
    refund["balance_transaction"] = booked["id"]
    refunded = charge["amount_refunded"] + amount
    charge |= {"amount_refunded": refunded, "refunded": refunded == charge["amount_captured"]}
    order = order_of(refund["metadata"]) or order_of(intent["metadata"])
    world.db.put("refund", refund, owner=intent["id"], order_id=order)
    store(world, intent, charge)
    extra = refund["metadata"]
    record(world, "refund", intent, refund["id"], amount, metadata=extra, key=call.key)
    stripe_event(world, "refund.created", refund, call.key)
    stripe_event(world, "charge.refunded", charge, call.key)
    return expanded(call, refund)


def _refundable(call: Call) -> tuple[Json, Json]:
    named = call.params.get("charge")
    asked = call.params.get("payment_intent")
    if not asked and not named:
        raise refuse("One of the following params should be provided: payment_intent or charge.")
    if not asked:
        asked = stored(call, "charge", str(named))["payment_intent"]
    intent = stored(call, "payment_intent", str(asked))
    if not intent["amount_received"]:
        message = (
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        )
        raise refuse(message, "payment_intent_unexpected_state", payment_intent=intent)
    return intent, stored(call, "charge", intent["latest_charge"])


def _disputed(world: World, charge: Json) -> int:
    sql = (
        "SELECT COALESCE(SUM(json_extract(body, '$.amount')), 0) AS amount FROM object"
        " WHERE kind = 'dispute' AND owner = ?"
    )
    row = world.db.row(sql, charge["id"])
    return int(row["amount"]) if row else 0


def open_dispute(world: World, intent: Json, amount: int | None, reason: str) -> Json:
    """Charge back a captured payment, for the control API; the bank takes the money at once.

    Raises:
        Refusal: nothing was captured, or less than ``amount`` is left to take.
    """
    charge = world.db.get(intent["latest_charge"] or "", "charge")
    left = 0
    if charge:
        left = charge["amount_captured"] - charge["amount_refunded"] - _disputed(world, charge)
    amount = left if amount is None else amount
    if charge is None or not 0 < amount <= left:
        raise Refusal(409, {"error": {"message": f"only {left} can be charged back"}})
    dispute = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "charge": charge["id"],
        "created": int(world.now()),
        "currency": charge["currency"],
        "evidence_details": {"due_by": int(world.now()) + 7 * 86_400, "has_evidence": False},
        "is_charge_refundable": amount < left,
        "livemode": False,
        "metadata": {},
        "payment_intent": intent["id"],
        "reason": reason,
        "status": "needs_response",
    }
    booked = balance_transaction(world, charge, "adjustment", -amount, DISPUTE_FEE, dispute["id"])
    dispute["balance_transactions"] = [booked]
    charge |= {"disputed": True, "dispute": dispute["id"]}
    world.db.put("dispute", dispute, owner=charge["id"])
    store(world, intent, charge)
    record(world, "dispute", intent, dispute["id"], amount)
    stripe_event(world, "charge.dispute.created", dispute)
    return dispute


def retrieve_refund(call: Call) -> Json:
    """Show a refund."""
    return expanded(call, stored(call, "refund", call.id))


def list_refunds(call: Call) -> Json:
    """List refunds, of one intent if asked."""
    return page(call, "refund", "/v1/refunds", str(call.params.get("payment_intent", "")))


def retrieve_charge(call: Call) -> Json:
    """Show a charge."""
    return expanded(call, stored(call, "charge", call.id))


def list_charges(call: Call) -> Json:
    """List charges, of one intent if asked."""
    return page(call, "charge", "/v1/charges", str(call.params.get("payment_intent", "")))


def retrieve_dispute(call: Call) -> Json:
    """Show a dispute."""
    return expanded(call, stored(call, "dispute", call.id))


def list_disputes(call: Call) -> Json:
    """List disputes."""
    return page(call, "dispute", "/v1/disputes")


def retrieve_balance_transaction(call: Call) -> Json:
    """Show a balance transaction."""
    return expanded(call, stored(call, "balance_transaction", call.id))


def list_balance_transactions(call: Call) -> Json:
    """List balance transactions, of one source if asked."""
    source = str(call.params.get("source", ""))
    return page(call, "balance_transaction", "/v1/balance_transactions", source)


def retrieve_event(call: Call) -> Json:
    """Show an event."""
    return stored(call, "event", call.id)


def list_events(call: Call) -> Json:
    """List events, of one type if asked."""
    return page(call, "event", "/v1/events")
