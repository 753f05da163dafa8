"""One database, SQLite or PostgreSQL: transactions, locks, and the one translation of its errors.

Away, locked, read-only, full, deadlocked: ``StoreUnavailable``; nothing was written, ask again.
A value that no column holds (a NUL byte, a number too large): ``DomainError`` ``bad_value``.
A broken constraint or a wrong statement is a mistake of ours and goes up as it is.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import DomainError
from ports.stores import StoreUnavailable

BUSY_SECONDS = 15.0
"""How long a writer waits for SQLite's single write lock."""

OUR_MISTAKE = (IntegrityError, NotSupportedError, ProgrammingError)
LOCK = select(func.pg_advisory_xact_lock(bindparam("number")))


class Database:
    """Transactions over one engine. Connects at the first use, not when it is made."""

    def __init__(self, url: str) -> None:
        self.engine = engine_of(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._immediate = self.engine.execution_options(begin="BEGIN IMMEDIATE")
        self._single = self.engine.execution_options(begin="")
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads, on one snapshot.

        Raises:
            StoreUnavailable: the database is away.
        """
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read_one(self) -> Iterator[Connection]:
        """Open what runs a single statement that reads; that is a snapshot without a BEGIN.

        Raises:
            StoreUnavailable: the database is away.
        """
        with _translated(), self._single.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes: all or nothing.

        SQLite's write lock is taken at once, so that nothing read in it can turn stale. Threads
        of one process queue in front of it, which is fairer and cheaper than SQLite's polling.

        Raises:
            StoreUnavailable: the database is away, locked, read-only or full; nothing is written.
        """
        with self._writing(self._immediate) as connection:
            yield connection

    @contextmanager
    def write_one(self) -> Iterator[Connection]:
        """Open what writes a single row with a single statement; else as ``write``."""
        with self._writing(self._single) as connection:
            yield connection

    @contextmanager
    def _writing(self, engine: Engine) -> Iterator[Connection]:
        if not self.sqlite:
            with _translated(), self.engine.begin() as connection:
                yield connection
            return
        if not self._writer.acquire(timeout=BUSY_SECONDS):
            raise StoreUnavailable("the database is locked by another writer")
        try:
            with _translated(), engine.begin() as connection:
                yield connection
        finally:
            self._writer.release()

    def lock(self, connection: Connection, *name: str) -> None:
        """Hold this name until the transaction ends. SQLite has one writer, so it is held."""
        if not self.sqlite:
            digest = hashlib.blake2b("\0".join(name).encode(), digest_size=8).digest()
            number = int.from_bytes(digest, "big", signed=True)
            connection.execute(LOCK, {"number": number})

    def now(self) -> datetime:
        """Return the time for rows that no caller dates."""
        return datetime.now(UTC)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def engine_of(url: str) -> Engine:
    """Return an engine for ``sqlite:///path`` or ``postgresql+psycopg://…``; connects lazily."""
    address = make_url(url)
    json_as_text: dict[str, Any] = {"json_serializer": _write_json, "json_deserializer": _read_json}
    if address.get_backend_name() != "sqlite":
        return create_engine(
            address,
            pool_size=8,
            max_overflow=8,
            pool_timeout=10,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5},
            **json_as_text,
        )
    engine = create_engine(
        address,
        pool_size=8,
        max_overflow=24,
        pool_timeout=BUSY_SECONDS,
        pool_reset_on_return=None,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        **json_as_text,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OUR_MISTAKE:
        raise
    except (DataError, OverflowError) as error:  # SQLite's driver counts by itself
        raise DomainError("a value that the database cannot hold", "bad_value") from error
    except (DBAPIError, PoolTimeout, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"the database cannot now: {str(cause)[:300]}") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # isolation_level None hands BEGIN over to _begin_sqlite; the driver's own BEGIN comes too late.
    connection.isolation_level = None
    _keep_wal(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _keep_wal(connection: sqlite3.Connection) -> None:
    """Switch a new file to WAL. SQLite does not wait for others here, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("begin", "BEGIN")
    if begin:
        connection.exec_driver_sql(begin)


def _write_json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _read_json(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode()
