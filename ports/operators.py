"""What operators ask of the database; errors and transactions as in ``ports.stores``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.frozen import Wire


class Alert(Wire):
    """Something the operators must be told; ``count`` is how often it was, while open."""

    alert_id: int
    kind: str
    subject: str
    text: str
    count: int
    first_at: datetime
    last_at: datetime


class Erased(Wire):
    """The orders a person was erased from, and those that still need the address: ask again when
    they have ended."""

    erased: tuple[str, ...] = ()
    still_open: tuple[str, ...] = ()


class OperatorStore(Protocol):
    """Alerts until they are dealt with, and customers to be forgotten."""

    def alert(self, kind: str, subject: str, text: str, at: datetime) -> None:
        """Tell the operators something; a repeat of (kind, subject) while open is counted."""

    def list_alerts(self, cursor: str = "", limit: int = 100) -> tuple[Sequence[Alert], str]:
        """A page of open alerts, the latest first, with the next cursor."""

    def close_alert(self, alert_id: int, at: datetime) -> bool:
        """Close an alert that somebody has dealt with; False when it is not open."""

    def erase_customer(self, email: str, at: datetime) -> Erased:
        """Remove a customer's personal data from all orders that have ended."""
