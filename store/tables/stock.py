"""Stock truth: levels, who reserved them, and the ledger that explains them."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from store.columns import Document, UtcTime, table_of


class LocationRecord(SQLModel, table=True):
    """A place that fulfils."""

    __tablename__ = "location"

    code: str = Field(primary_key=True)
    active: bool
    document: str = Field(sa_type=Document)


class ProductRecord(SQLModel, table=True):
    """A sellable SKU."""

    __tablename__ = "product"

    sku: str = Field(primary_key=True)
    document: str = Field(sa_type=Document)


class StockLevelRecord(SQLModel, table=True):
    """One SKU at one location. The check is invariant S1."""

    __tablename__ = "stock_level"
    __table_args__: ClassVar = (
        CheckConstraint("0 <= reserved AND reserved <= on_hand", name="ck_stock_level_s1"),
        CheckConstraint("safety_stock >= 0", name="ck_stock_level_safety"),
    )

    sku: str = Field(primary_key=True)
    location: str = Field(primary_key=True)
    on_hand: int = 0
    reserved: int = 0
    safety_stock: int = 0


class ReservationRecord(SQLModel, table=True):
    """Units of an order's line at a location. What was reserved is left, consumed or released;
    the check keeps that sum (S4), however often the reservation is split."""

    __tablename__ = "reservation"
    __table_args__: ClassVar = (
        CheckConstraint("quantity = remaining + consumed + released", name="ck_reservation_s4"),
        CheckConstraint(
            "quantity > 0 AND remaining >= 0 AND consumed >= 0 AND released >= 0",
            name="ck_reservation_counters",
        ),
        CheckConstraint(
            "(remaining > 0) = (state IN ('held', 'committed'))", name="ck_reservation_s3"
        ),
        Index(
            "ix_reservation_expiry",
            "expires_at",
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
        Index("ix_reservation_level", "sku", "location"),
    )

    order_id: str = Field(primary_key=True)
    line_id: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    sku: str
    location: str
    quantity: int
    remaining: int
    consumed: int = 0
    released: int = 0
    state: str
    expires_at: datetime | None = Field(default=None, sa_type=UtcTime)
    created_at: datetime = Field(sa_type=UtcTime)


class MovementRecord(SQLModel, table=True):
    """The append-only ledger: ``quantity`` is what the booking did to ``on_hand``, ``units`` what
    it was about (a release or commit moves no goods: quantity 0). Keys are an order's own."""

    __tablename__ = "stock_movement"
    __table_args__: ClassVar = (
        UniqueConstraint("order_id", "key", name="uq_stock_movement_key"),
        Index("ix_stock_movement_level", "sku", "location"),
    )

    movement_id: int | None = Field(default=None, primary_key=True)
    order_id: str
    key: str
    sku: str
    location: str
    quantity: int
    units: int
    reason: str
    line_id: str
    actor: str
    note: str
    at: datetime = Field(sa_type=UtcTime)


class InboundRecord(SQLModel, table=True):
    """Announced units; receipts at the location use ``remaining`` up, soonest first."""

    __tablename__ = "inbound"
    __table_args__: ClassVar = (
        CheckConstraint("0 <= remaining AND remaining <= quantity", name="ck_inbound_remaining"),
        Index("ix_inbound_sku", "sku", "location"),
    )

    key: str = Field(primary_key=True)
    sku: str
    location: str
    quantity: int
    remaining: int
    expected_on: date


class QueuedRecord(SQLModel, table=True):
    """An order line that waits for stock."""

    __tablename__ = "stock_queue"
    __table_args__: ClassVar = (Index("ix_stock_queue_turn", "sku", "priority", "since"),)

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    line_id: str = Field(primary_key=True)
    sku: str = Field(primary_key=True)
    quantity: int
    priority: int
    since: datetime = Field(sa_type=UtcTime)


locations = table_of(LocationRecord)
products = table_of(ProductRecord)
levels = table_of(StockLevelRecord)
reservations = table_of(ReservationRecord)
movements = table_of(MovementRecord)
inbounds = table_of(InboundRecord)
queue = table_of(QueuedRecord)
