"""Money: integer minor units and an ISO 4217 code. No floats anywhere."""

from collections.abc import Sequence

from pydantic import Field

from domain.frozen import Frozen


class Money(Frozen):
    """An amount in minor units (cents, fils, yen) of one currency.

    >>> Money(amount=1250, currency="EUR") - Money(amount=250, currency="EUR")
    Money(amount=1000, currency='EUR')
    """

    amount: int
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    def __add__(self, other: "Money") -> "Money":
        return Money(amount=self.amount + self._same(other), currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(amount=self.amount - self._same(other), currency=self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other.amount


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights with nothing lost (largest remainder).

    Args:
        amount: minor units; may be negative (a discount).
        weights: non-negative; all zero means equal shares.

    Returns:
        One share per weight, summing exactly to ``amount``. Left-over units go to the largest
        remainders; among equal remainders to the earlier position.
    """
    if not weights:
        if amount:
            raise ValueError("nothing to split an amount over")
        return []
    if min(weights) < 0:
        raise ValueError("weights are not negative")
    if amount < 0:
        return [-share for share in split(-amount, weights)]
    total = sum(weights)
    if total == 0:
        weights, total = [1] * len(weights), len(weights)
    shares = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[: amount - sum(shares)]:
        shares[i] += 1
    return shares


def part(total: int, quantity: int, start: int, stop: int) -> int:
    """Return what units ``start`` to ``stop`` (exclusive) of ``quantity`` equal units are worth.

    Cumulative rounding: the parts of any partition of the units add up to ``total`` exactly, so a
    value per unit needs no table.

    >>> [part(100, 3, i, i + 1) for i in range(3)]
    [33, 33, 34]
    """
    return total * stop // quantity - total * start // quantity
