"""What the operators must be told; one open row per (kind, subject)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from domain.errors import DomainError
from ports.operators import Alert
from store.cursors import cursor_of, position_of
from store.part import Part
from store.tables.audit import alerts

_new = insert(alerts)
RAISE = _new.on_conflict_do_update(
    index_elements=["kind", "subject"],
    index_where=alerts.c.closed_at.is_(None),
    set_={
        "count": alerts.c.count + 1,
        "text": _new.excluded.text,
        "last_at": _new.excluded.last_at,
    },
)
PAGE_LIMIT = 200
OPEN = (
    select(alerts)
    .where(alerts.c.closed_at.is_(None))
    .order_by(alerts.c.last_at.desc(), alerts.c.alert_id.desc())
    .limit(bindparam("at_most"))
)
CLOSE = update(alerts).where(alerts.c.alert_id == bindparam("id"), alerts.c.closed_at.is_(None))


def raise_alert(connection: Connection, kind: str, subject: str, text: str, at: datetime) -> None:
    """Write an alert inside a transaction that is already open."""
    row = {"kind": kind, "subject": subject, "text": text[:2000], "count": 1}
    connection.execute(RAISE, {**row, "first_at": at, "last_at": at})


class Alerts(Part):
    """The operators' list."""

    def alert(self, kind: str, subject: str, text: str, at: datetime) -> None:
        """Tell the operators something; a repeat of (kind, subject) while open is counted."""
        with self._database.write() as connection:
            raise_alert(connection, kind, subject, text, at)

    def alerts(self, limit: int = 100) -> Sequence[dict[str, Any]]:
        """Return open alerts as rows, the latest first."""
        with self._database.read() as connection:
            rows = connection.execute(OPEN, {"at_most": limit}).mappings()
            return [dict(row) for row in rows]

    def list_alerts(self, cursor: str = "", limit: int = 100) -> tuple[Sequence[Alert], str]:
        """Return a page of open alerts, the latest first, with the next cursor (empty at the end).

        An alert that rings again while somebody turns the pages moves to the first one.

        Raises:
            DomainError: ``bad_cursor``.
        """
        limit = max(1, min(limit, PAGE_LIMIT))
        page = OPEN.where(_after(cursor)) if cursor else OPEN
        with self._database.read() as connection:
            rows = connection.execute(page, {"at_most": limit + 1}).mappings().all()
        found = [Alert.model_validate(dict(row)) for row in rows[:limit]]
        last = found[-1] if len(rows) > limit else None
        return found, cursor_of(last.last_at.isoformat(), str(last.alert_id)) if last else ""

    def close_alert(self, alert_id: int, at: datetime) -> bool:
        """Close an alert that was dealt with; False when it is not open."""
        with self._database.write() as connection:
            return connection.execute(CLOSE, {"id": alert_id, "closed_at": at}).rowcount == 1


def _after(cursor: str) -> ColumnElement[bool]:
    last_at, alert_id = position_of(cursor, 2)
    try:
        moment, number = datetime.fromisoformat(last_at).astimezone(UTC), int(alert_id)
    except (ValueError, OverflowError) as error:
        raise DomainError("this is no cursor of this list", "bad_cursor") from error
    position = tuple_(alerts.c.last_at, alerts.c.alert_id)
    return position < tuple_(literal(moment, alerts.c.last_at.type), literal(number))
