"""Alembic's environment; ``store.migrate`` hands the connection over."""

from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from store.columns import UtcTime
from store.tables import metadata


def plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our own types as SQLAlchemy's, so that an old version never imports today's code."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and type(item).__name__ == "JSON":
        return "sa.JSON()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=plain_type,
)
context.run_migrations()
