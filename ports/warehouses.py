"""What Waybill needs of a warehouse system (WMS)."""

from datetime import date
from typing import Protocol

from domain.frozen import Wire
from domain.order import Address


class PickLine(Wire):
    """Units of one order line to pick."""

    line_id: str
    sku: str
    quantity: int
    title: str = ""


class PickOrder(Wire):
    """A shipment to pick and pack at one location."""

    shipment_id: str
    order_id: str
    location: str
    lines: tuple[PickLine, ...]
    ship_to: Address
    ship_by: date | None = None
    note: str = ""


class ExpectedReturn(Wire):
    """A parcel on its way back to a location."""

    return_id: str
    order_id: str
    location: str
    tracking_number: str = ""
    lines: tuple[PickLine, ...]


class Warehouse(Protocol):
    """A warehouse system. Idempotent by shipment id and return id.

    Raises ``EffectRefused`` when it will not do it and ``ProviderUnavailable`` on trouble.
    """

    async def release(self, order: PickOrder) -> None:
        """Hand over a shipment to be picked; a refusal raises ``EffectRefused``."""

    async def cancel(self, shipment_id: str, lines: tuple[PickLine, ...], *, key: str) -> bool:
        """Ask to stop a shipment, or part of it; False when it is too late there."""

    async def expect_return(self, expected: ExpectedReturn) -> None:
        """Announce a return parcel."""
