"""Grams and millimetres to the ounces and inches that EasyPost takes, never rounded down.

A label bought for less than the parcel weighs is surcharged by the carrier, so both go up to the
next tenth, which is as fine as EasyPost reads.

Source: https://docs.easypost.com/docs/parcels (weight in ounces, sides in inches).
"""

from decimal import ROUND_CEILING, Decimal

GRAMS_PER_OUNCE = Decimal("28.349523125")
MILLIMETRES_PER_INCH = Decimal("25.4")


def ounces(grams: int) -> float:
    """Return the weight in ounces, to the next tenth.

    >>> ounces(454)
    16.1
    """
    return _up_to_a_tenth(Decimal(grams) / GRAMS_PER_OUNCE)


def inches(millimetres: int) -> float:
    """Return the length in inches, to the next tenth.

    >>> inches(254)
    10.0
    """
    return _up_to_a_tenth(Decimal(millimetres) / MILLIMETRES_PER_INCH)


def _up_to_a_tenth(value: Decimal) -> float:
    return float(value.quantize(Decimal("0.1"), rounding=ROUND_CEILING))
