"""Stock: levels, the ledger, reservations, announcements, the catalogue."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from domain.errors import DomainError
from domain.stock import Inbound, Location, MovementReason, Product, Queued, StockLevel, Turn
from tests.store.shop import NOON, AnyStore, accept, allocation, audit, progress, stocked

RECEIPT, ADJUSTED = MovementReason.RECEIPT, MovementReason.ADJUSTED


def receive(store: AnyStore, units: int, key: str, reason: MovementReason = RECEIPT) -> StockLevel:
    return store.receive("MUG", "A", units, reason=reason, key=key, actor="test")


def available(store: AnyStore) -> dict[str, int]:
    return {level.location: level.available for level in store.levels("MUG")}


def test_a_receipt_counts_once(store: AnyStore) -> None:
    stocked(store, 5)
    assert receive(store, 3, "asn-1").on_hand == 8
    assert receive(store, 3, "asn-1").on_hand == 8


def test_a_receipts_key_never_books_other_units(store: AnyStore) -> None:
    stocked(store, 5)
    receive(store, 3, "asn-1")
    with pytest.raises(DomainError) as refusal:
        receive(store, 4, "asn-1")
    assert refusal.value.code == "key_reused"


def test_an_adjustment_never_goes_below_what_is_reserved(store: AnyStore) -> None:
    stocked(store, 5)
    store.reserve("o", [allocation(4)], None)
    assert receive(store, -1, "count-1", ADJUSTED).on_hand == 4
    with pytest.raises(DomainError) as refusal:
        receive(store, -1, "count-2", ADJUSTED)
    assert refusal.value.code == "below_reserved"
    assert available(store) == {"A": 0}


def count(store: AnyStore, on_hand: int, key: str = "count-1") -> StockLevel:
    return store.count("MUG", "A", on_hand, key=key, actor="test")


def test_a_count_books_the_difference_once(store: AnyStore) -> None:
    stocked(store, 5)
    assert count(store, 3).on_hand == 3
    receive(store, 4, "asn-1")
    assert count(store, 3).on_hand == 7
    assert count(store, 9, "count-2").on_hand == 9
    with pytest.raises(DomainError) as refusal:
        count(store, 4)
    assert refusal.value.code == "key_reused"
    assert audit(store, NOON) == []


def test_a_count_never_goes_below_what_is_reserved(store: AnyStore) -> None:
    stocked(store, 5)
    accept(store)
    store.reserve("shop-1001", [allocation(3)], None)
    with pytest.raises(DomainError) as refusal:
        count(store, 2)
    assert refusal.value.code == "below_reserved"
    assert count(store, 3).on_hand == 3


def test_units_that_come_in_during_counts_are_neither_lost_nor_doubled(store: AnyStore) -> None:
    stocked(store, 100)
    with ThreadPoolExecutor(8) as pool:
        for n in range(20):
            pool.submit(count, store, 100 + n, f"count-{n}")
            pool.submit(receive, store, 1, f"asn-{n}")
    assert audit(store, NOON) == []


def test_an_unknown_place_receives_nothing(store: AnyStore) -> None:
    with pytest.raises(DomainError) as refusal:
        receive(store, 1, "asn-1")
    assert refusal.value.code == "unknown_location"


def test_reserving_is_all_or_nothing_and_names_every_shortage(store: AnyStore) -> None:
    stocked(store, 5, "A", "B", "C")
    wanted = [allocation(n * 3, n, place=place) for n, place in enumerate("ABC", start=1)]
    short = store.reserve("o", wanted, None)
    assert [(s.location, s.wanted, s.available) for s in short] == [("B", 6, 5), ("C", 9, 5)]
    assert available(store) == {"A": 5, "B": 5, "C": 5}
    assert store.reserved("o") == []


def test_a_repeated_reservation_is_a_no_op(store: AnyStore) -> None:
    stocked(store, 5)
    for _ in range(3):
        assert store.reserve("o", [allocation(3)], None) == ()
    assert available(store) == {"A": 2}


def test_a_repeat_with_one_more_allocation_adds_only_that(store: AnyStore) -> None:
    stocked(store, 5)
    store.reserve("o", [allocation(2)], None)
    store.reserve("o", [allocation(2), allocation(1, 2)], None)
    assert available(store) == {"A": 2}


def test_a_reservations_key_never_means_other_units(store: AnyStore) -> None:
    stocked(store, 5)
    store.reserve("o", [allocation(2)], None)
    with pytest.raises(DomainError) as refusal:
        store.reserve("o", [allocation(3)], None)
    assert refusal.value.code == "reservation_key_reused"


def test_two_lines_of_one_sku_are_counted_together(store: AnyStore) -> None:
    stocked(store, 5)
    lines = [allocation(3, 1, line="l1"), allocation(3, 2, line="l2")]
    assert [(s.wanted, s.available) for s in store.reserve("o", lines, None)] == [(6, 5)]


def test_safety_stock_is_never_promised(store: AnyStore) -> None:
    stocked(store, 5)
    store.set_safety_stock("MUG", "A", 3)
    assert [s.available for s in store.reserve("o", [allocation(3)], None)] == [2]
    assert store.reserve("o", [allocation(2)], None) == ()


def test_reservations_expire_once(store: AnyStore) -> None:
    stocked(store, 5)
    store.reserve("late", [allocation(2)], NOON)
    store.reserve("soon", [allocation(1)], NOON + timedelta(hours=1))
    store.reserve("never", [allocation(1)], None)
    assert store.expire(NOON) == ["late"]
    assert store.expire(NOON) == ()
    assert available(store) == {"A": 3}


def test_a_snapshot_leaves_closed_locations_out(store: AnyStore) -> None:
    stocked(store, 5, "A", "B")
    store.save_location(Location(code="B", active=False))
    assert [level.location for level in store.snapshot(["MUG", "CUP"])] == ["A"]
    assert len(store.levels("MUG")) == 2
    assert store.snapshot([]) == []


def test_a_snapshot_of_a_thousand_skus_is_one_call(store: AnyStore) -> None:
    stocked(store, 5)
    skus = [f"S{number}" for number in range(1000)]
    assert [level.sku for level in store.snapshot([*skus, "MUG"])] == ["MUG"]


def test_receipts_use_up_what_was_announced_soonest_first(store: AnyStore) -> None:
    stocked(store, 0)
    late = Inbound(sku="MUG", location="A", quantity=5, expected_on=date(2026, 4, 1))
    soon = Inbound(sku="MUG", location="A", quantity=5, expected_on=date(2026, 3, 1))
    store.save_inbound(late, "asn-2")
    store.save_inbound(soon, "asn-1")
    store.save_inbound(soon, "asn-1")
    assert store.inbound("MUG") == [soon, late]
    receive(store, 7, "receipt-1")
    receive(store, 7, "receipt-1")
    assert store.inbound("MUG") == [late.model_copy(update={"quantity": 3})]


def test_products_are_listed_page_by_page(store: AnyStore) -> None:
    for number in range(5):
        store.save_product(Product(sku=f"S{number}", title="old"))
    store.save_product(Product(sku="S3", title="new"))
    first, cursor = store.list_products(limit=3)
    rest, end = store.list_products(cursor, limit=3)
    assert [p.sku for p in (*first, *rest)] == ["S0", "S1", "S2", "S3", "S4"]
    assert end == ""
    assert store.products(["S3", "S9"]) == {"S3": Product(sku="S3", title="new")}


def test_locations_are_replaced(store: AnyStore) -> None:
    store.save_location(Location(code="A", name="old"))
    store.save_location(Location(code="A", name="new"))
    assert store.locations() == [Location(code="A", name="new")]


def wait(
    store: AnyStore, number: str, quantity: int, priority: int = 100, sku: str = "MUG"
) -> None:
    accept(store, number)
    entry = Queued(
        order_id=f"shop-{number}", line_id="l1", sku=sku, quantity=quantity, priority=priority,
        since=NOON + timedelta(minutes=int(number)),
    )  # fmt: skip
    store.project(progress(1, external_id=number), queue=[entry])


def test_orders_whose_turn_it_is_come_by_priority_then_age_as_far_as_units_reach(
    store: AnyStore,
) -> None:
    stocked(store, 3, "A", "B")
    stocked(store, 0, sku="CUP")
    wait(store, "1", 4)
    wait(store, "2", 2, priority=50)
    wait(store, "3", 1)
    wait(store, "4", 1, sku="CUP")
    store.set_safety_stock("MUG", "B", 1)
    assert store.servable() == [
        Turn(order_id="shop-2", sku="MUG", free=5),
        Turn(order_id="shop-1", sku="MUG", free=5),
    ]
    assert [turn.order_id for turn in store.servable(limit=1)] == ["shop-2"]
    assert store.servable(sku="CUP") == []


def test_nobodys_turn_comes_by_units_that_are_held_or_lie_in_a_closed_place(
    store: AnyStore,
) -> None:
    stocked(store, 3, "A", "B")
    wait(store, "1", 1)
    store.reserve("shop-9", [allocation(3)], NOON)
    store.save_location(Location(code="B", active=False))
    assert store.servable() == []
    store.expire(NOON)
    assert store.servable() == [Turn(order_id="shop-1", sku="MUG", free=3)]
