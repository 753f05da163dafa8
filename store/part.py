"""What the parts of the store share: one database, and how rows are put once or replaced."""

from collections.abc import Sequence

from sqlalchemy import BindParameter, Table, and_, bindparam
from sqlalchemy.dialects.postgresql import Insert, insert

from store.engine import Database


class Part:
    """Some methods over one database; each public method is exactly one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database


def places(size: int) -> list[BindParameter[str]]:
    """Return parameters for an IN of ``size`` values, whose SQL is compiled once for all."""
    return [bindparam(f"in{n}") for n in range(size)]


def filled(values: Sequence[str]) -> dict[str, str]:
    """Return the values for ``places(len(filled(values)))``: a power of two, padded."""
    size = 1 << (len(values) - 1).bit_length()
    return {f"in{n}": values[min(n, len(values) - 1)] for n in range(size)}


def put_once(table: Table) -> Insert:
    """Return an insert that leaves an existing row alone; its rowcount says who was first.

    PostgreSQL's insert is used for both: SQLite's compiler reads the same ON CONFLICT clause.
    """
    statement = insert(table).on_conflict_do_nothing()
    return statement.execution_options(preserve_rowcount=True)


def put(table: Table, only_same: Sequence[str] = ()) -> Insert:
    """Return an insert that replaces a row with the same primary key.

    Args:
        only_same: columns in which the existing row must agree, else it is left alone.
    """
    statement = insert(table)
    keys = [column.name for column in table.primary_key.columns]
    new = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in keys
    }
    same = [table.c[name] == statement.excluded[name] for name in only_same]
    return statement.on_conflict_do_update(
        index_elements=keys, set_=new, where=and_(*same) if same else None
    )
