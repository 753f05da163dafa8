"""The database itself: migrations, and what happens when it cannot."""

import contextlib
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.errors import DomainError
from ports.stores import OrderFilter, Store, StoreUnavailable
from store import engine
from store.database import SqlStore, open_store
from store.migrate import check, migrate
from tests.store.shop import accept, delivery, order

ROOT = Path(__file__).parents[2]


def test_models_and_migrations_agree(url: str) -> None:
    check(url)


def test_migrating_again_changes_nothing(url: str) -> None:
    migrate(url)
    check(url)


def test_many_may_migrate_a_new_file_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(migrate, [url] * 8))
    check(url)


def test_migrating_works_from_any_directory(tmp_path: Path) -> None:
    code = f"from store.migrate import migrate; migrate('sqlite:///{tmp_path}/new.db')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    check(f"sqlite:///{tmp_path}/new.db")


def test_opening_connects_to_nothing() -> None:
    store: Store = open_store("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        store.get("o")


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_store(f"sqlite:///{tmp_path}/no/such.db").get("o")


def test_a_locked_database_is_unavailable_and_nothing_is_half_done(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    store, other = open_store(sqlite_url), open_store(sqlite_url)
    with other.database.write(), pytest.raises(StoreUnavailable):
        accept(store)
    assert store.get("shop-1001") is None
    assert accept(store).intake == "new"


def test_a_writer_in_the_same_process_waits_its_turn(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    store, refused = open_store(sqlite_url), []

    def write() -> None:
        try:
            accept(store)
        except StoreUnavailable as error:
            refused.append(error)

    with store.database.write():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_a_full_disk_is_unavailable(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable):
        accept(store, note="x" * 500_000)
    assert store.get("shop-1001") is None


def test_a_read_only_database_is_unavailable(sqlite_url: str) -> None:
    store = open_store(f"sqlite:///file:{sqlite_url.removeprefix('sqlite:///')}?mode=ro&uri=true")
    with pytest.raises(StoreUnavailable):
        accept(store)


def test_a_postgres_that_goes_away_and_comes_back(postgres_url: str) -> None:
    store, other = open_store(postgres_url), open_store(postgres_url)
    accept(store)
    with other.database.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.commit()
    assert store.get("shop-1001") is not None
    store.close()
    other.close()


@pytest.mark.usefixtures("own_database")
def test_a_read_only_postgres_is_unavailable(postgres_url: str) -> None:
    store = open_store(postgres_url)
    with store.database.write() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    store.close()
    with pytest.raises(StoreUnavailable):
        accept(store)
    store.close()


def test_a_zero_byte_never_makes_a_server_error(sql_store: SqlStore) -> None:
    for question in (
        lambda: sql_store.get("o\0"),
        lambda: sql_store.list(OrderFilter(q="a\0b")),
        lambda: sql_store.accept(delivery("1\0"), order("1\0")),
    ):
        with contextlib.suppress(DomainError):
            question()


def test_postgres_says_bad_value_to_a_zero_byte(postgres_url: str) -> None:
    with pytest.raises(DomainError) as refusal:
        open_store(postgres_url).get("o\0")
    assert refusal.value.code == "bad_value"


def test_a_number_too_large_for_its_column_is_a_bad_value(sql_store: SqlStore) -> None:
    for number in (2**63, 10**30):
        with pytest.raises(DomainError) as refusal:
            sql_store.policy(number)
        assert refusal.value.code == "bad_value"
