"""How many decimals a currency has, by ISO 4217; asked by every adapter that reads decimals."""

from functools import lru_cache

from iso4217 import Currency

from domain.errors import EffectRefused


@lru_cache(maxsize=256)
def decimals(currency: str) -> int:
    """Return the number of minor-unit digits: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises:
        EffectRefused: ISO does not know the currency (code ``unknown_currency``).
    """
    try:
        return int(Currency(currency).exponent or 0)
    except ValueError as unknown:
        raise EffectRefused(f"{currency} is no ISO 4217 currency", "unknown_currency") from unknown
