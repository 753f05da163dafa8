"""Label documents and carrier scans."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.columns import UtcTime, table_of


class LabelRecord(SQLModel, table=True):
    """The label of a shipment or a return."""

    __tablename__ = "label"
    __table_args__: ClassVar = (Index("ix_label_tracking", "tracking_number"),)

    subject: str = Field(primary_key=True)
    order_id: str = Field(index=True)
    tracking_number: str
    pdf: bytes


class ScanRecord(SQLModel, table=True):
    """A carrier scan: a set keyed by (carrier, number, code, at), H3."""

    __tablename__ = "scan"
    __table_args__: ClassVar = (Index("ix_scan_tracking", "tracking_number", "at"),)

    carrier: str = Field(primary_key=True)
    tracking_number: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UtcTime)
    state: str
    message: str
    place: str
    signed_by: str


labels = table_of(LabelRecord)
scans = table_of(ScanRecord)
