"""Splitting money: nothing is lost, nothing is made."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, part, split

amounts = st.integers(-10_000_000, 10_000_000)
weights = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=30)


@given(amounts, weights)
def test_shares_add_up_and_lie_within_one_of_their_exact_value(
    amount: int, some: list[int]
) -> None:
    shares = split(amount, some)

    assert sum(shares) == amount
    if sum(some):
        assert all(
            abs(s * sum(some) - amount * w) < sum(some) for s, w in zip(shares, some, strict=True)
        )
    else:
        assert max(shares) - min(shares) <= 1


@given(st.integers(0, 10_000_000), st.integers(1, 200), st.data())
def test_the_parts_of_any_partition_of_units_add_up(
    total: int, quantity: int, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, quantity), max_size=8)))
    edges = [0, *cuts, quantity]

    parts = [part(total, quantity, a, b) for a, b in pairwise(edges)]
    assert sum(parts) == total
    assert min(parts) >= 0


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(amount=1, currency="EUR") + Money(amount=1, currency="USD")
