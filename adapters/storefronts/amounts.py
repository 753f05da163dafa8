"""Amounts of a storefront's JSON as integer minor units: exact, or refused; never a float."""

import re
from decimal import Context, Decimal

from iso4217 import Currency

LARGEST = 10**15
"""The largest amount taken, in minor units: far above any order, far below a database's 2^63."""

_DECIMAL_TEXT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_EXACT = Context(prec=80)
_MOST_DIGITS = 40


def exponent_of(currency: str) -> int:
    """Return how many decimals ISO 4217 gives a currency (EUR 2, JPY 0, KWD 3).

    Raises:
        ValueError: no such currency, or one without a minor unit (gold, test codes).
    """
    try:
        exponent = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise ValueError("is not an ISO 4217 currency with a minor unit")
    return int(exponent)


def minor_units(value: object, currency: str) -> int:
    """Return a decimal string or a JSON number as minor units.

    >>> minor_units("12.50", "EUR"), minor_units("1250.00", "JPY"), minor_units("1.234", "KWD")
    (1250, 1250, 1234)

    Raises:
        ValueError: no plain decimal number, too large, or finer than the currency's minor unit
            (rounding would lose a part of a cent that the platform counts).
    """
    number = _decimal(value)
    if number.is_zero():
        return 0
    if len(number.as_tuple().digits) > _MOST_DIGITS or number.adjusted() > _MOST_DIGITS:
        raise ValueError("is too large or too long a number")
    scaled = number.scaleb(exponent_of(currency), context=_EXACT)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"has more decimals than {currency} has")
    if abs(scaled) > LARGEST:
        raise ValueError("is too large an amount")
    return int(scaled)


def _decimal(value: object) -> Decimal:
    if isinstance(value, str) and _DECIMAL_TEXT.fullmatch(value):
        return Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return value
    raise ValueError("is not an amount such as 12.50")
