"""What the outside knows of one order: who was promised what, and where things really are."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from domain.order import Address, Order

if TYPE_CHECKING:
    from tests.simulation.execution import Execution
    from tests.simulation.updates import Answer

Line = str


@dataclass
class Box:
    """A parcel in the real world."""

    shipment_id: str
    contents: dict[Line, int]
    tracking_number: str = ""
    handed_over_at: datetime | None = None
    delivered_at: datetime | None = None
    ended: bool = False


@dataclass
class Case:
    """One order, seen from outside."""

    order: Order
    execution: "Execution" = field(default=None)  # type: ignore[assignment]
    promised_off: Counter[Line] = field(default_factory=Counter)
    """Units that we have answered to be cancelled."""
    wholly_off: bool = False
    """Somebody was told that the whole order is cancelled."""
    handed_over: Counter[Line] = field(default_factory=Counter)
    boxes: dict[str, Box] = field(default_factory=dict)
    known_holds: set[str] = field(default_factory=set)
    known_returns: set[str] = field(default_factory=set)
    acts: int = 0
    cancel_asked: bool = False
    answers: dict[str, "Answer"] = field(default_factory=dict)
    split: bool = False
    address: Address | None = None
    """Where we have last promised to send it."""
    cancelled_before: str | None = None
    charged_back: int = 0
    lapsed: bool = False
    expired: bool = False
    unit_floor: dict[Line, tuple[int, int]] = field(default_factory=dict)
    version: int = 0

    @property
    def order_id(self) -> str:
        """The order's id."""
        return self.order.order_id

    def key(self, word: str) -> str:
        """Return a fresh request key."""
        self.acts += 1
        return f"{word}-{self.acts}"
