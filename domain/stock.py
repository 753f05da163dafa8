"""Stock, locations and products, as routing and reservation see them."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field, NonNegativeInt, PositiveInt

from domain.calendar import Day
from domain.frozen import Wire
from domain.order import Address, Component


class LocationKind(StrEnum):
    """What kind of place fulfils."""

    WAREHOUSE = "warehouse"
    STORE = "store"
    THIRD_PARTY = "3pl"
    VENDOR = "vendor"


class Location(Wire):
    """A place that fulfils. ``priority`` 0 is the first choice; coordinates in degrees."""

    code: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")
    name: str = ""
    kind: LocationKind = LocationKind.WAREHOUSE
    address: Address = Address()
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str = "UTC"
    priority: int = 0
    active: bool = True


class Product(Wire):
    """A sellable SKU. ``launch_on`` in the future makes it a preorder; ``components`` a kit."""

    sku: str = Field(min_length=1, max_length=100)
    title: str = ""
    grams: NonNegativeInt = 0
    active: bool = True
    backorder: bool = True
    launch_on: Day | None = None
    returnable: bool = True
    components: tuple[Component, ...] = ()


class StockLevel(Wire):
    """One SKU at one location; available is on hand less reserved less safety stock."""

    sku: str
    location: str
    on_hand: NonNegativeInt = 0
    reserved: NonNegativeInt = 0
    safety_stock: NonNegativeInt = 0

    @property
    def available(self) -> int:
        """What may be promised now; never negative."""
        return max(0, self.on_hand - self.reserved - self.safety_stock)


class Inbound(Wire):
    """Units on their way to a location."""

    sku: str
    location: str
    quantity: PositiveInt
    expected_on: Day


class Allocation(Wire):
    """Units of one order line at one location; ``n`` numbers the order's allocations."""

    n: int
    line_id: str
    sku: str
    location: str
    quantity: PositiveInt


class ReservationState(StrEnum):
    """The life of a reservation; the last three end it, exactly once."""

    HELD = "held"
    COMMITTED = "committed"
    CONSUMED = "consumed"
    RELEASED = "released"
    EXPIRED = "expired"


class Shortage(Wire):
    """Units that could not be reserved at a location."""

    sku: str
    location: str
    wanted: int
    available: int


class MovementReason(StrEnum):
    """Why on-hand stock changed."""

    INITIAL = "initial"
    RECEIPT = "receipt"
    SHIPPED = "shipped"
    RETURNED = "returned"
    ADJUSTED = "adjusted"
    COUNTED = "counted"


class StockAction(StrEnum):
    """What an order asks of its reserved units."""

    RELEASE = "release"
    COMMIT = "commit"
    CONSUME = "consume"
    RESTOCK = "restock"


class StockMove(Wire):
    """One keyed change of an order's stock: units of a line at a location.

    ``release`` gives reserved units back; ``consume`` takes them off the shelf when they leave;
    ``restock`` puts returned units back. ``key`` makes a repeat a no-op. ``before``, when set,
    leaves allocations alone that were made later: they carry this number or a higher one.
    """

    key: str
    action: StockAction
    line_id: str
    sku: str
    location: str
    quantity: PositiveInt
    before: int = 0


class Bar(Wire):
    """A location that must not fill a line again: it short-picked or refused it."""

    line_id: str
    location: str
    reason: str = ""


class Queued(Wire):
    """Units of an order that wait for stock; served by priority (lower first), then age."""

    order_id: str
    line_id: str
    sku: str
    quantity: PositiveInt
    priority: int = 100
    since: datetime


class Turn(Wire):
    """An order of the queue whose turn it is: ``free`` units of a SKU it waits for are there."""

    order_id: str
    sku: str
    free: int
