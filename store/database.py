"""The store as one object: ``open_store(url)``."""

from ports.stores import Store
from store.access import Access
from store.alerts import Alerts
from store.catalogue import Catalogue
from store.effects import Effects
from store.engine import Database
from store.erasure import Erasure
from store.inbound import Inbounds
from store.intake import Inbox
from store.listing import Listing
from store.messages import Messages
from store.orders import Orders
from store.parcels import Parcels
from store.policies import Policies
from store.projection import Projections
from store.reservations import Reservations
from store.stock import Stock
from store.turns import Turns


class SqlStore(
    Inbox,
    Orders,
    Listing,
    Projections,
    Alerts,
    Stock,
    Reservations,
    Turns,
    Inbounds,
    Catalogue,
    Effects,
    Messages,
    Parcels,
    Access,
    Policies,
    Erasure,
    Store,
):
    """Every part of the store over one database."""

    @property
    def database(self) -> Database:
        """The engine and its transactions, for audit, health checks and tests."""
        return self._database

    def close(self) -> None:
        """Let go of all connections."""
        self._database.close()


def open_store(url: str) -> SqlStore:
    """Return the store at ``sqlite:///path`` or ``postgresql+psycopg://…``.

    Nothing connects until the first call. The tables must be there: ``store.migrate.migrate(url)``.
    """
    return SqlStore(Database(url))
