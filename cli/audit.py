"""``waybill audit``: is everything that Waybill promises true of this installation?"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from cli.audit_books import Books, Json, Violation, outside_of
from cli.audit_witness import compare, row_of, strangers
from domain.errors import DomainError
from domain.frozen import Wire
from ports.stores import OrderFilter
from store.audit import violations as audit_tables
from store.database import SqlStore

PAGE = 200


class Report(Wire):
    """What an audit found. ``witnessed`` tells whether the outside world was asked too."""

    violations: tuple[Violation, ...]
    orders: tuple[dict[str, Any], ...]
    witnessed: bool

    @property
    def clean(self) -> bool:
        """Whether every promise holds."""
        return not self.violations


def audit(store: SqlStore, witness: str = "") -> Report:
    """Check the tables, the audit chains and, given its address, the testbed's own ledger.

    Args:
        witness: the testbed's URL; empty where there is none, as in production.

    Raises:
        DomainError: code ``no_witness``; the testbed does not answer.
    """
    found = [
        Violation(promise=one.invariant, order_id=one.subject, text=one.message)
        for one in audit_tables(store, datetime.now(UTC))
    ]
    if not witness:
        return Report(violations=tuple(found), orders=(), witnessed=False)
    # The world first: what happens after it was read is in our books, not missing from them.
    statement = statement_of(witness)
    all_books = list(books_of(store))
    rows: list[Json] = []
    for books in all_books:
        outside = outside_of(books, statement)
        differing = compare(books, outside)
        own = [one for one in found if one.order_id == books.order_id]
        rows.append(row_of(books, outside, [*own, *differing]))
        found += differing
    found += strangers(all_books, statement)
    return Report(violations=tuple(found), orders=tuple(rows), witnessed=True)


def audit_settled(store: SqlStore, witness: str, patience: float = 5.0) -> Report:
    """Audit again while something differs, so that a call in flight is not taken for a fault."""
    deadline = time.monotonic() + patience
    report = audit(store, witness)
    while not report.clean and time.monotonic() < deadline:
        time.sleep(0.5)
        report = audit(store, witness)
    return report


def books_of(store: SqlStore) -> Iterator[Books]:
    """Yield what the database knows of each order, newest first."""
    cursor = ""
    while True:
        page = store.list(OrderFilter(), cursor, PAGE)
        for row in page.rows:
            stored = store.get(row.order_id)
            if stored is not None:
                yield Books(
                    stored=stored,
                    effects=tuple(store.effects(row.order_id)),
                    messages=tuple(store.messages(row.order_id)),
                )
        cursor = page.next_cursor
        if not cursor:
            return


def statement_of(witness: str) -> Mapping[str, Any]:
    """Return everything the testbed saw."""
    try:
        answer = httpx.get(f"{witness}/control/ledger", timeout=30.0, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        text = f"the witness at {witness} does not answer ({error}); --no-witness leaves it out"
        raise DomainError(text, "no_witness") from None
    statement: Mapping[str, Any] = answer.json()
    return statement
