"""How far orders have come: the projection of each process, and its history."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from domain.units import UnitState
from store.columns import Document, UtcTime, table_of


class ProjectionRecord(SQLModel, table=True):
    """The process's picture at one version; -1 until the process first wrote.

    ``holds`` is ``,kind,kind,`` in order of placing. The check on ``refunded`` is invariant M2.
    """

    __tablename__ = "projection"
    __table_args__: ClassVar = (
        CheckConstraint("refunded >= 0 AND refunded <= captured", name="ck_projection_m2"),
        Index("ix_projection_status", "status"),
    )

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    version: int
    status: str
    holds: str
    progress: str | None = Field(default=None, sa_type=Document)
    currency: str
    authorised: int = Field(sa_type=BigInteger)
    captured: int = Field(sa_type=BigInteger)
    refunded: int = Field(sa_type=BigInteger)
    promise: date | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


COUNTERS = tuple(state.value for state in UnitState)


class OrderLineRecord(SQLModel, table=True):
    """The unit counters of a line; they add up to ``ordered`` and none is negative."""

    __tablename__ = "order_line"
    __table_args__: ClassVar = (
        CheckConstraint(f"ordered = {' + '.join(COUNTERS)}", name="ck_order_line_sum"),
        CheckConstraint(" AND ".join(f"{c} >= 0" for c in COUNTERS), name="ck_order_line_counters"),
        Index("ix_order_line_sku", "sku"),
    )

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    line_id: str = Field(primary_key=True)
    sku: str
    ordered: int
    open: int = 0
    backordered: int = 0
    reserved: int = 0
    released: int = 0
    packed: int = 0
    shipped: int = 0
    delivered: int = 0
    cancelled: int = 0
    returned: int = 0


class ShipmentRecord(SQLModel, table=True):
    """A parcel of an order; the rest of it is in the projection's document."""

    __tablename__ = "shipment"
    __table_args__: ClassVar = (
        Index("ix_shipment_order", "order_id"),
        Index("ix_shipment_tracking", "tracking_number"),
    )

    shipment_id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="orders.order_id")
    location: str
    status: str
    carrier: str
    tracking_number: str
    value: int = Field(sa_type=BigInteger)
    handed_over_at: datetime | None = Field(default=None, sa_type=UtcTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ReturnRecord(SQLModel, table=True):
    """A return of an order; the rest of it is in the projection's document."""

    __tablename__ = "order_return"
    __table_args__: ClassVar = (
        Index("ix_order_return_order", "order_id"),
        Index("ix_order_return_tracking", "tracking_number"),
    )

    return_id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="orders.order_id")
    status: str
    resolution: str
    tracking_number: str
    refund: int = Field(sa_type=BigInteger)


class StatusChangeRecord(SQLModel, table=True):
    """A transition of an order's status, written once per projection version (L2)."""

    __tablename__ = "status_change"

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    version: int = Field(primary_key=True)
    before: str
    after: str
    at: datetime = Field(sa_type=UtcTime)


class TimelineRecord(SQLModel, table=True):
    """One event of an order's history."""

    __tablename__ = "timeline"

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    no: int = Field(primary_key=True)
    kind: str
    at: datetime = Field(sa_type=UtcTime)
    actor: str
    text: str
    data: str = Field(sa_type=Document)


projections = table_of(ProjectionRecord)
order_lines = table_of(OrderLineRecord)
shipments = table_of(ShipmentRecord)
returns = table_of(ReturnRecord)
status_changes = table_of(StatusChangeRecord)
timeline = table_of(TimelineRecord)
