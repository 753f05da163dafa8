"""What was asked of the world and what came of it; what people must be told."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from store.columns import Document, UtcTime, table_of


class EffectRecord(SQLModel, table=True):
    """One row of an order's hash chain: ``phase`` is ``intent`` or an outcome."""

    __tablename__ = "effect"
    __table_args__: ClassVar = (
        UniqueConstraint("order_id", "key", "phase", name="uq_effect_phase"),
    )

    order_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    key: str
    phase: str
    kind: str
    detail: str = Field(sa_type=Document)
    at: datetime = Field(sa_type=UtcTime)
    hash: str


class EffectHeadRecord(SQLModel, table=True):
    """How long an order's chain is and how it ends, so that a cut-off tail is found too."""

    __tablename__ = "effect_head"

    order_id: str = Field(primary_key=True)
    seq: int
    hash: str


class MessageRecord(SQLModel, table=True):
    """A claimed message; ``outcome`` is empty until it is known what came of it (N1)."""

    __tablename__ = "message"

    order_id: str = Field(primary_key=True)
    template: str = Field(primary_key=True)
    no: int = Field(primary_key=True)
    outcome: str
    claimed_at: datetime = Field(sa_type=UtcTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcTime)


class AlertRecord(SQLModel, table=True):
    """Something for the operators; one open row per (kind, subject)."""

    __tablename__ = "alert"
    __table_args__: ClassVar = (
        Index(
            "uq_alert_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    alert_id: int | None = Field(default=None, primary_key=True)
    kind: str
    subject: str
    text: str
    count: int
    first_at: datetime = Field(sa_type=UtcTime)
    last_at: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)


effects = table_of(EffectRecord)
effect_heads = table_of(EffectHeadRecord)
messages = table_of(MessageRecord)
alerts = table_of(AlertRecord)
