"""Stripe's own ideas of a currency's smallest unit, and the way to and from ours.

Ours are ISO 4217 minor units. Stripe differs: some currencies have no decimals although ISO gives
them some (MGA), some keep two although ISO gives none (ISK, UGX), and amounts of three-decimal
currencies end in 0. HUF and TWD lose their decimals in payouts only, so charges need nothing.

Source: https://docs.stripe.com/currencies (zero-decimal, three-decimal, special cases).
"""

from adapters.currencies import decimals as _iso_decimals
from domain.errors import EffectRefused
from domain.money import Money

ZERO_DECIMAL = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA",
    "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
THREE_DECIMAL = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def to_stripe(money: Money) -> int:
    """Return the amount in Stripe's unit.

    Raises:
        EffectRefused: Stripe cannot express the amount (code ``amount_not_representable``), or ISO
            does not know the currency (``unknown_currency``).

    >>> to_stripe(Money(amount=5, currency="ISK"))
    500
    """
    scale = _stripe_decimals(money.currency) - _iso_decimals(money.currency)
    if money.currency in THREE_DECIMAL and money.amount % 10:
        raise _lossy(money)
    if scale >= 0:
        return int(money.amount * 10**scale)
    whole, rest = divmod(money.amount, 10**-scale)
    if rest:
        raise _lossy(money)
    return int(whole)


def from_stripe(amount: int, currency: str) -> int:
    """Return Stripe's amount in ISO 4217 minor units; ``currency`` in any case.

    Raises:
        EffectRefused: it is no whole number of our units (``amount_not_representable``).
    """
    currency = currency.upper()
    scale = _stripe_decimals(currency) - _iso_decimals(currency)
    if scale <= 0:
        return int(amount * 10**-scale)
    whole, rest = divmod(amount, 10**scale)
    if rest:
        raise _lossy(Money(amount=amount, currency=currency))
    return int(whole)


def _lossy(money: Money) -> EffectRefused:
    text = f"{money.amount} {money.currency} cannot be expressed at Stripe without loss"
    return EffectRefused(text, "amount_not_representable")


def _stripe_decimals(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2
