"""How a WooCommerce order is paid.

The ``stripe`` gateway (and ``stripe_…`` of its local methods) uses the merchant's own Stripe
account, whose payments we can adopt. WooPayments (``woocommerce_payments``) lives in an account of
its operator: its ids look like Stripe's, and the merchant's key does not know them. Such money, and
that of any other gateway, keeps form, amount and transaction id under provider ``""``.
"""

import re

from adapters.storefronts.reading import Reading
from domain.order import Payment, PaymentForm

_OFFLINE = {"bacs", "cheque", "invoice", "purchase_order", "other_payment"}
_INTENT = re.compile(r"pi_[A-Za-z0-9]{4,100}", re.ASCII)


def read_payment(body: Reading, total: int, gifts: int) -> Payment:
    """Return how the money arrives.

    Args:
        total: what is left to pay after gift cards, in minor units.
        gifts: what gift cards have paid.
    """
    gateway = body.text("payment_method", 100)
    meta = body.texts("meta_data", "key")
    ours = gateway == "stripe" or gateway.startswith("stripe_")
    transaction = body.text("transaction_id")
    intent = next(
        (x for x in (meta.get("_stripe_intent_id", ""), transaction) if _INTENT.fullmatch(x)), ""
    )
    form = _form(body, gateway, meta, total, paid_by_card=ours and bool(intent))
    saved = form is PaymentForm.METHOD and ours
    reference = (intent if ours and intent else transaction) if _holds_money(form) else ""
    return Payment(
        form=form,
        provider="stripe" if saved or (ours and intent and _holds_money(form)) else "",
        reference=reference,
        customer=meta.get("_stripe_customer_id", "")[:200] if ours else "",
        method=meta.get("_stripe_source_id", "")[:200] if ours else "",
        amount=max(0, total),
        other_tender=gifts,
        gateway=gateway,
    )


def _form(
    body: Reading, gateway: str, meta: dict[str, str], total: int, paid_by_card: bool
) -> PaymentForm:
    if total <= 0:
        return PaymentForm.ELSEWHERE
    paid = "date_paid" in body or "date_paid_gmt" in body
    if (
        meta.get("_stripe_charge_captured") == "no"
        or meta.get("_intention_status") == "requires_capture"
    ):
        return PaymentForm.AUTHORISED
    if paid:
        return PaymentForm.CAPTURED
    if gateway == "cod":
        return PaymentForm.COD
    if gateway in _OFFLINE:
        return PaymentForm.ELSEWHERE
    # The gateway puts an order "on hold" when the card is authorised and a person must capture.
    if paid_by_card and body.text("status") == "on-hold":
        return PaymentForm.AUTHORISED
    return PaymentForm.METHOD


def _holds_money(form: PaymentForm) -> bool:
    return form in (PaymentForm.AUTHORISED, PaymentForm.CAPTURED)
