"""A small shop to test with: orders, deliveries and pictures of their progress."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from domain.order import Address, Customer, Order, OrderLine, Payment, Totals
from domain.progress import (
    LineProgress,
    LineUnits,
    MoneyProgress,
    OrderProgress,
    OrderStatus,
    ShipmentProgress,
    TimelineEvent,
)
from domain.stock import (
    Allocation,
    Location,
    MovementReason,
    StockAction,
    StockMove,
)
from domain.units import Units
from ports.stores import Accepted, Delivery
from store.audit import Violation, violations
from store.database import SqlStore, open_store
from tests.fakes.stores import MemoryStore
from tests.fakes.stores.audit import audited, poured

AnyStore = SqlStore | MemoryStore
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def order(external_id: str = "1001", quantity: int = 3, **changes: object) -> Order:
    """An order of one line, SKU ``MUG``."""
    line = OrderLine(line_id="l1", sku="MUG", quantity=quantity, unit_price=1000)
    placed = Order(
        order_id=f"shop-{external_id}",
        channel="shop",
        external_id=external_id,
        number=f"#{external_id}",
        placed_at=NOON,
        currency="EUR",
        customer=Customer(email="Ann@Example.com", name="Ann Lee"),
        ship_to=Address(name="Ann Lee", line1="1 High St", city="Berlin", country="DE"),
        lines=(line,),
        totals=Totals(subtotal=1000 * quantity, total=1000 * quantity),
        payment=Payment(reference=f"pi_{external_id}"),
    )
    return placed.model_copy(update=changes)


def delivery(
    external_id: str = "1001", delivery_id: str = "", body: str = "body", channel: str = "shop"
) -> Delivery:
    """The delivery of an order."""
    return Delivery(
        channel=channel,
        delivery_id=delivery_id or f"d-{external_id}",
        topic="orders/create",
        external_id=external_id,
        body_hash=hashlib.sha256(body.encode()).hexdigest(),
        received_at=NOON,
    )


def open_any(kind: str, fresh_url: Callable[[str], str]) -> AnyStore:
    """Open a fresh store: ``sqlite``, ``postgres`` or ``memory``."""
    if kind == "memory":
        return MemoryStore(lambda: datetime.now(UTC))
    return open_store(fresh_url(kind))


def audit(store: AnyStore, now: datetime) -> Sequence[Violation]:
    """Return every promise that the store's rows break."""
    return audited(store, now) if isinstance(store, MemoryStore) else violations(store, now)


@contextmanager
def rows(store: AnyStore) -> Iterator[Connection]:
    """Read the store's rows as the real tables have them."""
    if isinstance(store, MemoryStore):
        with poured(store) as poured_store, poured_store.read() as connection:
            yield connection
    else:
        with store.database.read() as connection:
            yield connection


def accept(store: AnyStore, external_id: str = "1001", **changes: object) -> Accepted:
    """Take an order in."""
    return store.accept(delivery(external_id), order(external_id, **changes))


def stocked(store: AnyStore, units: int, *places: str, sku: str = "MUG") -> None:
    """Put units of a SKU at each place, ``A`` when none is named."""
    for place in places or ("A",):
        store.save_location(Location(code=place))
        key = f"initial-{sku}-{place}"
        store.receive(sku, place, units, reason=MovementReason.INITIAL, key=key, actor="test")


def allocation(
    quantity: int, n: int = 1, *, place: str = "A", sku: str = "MUG", line: str = "l1"
) -> Allocation:
    """Units of the order's line at a place."""
    return Allocation(n=n, line_id=line, sku=sku, location=place, quantity=quantity)


def move(action: StockAction, quantity: int, key: str, place: str = "A") -> StockMove:
    """A move of units of line ``l1``."""
    return StockMove(
        key=key, action=action, line_id="l1", sku="MUG", location=place, quantity=quantity
    )


def progress(
    version: int,
    status: OrderStatus = OrderStatus.PROCESSING,
    units: Units | None = None,
    external_id: str = "1001",
    **changes: object,
) -> OrderProgress:
    """The picture of an order of one line."""
    line = LineProgress(line_id="l1", sku="MUG", units=units or Units(open=3), total=3000)
    picture = OrderProgress(
        order_id=f"shop-{external_id}",
        version=version,
        status=status,
        lines=(line,),
        money=MoneyProgress(currency="EUR", due=3000),
    )
    return picture.model_copy(update=changes)


def shipment(shipment_id: str = "shop-1001-s1", **changes: object) -> ShipmentProgress:
    """A parcel with all three units."""
    parcel = ShipmentProgress(
        shipment_id=shipment_id, location="A", lines=(LineUnits(line_id="l1", quantity=3),)
    )
    return parcel.model_copy(update=changes)


def events(*numbers: int) -> Sequence[TimelineEvent]:
    """Events with these numbers, a minute apart."""
    return [
        TimelineEvent(
            no=no,
            kind="test.event",
            at=NOON + timedelta(minutes=no),
            actor="test",
            data={"no": "x"},
        )
        for no in numbers
    ]


def tamper(store: SqlStore, statement: str) -> None:
    """Change rows as the database's owner could: without its triggers and checks."""
    with store.database.write() as connection:
        if store.database.sqlite:
            triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for name in connection.execute(text(triggers)).scalars().all():
                connection.execute(text(f"DROP TRIGGER {name}"))
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
            checks = (
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c'"
            )
            for table, name in connection.execute(text(f"{checks} AND conname LIKE 'ck_%'")).all():
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        connection.execute(text(statement))
        if store.database.sqlite:
            connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
        else:
            connection.execute(text("SET session_replication_role = origin"))
