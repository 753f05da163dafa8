"""Changing where an order goes, for callers and for customers alike."""

from api.commands import command
from api.deps import Deps
from contracts.commands import ChangeAddress, Done
from domain.errors import InvalidOrder
from domain.order import Address


async def move(
    deps: Deps, order_id: str, address: Address, actor: str, reason: str, key: str
) -> Done:
    """Send what is not released to another address; its process writes it and checks it again.

    Raises:
        InvalidOrder: fields of the address that cannot be right.
        DomainError: the process refused, ``too_late`` when a part is released to a warehouse.
    """
    faults = deps.check_address(address)
    if faults:
        raise InvalidOrder([(f"address.{field}", text) for field, text in faults])
    asked = ChangeAddress(actor=actor, reason=reason, address=address)
    return await command(deps, order_id, "change_address", asked, Done, key)
