"""Column types that mean the same on SQLite and on PostgreSQL."""

from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import JSON, DateTime, Dialect, Table
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel


class UtcTime(TypeDecorator[datetime]):
    """A moment, timezone-aware both ways; SQLite, which has no zones, holds UTC.

    Raises:
        ValueError: a naive time was given; guessing its zone would move deadlines.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any aware time into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored moment as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Document = JSON(none_as_null=True)
"""A JSON document, handed over and returned as JSON **text** (``Database`` switches the driver's
own parsing off): pydantic reads and writes it once, in C, instead of twice in Python."""


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table behind a model; hot paths speak Core."""
    return cast(Table, getattr(model, "__table__"))  # noqa: B009
