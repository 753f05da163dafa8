"""The routes below ``/stripe/v1`` with the operation names that fault rules match."""

from fastapi import APIRouter

from testbed import payment_cards as cards
from testbed import payment_refunds as money
from testbed import payments as intents
from testbed.operations import Desk, Operation
from testbed.payment_wire import StripeWire
from testbed.world import World

ROUTES: list[tuple[str, str, str, Operation]] = [
    ("POST", "/customers", "customers.create", cards.create_customer),
    ("GET", "/customers", "customers.list", cards.list_customers),
    ("GET", "/customers/{id}", "customers.retrieve", cards.retrieve_customer),
    ("GET", "/payment_methods/{id}", "payment_methods.retrieve", cards.retrieve_method),
    ("POST", "/payment_methods/{id}/attach", "payment_methods.attach", cards.attach_method),
    ("POST", "/payment_intents", "payment_intents.create", intents.create_intent),
    ("GET", "/payment_intents", "payment_intents.list", intents.list_intents),
    ("GET", "/payment_intents/search", "payment_intents.search", intents.search_intents),
    ("GET", "/payment_intents/{id}", "payment_intents.retrieve", intents.retrieve_intent),
    ("POST", "/payment_intents/{id}", "payment_intents.update", intents.update_intent),
    ("POST", "/payment_intents/{id}/confirm", "payment_intents.confirm", intents.confirm_intent),
    ("POST", "/payment_intents/{id}/capture", "payment_intents.capture", intents.capture_intent),
    ("POST", "/payment_intents/{id}/cancel", "payment_intents.cancel", intents.cancel_intent),
    ("POST", "/refunds", "refunds.create", money.create_refund),
    ("GET", "/refunds", "refunds.list", money.list_refunds),
    ("GET", "/refunds/{id}", "refunds.retrieve", money.retrieve_refund),
    ("GET", "/charges", "charges.list", money.list_charges),
    ("GET", "/charges/{id}", "charges.retrieve", money.retrieve_charge),
    ("GET", "/disputes", "disputes.list", money.list_disputes),
    ("GET", "/disputes/{id}", "disputes.retrieve", money.retrieve_dispute),
    (
        "GET",
        "/balance_transactions",
        "balance_transactions.list",
        money.list_balance_transactions,
    ),
    (
        "GET",
        "/balance_transactions/{id}",
        "balance_transactions.retrieve",
        money.retrieve_balance_transaction,
    ),
    ("GET", "/events", "events.list", money.list_events),
    ("GET", "/events/{id}", "events.retrieve", money.retrieve_event),
]


def payment_desk(world: World) -> Desk:
    """Return the payment provider's counter."""
    desk = Desk(world, StripeWire(), APIRouter(prefix="/stripe/v1"))
    for method, path, name, do in ROUTES:
        desk.serve(method, path, name, do)
    return desk
