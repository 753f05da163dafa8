"""Units of a line: where each of the ordered units is. The sum never changes."""

from enum import StrEnum

from pydantic import NonNegativeInt

from domain.errors import InvalidTransition
from domain.frozen import Wire


class UnitState(StrEnum):
    """Where a unit is, in the order in which it moves."""

    OPEN = "open"
    BACKORDERED = "backordered"
    RESERVED = "reserved"
    RELEASED = "released"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


S = UnitState

ARROWS: dict[UnitState, frozenset[UnitState]] = {
    S.OPEN: frozenset({S.RESERVED, S.BACKORDERED, S.DELIVERED, S.CANCELLED}),
    S.BACKORDERED: frozenset({S.OPEN, S.RESERVED, S.CANCELLED}),
    S.RESERVED: frozenset({S.OPEN, S.BACKORDERED, S.RELEASED, S.CANCELLED}),
    S.RELEASED: frozenset({S.OPEN, S.PACKED, S.CANCELLED}),
    S.PACKED: frozenset({S.OPEN, S.SHIPPED, S.CANCELLED}),
    S.SHIPPED: frozenset({S.DELIVERED, S.RETURNED, S.OPEN}),
    S.DELIVERED: frozenset({S.RETURNED}),
    S.CANCELLED: frozenset(),
    S.RETURNED: frozenset(),
}
"""The published diagram. ``open → delivered`` is for lines that need no parcel; ``shipped → open``
is a lost parcel that is sent again."""

CANCELLABLE = (S.OPEN, S.BACKORDERED, S.RESERVED)
"""Where a unit can be cancelled by our own decision; later the warehouse must agree."""


class Units(Wire):
    """Counters of one line. No counter is ever negative.

    >>> Units(open=3).move(UnitState.OPEN, UnitState.RESERVED, 2)
    Units(open=1, backordered=0, reserved=2, released=0, packed=0, shipped=0, delivered=0, \
cancelled=0, returned=0)
    """

    open: NonNegativeInt = 0
    backordered: NonNegativeInt = 0
    reserved: NonNegativeInt = 0
    released: NonNegativeInt = 0
    packed: NonNegativeInt = 0
    shipped: NonNegativeInt = 0
    delivered: NonNegativeInt = 0
    cancelled: NonNegativeInt = 0
    returned: NonNegativeInt = 0

    @property
    def ordered(self) -> int:
        """All units of the line, wherever they are."""
        return self.live + self.shipped + self.delivered + self.cancelled + self.returned

    @property
    def live(self) -> int:
        """Units still to be brought to the customer."""
        return self.open + self.backordered + self.reserved + self.released + self.packed

    def move(self, source: UnitState, target: UnitState, quantity: int) -> "Units":
        """Return the counters after ``quantity`` units went from one state to another.

        Raises:
            InvalidTransition: the diagram has no such arrow, or too few units stand at its start.
        """
        if target not in ARROWS[source]:
            raise InvalidTransition(f"no arrow from {source} to {target}")
        standing = int(getattr(self, source.value))
        if not 0 <= quantity <= standing:
            raise InvalidTransition(f"{quantity} of {standing} units cannot leave {source}")
        return self.model_copy(
            update={
                source.value: standing - quantity,
                target.value: int(getattr(self, target.value)) + quantity,
            }
        )
