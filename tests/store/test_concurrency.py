"""Many buyers at once: exactly what there is gets sold, and nobody waits for ever."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from domain.stock import MovementReason, StockAction, StockMove
from store.database import SqlStore
from tests.store.crowd import buy
from tests.store.shop import NOON, accept, allocation, move, progress, stocked

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(sql_store: SqlStore) -> SqlStore:
    """A real database only: this is about its locks."""
    return sql_store


def level(store: SqlStore, sku: str = "MUG", place: str = "A") -> tuple[int, int]:
    return next((s.on_hand, s.reserved) for s in store.levels(sku) if s.location == place)


def test_200_orders_for_the_last_50_units_sell_exactly_50(store: SqlStore) -> None:
    stocked(store, 50)
    with ThreadPoolExecutor(20) as pool:
        sold = sum(pool.map(lambda number: buy(store, number), range(200)))
    assert sold == 50
    assert level(store) == (50, 50)


def test_two_processes_sell_exactly_50_too(url: str, store: SqlStore) -> None:
    stocked(store, 50)
    crowds = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.store.crowd", url, str(first), str(first + 100)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for first in range(0, 200, 100)
    ]
    assert sum(int(crowd.communicate()[0]) for crowd in crowds) == 50
    assert level(store) == (50, 50)


def test_crossing_orders_never_deadlock(store: SqlStore) -> None:
    skus = ["CUP", "MUG", "PAN", "POT"]
    for sku in skus:
        stocked(store, 60, "A", "B", sku=sku)

    def trade(number: int) -> int:
        chance, order_id = random.Random(number), f"shop-{number}"
        mixed = chance.sample([(s, p) for s in skus for p in "AB"], 6)
        wanted = [allocation(1, n, sku=s, place=p) for n, (s, p) in enumerate(mixed)]
        accept(store, str(number))
        got = not store.reserve(order_id, wanted, NOON if number % 3 == 0 else None)
        gone = [
            StockMove(
                key=f"x-{n}",
                action=chance.choice([StockAction.CONSUME, StockAction.RELEASE]),
                line_id="l1",
                sku=sku,
                location=place,
                quantity=1,
            )
            for n, (sku, place) in enumerate(chance.sample(mixed, 6))
        ]
        if number % 3 == 0:
            store.expire(NOON + timedelta(hours=1))
        elif got:
            store.project(progress(1, external_id=str(number)), (), gone)
        store.receive(*mixed[0], 1, reason=MovementReason.RECEIPT, key=f"in-{number}", actor="test")
        return got

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(trade, range(60))) > 20
    store.expire(NOON + timedelta(hours=1))
    assert all(s.reserved == 0 for sku in skus for s in store.levels(sku))


def test_one_release_repeated_by_many_workers_counts_once(store: SqlStore) -> None:
    stocked(store, 10)
    accept(store)
    store.reserve("shop-1001", [allocation(6)], None)

    def release(version: int) -> None:
        moves = [move(StockAction.CONSUME, 2, "s-1"), move(StockAction.RELEASE, 2, "r-1")]
        store.project(progress(version), (), moves)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(release, range(1, 41)))
    assert level(store) == (8, 2)
    assert store.get("shop-1001").progress.version == 40


def test_one_reservation_repeated_by_many_workers_counts_once(store: SqlStore) -> None:
    stocked(store, 10)
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda _: store.reserve("shop-1", [allocation(2)], None), range(40))
        )
    assert answers == [()] * 40
    assert level(store) == (10, 2)


def test_expiry_and_release_at_once_give_each_unit_back_once(store: SqlStore) -> None:
    stocked(store, 40)
    for number in range(20):
        accept(store, str(number))
        store.reserve(f"shop-{number}", [allocation(2)], NOON)

    def release(number: int) -> None:
        moves = [move(StockAction.RELEASE, 2, "r-1")]
        store.project(progress(1, external_id=str(number)), (), moves)

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(release, number) for number in range(20)]
        jobs += [pool.submit(store.expire, NOON) for _ in range(20)]
        for job in jobs:
            job.result()
    assert level(store) == (40, 0)


def test_effects_of_one_order_at_once_make_one_chain(store: SqlStore) -> None:
    def effect(number: int) -> None:
        key = f"capture:{number % 10}"
        store.intend("shop-1", key, "payment.capture", {"amount": "100"})
        store.conclude("shop-1", key, "done", {})

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(effect, range(40)))
    assert len(store.effects("shop-1")) == 20
    assert store.verify_chain("shop-1")


def test_a_message_is_claimed_by_one_of_many(store: SqlStore) -> None:
    with ThreadPoolExecutor(10) as pool:
        claims = list(pool.map(lambda _: store.claim("shop-1", "shipped", 1), range(40)))
    assert sum(claims) == 1
