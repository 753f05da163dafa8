"""What came in: orders as accepted, deliveries, cancels that came before their order."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from store.columns import Document, UtcTime, table_of


class OrderRecord(SQLModel, table=True):
    """An accepted order; ``document`` as last accepted, ``ship_to`` where it goes now.

    ``fingerprint`` is what was bought (SKUs, quantities, total) and finds duplicates;
    ``search`` is the lower-case text that the order list's ``q`` looks into.
    """

    __tablename__ = "orders"
    __table_args__: ClassVar = (
        UniqueConstraint("channel", "external_id", name="uq_orders_external"),
        Index("ix_orders_newest", "placed_at", "order_id"),
        Index("ix_orders_duplicates", "email", "fingerprint"),
        Index(
            "ix_orders_unstarted",
            "created_at",
            sqlite_where=text("started = 0"),
            postgresql_where=text("started = false"),
        ),
    )

    order_id: str = Field(primary_key=True)
    channel: str
    external_id: str
    number: str
    body_hash: str
    document: str = Field(sa_type=Document)
    ship_to: str | None = Field(default=None, sa_type=Document)
    email: str
    search: str
    fingerprint: str
    total: int = Field(sa_type=BigInteger)
    currency: str
    policy_version: int
    started: bool = False
    placed_at: datetime = Field(sa_type=UtcTime)
    created_at: datetime = Field(sa_type=UtcTime)


class RevisionRecord(SQLModel, table=True):
    """What an order said before its lines were edited; ``no`` counts from 1, the first accepted."""

    __tablename__ = "order_revision"

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    no: int = Field(primary_key=True)
    document: str = Field(sa_type=Document)
    replaced_at: datetime = Field(sa_type=UtcTime)


class DeliveryRecord(SQLModel, table=True):
    """A storefront's delivery, kept for ever under its own id."""

    __tablename__ = "delivery"
    __table_args__: ClassVar = (Index("ix_delivery_external", "channel", "external_id"),)

    channel: str = Field(primary_key=True)
    delivery_id: str = Field(primary_key=True)
    topic: str
    external_id: str
    body_hash: str
    outcome: str
    received_at: datetime = Field(sa_type=UtcTime)


class ParkedCancelRecord(SQLModel, table=True):
    """A cancel that came before its order; ``used_at`` is set when the order came."""

    __tablename__ = "parked_cancel"

    channel: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    reason: str
    delivery: str = Field(sa_type=Document)
    until: datetime = Field(sa_type=UtcTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcTime)


class PaymentReferenceRecord(SQLModel, table=True):
    """Which order a provider's payment belongs to."""

    __tablename__ = "payment_reference"

    reference: str = Field(primary_key=True)
    order_id: str = Field(index=True)


orders = table_of(OrderRecord)
revisions = table_of(RevisionRecord)
deliveries = table_of(DeliveryRecord)
parked_cancels = table_of(ParkedCancelRecord)
payment_references = table_of(PaymentReferenceRecord)
