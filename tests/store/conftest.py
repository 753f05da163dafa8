"""Both databases for every test: a migrated SQLite file, and a database on a real PostgreSQL; and
the store in memory (``tests/fakes``), which must pass the same tests.

The PostgreSQL server is started once per pytest process, in a temporary folder, and stopped.
Tests of SQL, raw tables, threads and processes ask for ``sql_store`` instead of ``store``.
"""

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from store.database import SqlStore, open_store
from store.migrate import migrate
from store.tables import metadata
from tests.store.postgres import postgres, sqlalchemy_url
from tests.store.shop import AnyStore, open_any

COUNT = itertools.count()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The server's address; its database ``template_store`` is migrated."""
    with postgres() as uri:
        yield uri


@pytest.fixture
def own_database() -> None:
    """Asked for by a test that damages its database: nobody gets it afterwards."""


@pytest.fixture(scope="session")
def emptied() -> list[str]:
    """PostgreSQL databases that a test has left and the next may take; making one takes 0.3 s."""
    return []


@pytest.fixture
def fresh_url(
    request: pytest.FixtureRequest, tmp_path: Path, emptied: list[str]
) -> Iterator[Callable[[str], str]]:
    """Make a fresh, migrated database of a kind (``sqlite`` or ``postgres``); return its URL."""
    used: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            path = tmp_path / f"store_{next(COUNT)}.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        server = request.getfixturevalue("postgres_server")
        if used and "own_database" not in request.fixturenames:
            name = used.pop()
            _empty(server, name)
        elif emptied:
            name = emptied.pop()
        else:
            name = f"store_{next(COUNT)}"
            _command(server, f"CREATE DATABASE {name} TEMPLATE template_store")
        used.append(name)
        return sqlalchemy_url(server, name)

    yield make
    for name in used:
        server = request.getfixturevalue("postgres_server")
        if "own_database" in request.fixturenames:
            _command(server, f"DROP DATABASE {name} WITH (FORCE)")
        else:
            _empty(server, name)
            emptied.append(name)


def _empty(server: str, name: str) -> None:
    """Delete all rows; as replica, because the ledgers' triggers refuse it."""
    deletes = "; ".join(f"DELETE FROM {table.name}" for table in metadata.sorted_tables)
    _command(
        server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid()",
    )
    address = sqlalchemy_url(server, name).replace("+psycopg", "")
    _command(address, f"SET session_replication_role = replica; {deletes}")


def _command(server: str, command: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(command)


@pytest.fixture
def sqlite_url(fresh_url: Callable[[str], str]) -> str:
    """A fresh SQLite database."""
    return fresh_url("sqlite")


@pytest.fixture
def postgres_url(fresh_url: Callable[[str], str]) -> str:
    """A fresh PostgreSQL database."""
    return fresh_url("postgres")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, fresh_url: Callable[[str], str]) -> str:
    """A fresh database, once on each kind."""
    return fresh_url(request.param)


@pytest.fixture
def sql_store(url: str) -> Iterator[SqlStore]:
    """The store over a fresh database."""
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def store(request: pytest.FixtureRequest, fresh_url: Callable[[str], str]) -> Iterator[AnyStore]:
    """A fresh store of each kind."""
    opened = open_any(request.param, fresh_url)
    yield opened
    opened.close()
