"""What operators must be told, in memory; one open row per (kind, subject)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from domain.errors import DomainError
from ports.operators import Alert
from store.cursors import cursor_of, position_of
from tests.fakes.stores.tables import Part, Row, Tables, transaction, utc

PAGE_LIMIT = 200


def raise_alert(tables: Tables, kind: str, subject: str, text: str, at: datetime) -> None:
    """Write an alert inside a transaction."""
    at, text = utc(at), text[:2000]
    row = tables.open_alerts.get((kind, subject))
    if row is not None:
        row.update(count=row["count"] + 1, text=text, last_at=at)
        return
    row = {
        "alert_id": len(tables.alerts) + 1,
        "kind": kind,
        "subject": subject,
        "text": text,
        "count": 1,
        "first_at": at,
        "last_at": at,
        "closed_at": None,
    }
    tables.alerts.append(row)
    tables.open_alerts[kind, subject] = row


class Alerts(Part):
    """The operators' list."""

    @transaction
    def alert(self, kind: str, subject: str, text: str, at: datetime) -> None:
        """Tell the operators something; a repeat of (kind, subject) while open is counted."""
        raise_alert(self.tables, kind, subject, text, at)

    @transaction
    def alerts(self, limit: int = 100) -> Sequence[dict[str, Any]]:
        """Return open alerts as rows, the latest first."""
        return [dict(row) for row in self._latest()[:limit]]

    @transaction
    def list_alerts(self, cursor: str = "", limit: int = 100) -> tuple[Sequence[Alert], str]:
        """Return a page of open alerts, the latest first, with the next cursor."""
        limit = max(1, min(limit, PAGE_LIMIT))
        rows = self._latest()
        if cursor:
            after = _position(cursor)
            rows = [row for row in rows if _turn(row) < after]
        found = [Alert.model_validate(row) for row in rows[:limit]]
        last = found[-1] if len(rows) > limit else None
        return found, cursor_of(last.last_at.isoformat(), str(last.alert_id)) if last else ""

    @transaction
    def close_alert(self, alert_id: int, at: datetime) -> bool:
        """Close an alert that was dealt with; False when it is not open."""
        for key, row in self.tables.open_alerts.items():
            if row["alert_id"] == alert_id:
                row["closed_at"] = utc(at)
                del self.tables.open_alerts[key]
                return True
        return False

    def _latest(self) -> list[Row]:
        return sorted(self.tables.open_alerts.values(), key=_turn, reverse=True)


def _turn(row: Row) -> tuple[datetime, int]:
    return row["last_at"], row["alert_id"]


def _position(cursor: str) -> tuple[datetime, int]:
    last_at, alert_id = position_of(cursor, 2)
    try:
        return datetime.fromisoformat(last_at).astimezone(UTC), int(alert_id)
    except (ValueError, OverflowError) as error:
        raise DomainError("this is no cursor of this list", "bad_cursor") from error
