"""The store in memory: one object, and its books for whoever checks the promises."""

from collections.abc import Iterable
from typing import Any

from ports.stores import Store
from tests.fakes.stores.access import Access
from tests.fakes.stores.alerts import Alerts
from tests.fakes.stores.erasure import Erasure
from tests.fakes.stores.inbox import Inbox
from tests.fakes.stores.orders import Orders
from tests.fakes.stores.projections import Projections
from tests.fakes.stores.records import Effects, Messages, Parcels
from tests.fakes.stores.reservations import Catalogue, Reservations
from tests.fakes.stores.stock import Stock
from tests.fakes.stores.tables import Level, Place, Row, Tables


class Books:
    """What a ``MemoryStore`` has written down. Rows are live: read them, never change them.

    No fault strikes here and no lock is taken; ``order_id`` narrows to one order, in its own time.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def reservations(self, order_id: str | None = None) -> Iterable[Row]:
        """Return reservations with their states, ended ones too."""
        return [row for rows in _some(self._tables.reservations, order_id) for row in rows.values()]

    def open_reservations(self) -> Iterable[Row]:
        """Return the reservations of all orders that have units left."""
        return self._tables.open.values()

    def movements(self, order_id: str | None = None) -> Iterable[Row]:
        """Return the ledger of stock movements; ``order_id`` is empty for the dock's."""
        return [row for rows in _some(self._tables.movements, order_id) for row in rows]

    def levels(self) -> dict[Place, Level]:
        """Return all levels, by (sku, location)."""
        shelves = self._tables.levels.items()
        return {(sku, place): level for sku, at in shelves for place, level in at.items()}

    def effects(self, order_id: str | None = None) -> Iterable[Row]:
        """Return the rows of the audit; ``hash`` only where the chain was asked for."""
        return [row for rows in _some(self._tables.effects, order_id) for row in rows]

    def messages(self, order_id: str | None = None) -> Iterable[Row]:
        """Return the claimed messages with their outcomes."""
        return [row for rows in _some(self._tables.messages, order_id) for row in rows.values()]

    def status_changes(self, order_id: str | None = None) -> Iterable[Row]:
        """Return the transitions of the orders' statuses."""
        return [row for rows in _some(self._tables.changes, order_id) for row in rows]

    def alerts(self, subject: str | None = None) -> Iterable[Row]:
        """Return all alerts, closed ones too."""
        return [row for row in self._tables.alerts if subject in (None, row["subject"])]

    def order_ids(self) -> Iterable[str]:
        """Return the ids of all accepted orders, in the order in which they came."""
        return self._tables.orders.keys()


class MemoryStore(
    Inbox,
    Orders,
    Projections,
    Alerts,
    Stock,
    Reservations,
    Catalogue,
    Effects,
    Messages,
    Parcels,
    Access,
    Erasure,
    Store,
):
    """A ``Store`` that passes the tests of ``SqlStore``, a hundred times as fast.

    Time comes from the clock it is given; the same calls give the same rows in every run.
    ``tests.fakes.stores.audit`` shows it to the product's own audit.
    """

    @property
    def books(self) -> Books:
        """What it has written down."""
        return Books(self.tables)

    def close(self) -> None:
        """Let go of nothing."""


def _some(table: dict[str, Any], order_id: str | None) -> Iterable[Any]:
    if order_id is None:
        return table.values()
    return (table[order_id],) if order_id in table else ()
