"""What the store in memory has of its own: faults, a clock, books. The rest it passes with SQL."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from domain.progress import OrderStatus
from domain.stock import StockAction
from ports.stores import StoreUnavailable
from tests.fakes.faults import Fault, FaultPlan
from tests.fakes.stores import MemoryStore
from tests.fakes.stores.audit import audited
from tests.store.shop import NOON, accept, allocation, events, move, progress, stocked


def ticking() -> Callable[[], datetime]:
    """Return a clock that is a second later each time it is asked."""
    moments = iter(range(10**6))
    return lambda: NOON + timedelta(seconds=next(moments))


def sold(faults: FaultPlan | None = None) -> MemoryStore:
    """An order that was reserved, shipped and told of."""
    store = MemoryStore(ticking(), faults)
    stocked(store, 10)
    accept(store)
    store.reserve("shop-1001", [allocation(3)], None)
    store.intend("shop-1001", "capture:1", "capture", {"amount": "3000"})
    store.conclude("shop-1001", "capture:1", "done", {"reference": "ch_1"})
    store.claim("shop-1001", "shipped", 1)
    store.project(progress(1), events(1), [move(StockAction.CONSUME, 2, "s-1")])
    return store


def test_a_database_away_has_written_nothing() -> None:
    faults = FaultPlan()
    store = sold(faults)
    faults.add("store.reserve", Fault.BEFORE, key="shop-2")
    with pytest.raises(StoreUnavailable):
        store.reserve("shop-2", [allocation(1)], None)
    assert store.reserved("shop-2") == []
    assert store.reserve("shop-2", [allocation(1)], None) == ()


def test_a_lost_answer_has_written_all_and_a_repeat_writes_nothing_more() -> None:
    faults = FaultPlan()
    store = sold(faults)
    again = [move(StockAction.RELEASE, 1, "r-1")]
    faults.add("store.project", Fault.AFTER)
    with pytest.raises(StoreUnavailable):
        store.project(progress(2, OrderStatus.SHIPPED), events(2), again)
    written = list(store.books.movements()), list(store.books.status_changes())
    store.project(progress(2, OrderStatus.SHIPPED), events(2), again)
    assert (list(store.books.movements()), list(store.books.status_changes())) == written
    assert [event.no for event in store.timeline("shop-1001")] == [1, 2]


def test_the_same_calls_write_the_same_books() -> None:
    first, second = sold(), sold()
    assert first.effects("shop-1001") == second.effects("shop-1001")
    assert first.tables == second.tables


def test_the_books_tell_of_one_order_or_of_all() -> None:
    store = sold()
    accept(store, "1002")
    store.reserve("shop-1002", [allocation(1)], None)
    (ended, held) = store.books.reservations()
    assert (ended["remaining"], ended["consumed"], held["state"]) == (1, 2, "held")
    assert [row["order_id"] for row in store.books.open_reservations()] == [
        "shop-1001",
        "shop-1002",
    ]
    assert list(store.books.reservations("shop-1002")) == [held]
    assert [row["quantity"] for row in store.books.movements("shop-1001")] == [-2]
    assert [row["phase"] for row in store.books.effects()] == ["intent", "done"]
    assert [row["after"] for row in store.books.status_changes("shop-1001")] == ["processing"]
    assert [row["outcome"] for row in store.books.messages("shop-1001")] == [""]
    assert store.books.levels()["MUG", "A"].on_hand == 8


def test_a_changed_or_removed_effect_is_found() -> None:
    for damage in (lambda rows: rows[0].update(kind="refund"), lambda rows: rows.pop()):
        store = sold()
        assert store.verify_chain("shop-1001")
        damage(store.tables.effects["shop-1001"])
        assert not store.verify_chain("shop-1001")


def test_the_products_audit_and_its_tables_checks_hold_for_the_books() -> None:
    store = sold()
    assert audited(store, NOON) == []
    store.tables.levels["MUG"]["A"].on_hand += 1
    assert [found.invariant for found in audited(store, NOON)] == ["S2"]
    store.tables.levels["MUG"]["A"].reserved = 99
    with pytest.raises(IntegrityError, match="ck_stock_level_s1"):
        audited(store, NOON)
