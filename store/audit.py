"""``waybill audit``: every broken promise that the database can tell of."""

from collections.abc import Sequence
from datetime import datetime

from store.checks.documents import DOCUMENT_CHECKS
from store.checks.rows import ROW_CHECKS, Violation
from store.database import SqlStore

__all__ = ["Violation", "violations"]


def violations(store: SqlStore, now: datetime) -> Sequence[Violation]:
    """Return all violations on one snapshot, by invariant and subject; nothing is changed.

    Subjects are order ids, or ``sku@location``. An effect or a message that is under way while
    the order goes on is no violation.
    """
    database = store.database
    with database.read() as connection:
        if not database.sqlite:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        checks = (*ROW_CHECKS, *DOCUMENT_CHECKS)
        return sorted(violation for check in checks for violation in check(connection, now))
