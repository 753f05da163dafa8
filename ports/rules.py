"""What Waybill needs to judge an order: the merchant's conditions, addresses, places on a map."""

from collections.abc import Callable, Sequence
from typing import Protocol

from domain.order import Address, Order

AddressCheck = Callable[[Address], Sequence[tuple[str, str]]]
"""Returns (field of the address, message) for each fault of form."""

Geocoder = Callable[[Address], tuple[float, float] | None]
"""Returns latitude and longitude of an address, None when unknown. Offline."""


class OrderRules(Protocol):
    """Evaluates the merchant's conditions over an order's facts."""

    def holding(self, conditions: Sequence[str], order: Order) -> list[bool | None]:
        """Return for each condition whether it holds; None when it could not be evaluated."""
