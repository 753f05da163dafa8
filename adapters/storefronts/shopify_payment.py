"""How a Shopify order is paid.

Only a payment that a provider of ours can be asked about gets that provider's name. Shopify
Payments runs on Shopify's own Stripe account: its ids look like Stripe's, and a merchant's Stripe
key does not know them. Such a payment keeps its form and amount, and provider ``""``: it is
refunded in the storefront.
"""

import re

from adapters.storefronts.reading import Reading
from domain.order import Payment, PaymentForm

_CAPTURED = ("paid", "partially_paid", "partially_refunded", "refunded")
_INTENT_NAMES = re.compile(r"_*(stripe_?)?payment_?intent(_?id)?", re.IGNORECASE)
_INTENT = re.compile(r"pi_[A-Za-z0-9]{4,100}", re.ASCII)
_COD = re.compile(r"cash[ _-]on[ _-]delivery|\bcod\b", re.IGNORECASE)
_MANUAL = re.compile(r"manual|bank|wire|money[ _-]order|cheque|check|invoice", re.IGNORECASE)
_GIFT = re.compile(r"gift[ _]?card|store[ _]?credit", re.IGNORECASE)


def read_payment(body: Reading, currency: str, total: int) -> Payment:
    """Return how the money arrives.

    ``authorized`` is an authorisation to adopt, ``paid`` and its partial forms captured money.
    ``pending`` is cash on delivery, or owed outside (bank transfer, payment terms), or money still
    on its way: then the form is ``method`` without a method, which holds the order until
    ``orders/paid`` or a person brings a payment. So is ``voided``, whose money is gone.
    """
    names = body.fields.get("payment_gateway_names")
    gateways = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    gateway = " + ".join(filter(None, gateways)) or body.text("gateway")
    status = body.text("financial_status").lower()
    gifts = _gift_tender(body, currency)
    if status in _CAPTURED and gifts == 0 and gateways and all(map(_GIFT.search, gateways)):
        gifts = total
    reference = _intent(body)
    form = _form(body, status, gateway, total - gifts)
    return Payment(
        form=form,
        provider="stripe" if reference else "",
        reference=reference if form in (PaymentForm.AUTHORISED, PaymentForm.CAPTURED) else "",
        amount=_amount(body, currency, status, total - gifts),
        other_tender=gifts,
        gateway=gateway[:100],
    )


def _form(body: Reading, status: str, gateway: str, owed: int) -> PaymentForm:
    if owed <= 0:
        return PaymentForm.ELSEWHERE
    if status == "authorized":
        return PaymentForm.AUTHORISED
    if status in _CAPTURED:
        return PaymentForm.CAPTURED
    if _COD.search(gateway):
        return PaymentForm.COD
    if _MANUAL.search(gateway) or body.part("payment_terms").fields:
        return PaymentForm.ELSEWHERE
    return PaymentForm.METHOD


def _amount(body: Reading, currency: str, status: str, owed: int) -> int:
    if status == "partially_paid":
        return max(0, owed - body.amount("total_outstanding", currency))
    return max(0, owed)


def _gift_tender(body: Reading, currency: str) -> int:
    return sum(
        payment.amount("amount", currency)
        for payment in _successful(body)
        if _GIFT.search(payment.text("gateway"))
        and payment.text("currency").upper() == currency
        and payment.text("kind") in ("sale", "capture")
    )


def _intent(body: Reading) -> str:
    """Return the Stripe payment intent that the merchant's own checkout left on the order."""
    noted = [
        value
        for name, value in body.texts("note_attributes").items()
        if _INTENT_NAMES.fullmatch(name)
    ]
    for payment in _successful(body):
        if payment.text("gateway").lower().startswith("stripe"):
            receipt = payment.fields.get("receipt")
            details = payment.part("receipt") if isinstance(receipt, dict) else None
            noted.append(payment.text("authorization"))
            noted += [details.text("payment_intent"), details.text("id")] if details else []
    return next((value for value in noted if _INTENT.fullmatch(value)), "")


def _successful(body: Reading) -> list[Reading]:
    return [item for item in body.parts("transactions") if item.text("status") == "success"]
