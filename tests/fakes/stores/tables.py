"""What the store in memory holds, and how a method of it is one transaction.

Rows are plain dicts with the column names of ``store/tables``; documents are the frozen models
themselves, shared and never copied.
"""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from domain.order import Order
from domain.policy import Policy
from domain.progress import ReturnProgress, ShipmentProgress, TimelineEvent
from domain.stock import Location, Product, Queued
from domain.units import Units
from ports.carriers import Scan
from ports.stores import ApiKey, StoreUnavailable
from tests.fakes.desk import Clock, standing_clock
from tests.fakes.faults import Fault, FaultPlan

Row = dict[str, Any]
Place = tuple[str, str]
"""(sku, location)"""

P = ParamSpec("P")
T = TypeVar("T")
COMMITTED = (Fault.AFTER, Fault.STUCK_AFTER)


@dataclass(slots=True)
class Level:
    """One SKU at one location."""

    on_hand: int = 0
    reserved: int = 0
    safety_stock: int = 0


@dataclass(slots=True)
class LineRow:
    """The counters of one line."""

    sku: str
    units: Units


@dataclass
class Tables:
    """Everything, by the key that is asked for; what belongs to an order lies under its id."""

    orders: dict[str, Row] = field(default_factory=dict)
    by_external: dict[tuple[str, str], str] = field(default_factory=dict)
    by_email: dict[str, list[str]] = field(default_factory=dict)
    unstarted: set[str] = field(default_factory=set)
    revisions: dict[str, list[tuple[Order, datetime]]] = field(default_factory=dict)
    deliveries: dict[tuple[str, str], Row] = field(default_factory=dict)
    parked: dict[tuple[str, str], Row] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    projections: dict[str, Row] = field(default_factory=dict)
    lines: dict[str, dict[str, LineRow]] = field(default_factory=dict)
    shipments: dict[str, tuple[str, ShipmentProgress]] = field(default_factory=dict)
    returns: dict[str, tuple[str, ReturnProgress]] = field(default_factory=dict)
    numbers: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"label": {}, "shipment": {}, "return": {}}
    )
    """Tracking number to subject, for each kind of subject."""
    changes: dict[str, list[Row]] = field(default_factory=dict)
    timeline: dict[str, dict[int, TimelineEvent]] = field(default_factory=dict)
    locations: dict[str, Location] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    levels: dict[str, dict[str, Level]] = field(default_factory=dict)
    reservations: dict[str, dict[tuple[str, int], Row]] = field(default_factory=dict)
    open: dict[tuple[str, str, int], Row] = field(default_factory=dict)
    """Reservations with units left, by (order, line, n)."""
    movements: dict[str, list[Row]] = field(default_factory=dict)
    booked: dict[tuple[str, str], Row] = field(default_factory=dict)
    inbounds: dict[str, Row] = field(default_factory=dict)
    queue: dict[str, dict[tuple[str, str], Queued]] = field(default_factory=dict)
    effects: dict[str, list[Row]] = field(default_factory=dict)
    effect_counts: dict[str, int] = field(default_factory=dict)
    of_key: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    messages: dict[str, dict[tuple[str, int], Row]] = field(default_factory=dict)
    alerts: list[Row] = field(default_factory=list)
    open_alerts: dict[tuple[str, str], Row] = field(default_factory=dict)
    labels: dict[str, Row] = field(default_factory=dict)
    scans: dict[str, dict[tuple[str, str, datetime], Scan]] = field(default_factory=dict)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    requests: dict[tuple[str, str], Row] = field(default_factory=dict)
    used_links: dict[str, datetime] = field(default_factory=dict)
    policies: list[tuple[Policy, str, datetime]] = field(default_factory=list)


class Part:
    """Some methods over the tables.

    Args:
        now: the time of rows that no caller dates.
        faults: strikes ``store.<method>`` under its first argument (an order's id, for most):
            ``after`` is a commit whose answer is lost, every other fault is a database away.
    """

    def __init__(self, now: Clock = standing_clock, faults: FaultPlan | None = None) -> None:
        self.tables = Tables()
        self.now = now
        self.faults = faults or FaultPlan()
        self._lock = threading.RLock()


def transaction(
    method: Callable[Concatenate[Any, P], T],
) -> Callable[Concatenate[Any, P], T]:
    """Make a public method one transaction that a fault may strike.

    A method checks before it writes, so that one which raises has written nothing.
    """
    call = f"store.{method.__name__}"

    @functools.wraps(method)
    def run(part: Part, *args: P.args, **kwargs: P.kwargs) -> T:
        fault = part.faults.draw(call, _subject(args))
        if fault and fault not in COMMITTED:
            raise StoreUnavailable(f"{call}: the database is away")
        with part._lock:
            answer = method(part, *args, **kwargs)
        if fault:
            raise StoreUnavailable(f"{call}: the connection was lost after the commit")
        return answer

    return run


def _subject(args: tuple[Any, ...]) -> str:
    first = args[0] if args else ""
    return first if isinstance(first, str) else getattr(first, "order_id", "")


def utc(value: datetime) -> datetime:
    """Return the moment as aware UTC, as the columns do.

    Raises:
        ValueError: it has no zone.
    """
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return value.astimezone(UTC)
