"""The projection mirrors the process: never back, and each move and event once."""

from datetime import date, timedelta

import pytest

from domain.errors import DomainError
from domain.holds import Expiry, Hold, HoldKind
from domain.progress import (
    LineUnits,
    MoneyProgress,
    OrderStatus,
    ReturnProgress,
    ShipmentStatus,
)
from domain.stock import MovementReason, Queued, StockAction
from domain.units import Units
from ports.stores import OrderFilter
from tests.store.shop import (
    NOON,
    AnyStore,
    accept,
    allocation,
    events,
    move,
    order,
    progress,
    shipment,
    stocked,
)

RELEASE, COMMIT = StockAction.RELEASE, StockAction.COMMIT
CONSUME, RESTOCK = StockAction.CONSUME, StockAction.RESTOCK


@pytest.fixture
def shop(store: AnyStore) -> AnyStore:
    """An accepted order of three, reserved from ten."""
    stocked(store, 10)
    accept(store)
    store.reserve("shop-1001", [allocation(3)], NOON + timedelta(days=1))
    return store


def level(store: AnyStore, place: str = "A") -> tuple[int, int]:
    return next((s.on_hand, s.reserved) for s in store.levels("MUG") if s.location == place)


def test_a_projection_comes_back_whole(shop: AnyStore) -> None:
    hold = Hold(
        hold_id="h1",
        kind=HoldKind.GRACE,
        reason="grace",
        placed_by="waybill",
        placed_at=NOON,
        expires_at=NOON + timedelta(minutes=30),
        on_expiry=Expiry.RELEASE,
    )
    picture = progress(
        1, OrderStatus.ON_HOLD, holds=(hold,), shipments=(shipment(),), promise=date(2026, 3, 9)
    )
    shop.project(picture, events(1, 2))
    assert shop.get("shop-1001").progress == picture
    assert shop.timeline("shop-1001") == events(1, 2)


def test_an_older_version_never_overwrites(shop: AnyStore) -> None:
    newer = progress(5, OrderStatus.SHIPPED, Units(shipped=3))
    shop.project(newer, events(3))
    shop.project(progress(4), events(2))
    shop.project(progress(5), events(1))
    assert shop.get("shop-1001").progress == newer
    assert [event.no for event in shop.timeline("shop-1001")] == [1, 2, 3]


def test_a_step_done_again_is_what_counts_and_its_lost_first_try_never_comes_back(
    shop: AnyStore,
) -> None:
    lost, again = progress(5, OrderStatus.ON_HOLD), progress(5, OrderStatus.PROCESSING)
    first, second = events(1)[0], events(1)[0].model_copy(update={"at": NOON + timedelta(hours=1)})
    for picture, told in ((lost, first), (again, second), (lost, first)):
        shop.project(picture, [told])
    assert shop.get("shop-1001").progress == again
    assert shop.timeline("shop-1001") == [first]


def test_a_repeated_projection_moves_nothing_twice(shop: AnyStore) -> None:
    for _ in range(3):
        shop.project(progress(1), events(1), [move(CONSUME, 2, "ship-1")])
    assert level(shop) == (8, 1)
    assert len(shop.timeline("shop-1001")) == 1


def test_an_event_stays_as_it_was_first_written(shop: AnyStore) -> None:
    (event,) = events(1)
    shop.project(progress(1), [event])
    shop.project(progress(2), [event.model_copy(update={"text": "something else"})])
    assert shop.timeline("shop-1001") == [event]


def test_an_older_version_still_applies_its_moves(shop: AnyStore) -> None:
    shop.project(progress(2))
    shop.project(progress(1), (), [move(CONSUME, 1, "ship-1")])
    assert level(shop) == (9, 2)


def test_released_units_are_free_again_and_only_once(shop: AnyStore) -> None:
    shop.project(progress(1), (), [move(RELEASE, 3, "r-1")])
    shop.project(progress(2), (), [move(RELEASE, 3, "r-2")])
    assert level(shop) == (10, 0)
    assert shop.reserved("shop-1001") == []


def test_a_late_release_leaves_a_reservation_alone_that_was_made_since(shop: AnyStore) -> None:
    shop.expire(NOON + timedelta(days=9))
    shop.reserve("shop-1001", [allocation(3, n=2)], NOON + timedelta(days=30))
    late = move(RELEASE, 3, "r-1").model_copy(update={"before": 2})
    shop.project(progress(1), (), [late])
    assert [a.quantity for a in shop.reserved("shop-1001")] == [3]


def test_committed_units_do_not_expire(shop: AnyStore) -> None:
    shop.project(progress(1), (), [move(COMMIT, 3, "c-1")])
    assert shop.expire(NOON + timedelta(days=9)) == ()
    assert [a.quantity for a in shop.reserved("shop-1001")] == [3]


def test_a_split_reservation_keeps_its_sum(shop: AnyStore) -> None:
    shop.project(progress(1), (), [move(CONSUME, 1, "s-1"), move(RELEASE, 1, "r-1")])
    assert [a.quantity for a in shop.reserved("shop-1001")] == [1]
    assert level(shop) == (9, 1)


def test_leaving_goods_use_up_what_is_committed_first(shop: AnyStore) -> None:
    shop.reserve("shop-1001", [allocation(2, n=2)], NOON + timedelta(days=1))
    shop.project(progress(1), (), [move(COMMIT, 3, "c-1"), move(CONSUME, 3, "s-1")])
    assert [(a.n, a.quantity) for a in shop.reserved("shop-1001")] == [(2, 2)]


def test_returned_units_lie_on_the_shelf_again_even_where_none_lay(shop: AnyStore) -> None:
    shop.project(progress(1), (), [move(CONSUME, 3, "s-1")])
    back = [move(RESTOCK, 2, "b-1"), move(RESTOCK, 1, "b-2", place="RETURNS")]
    shop.project(progress(2), (), back)
    assert level(shop) == (9, 0)
    assert level(shop, "RETURNS") == (1, 0)


def test_units_that_left_unreserved_never_eat_what_others_hold(shop: AnyStore) -> None:
    accept(shop, "1002")
    shop.reserve("shop-1002", [allocation(7)], None)
    shop.project(progress(1), (), [move(CONSUME, 5, "s-1")])
    assert level(shop) == (7, 7)
    assert [alert["kind"] for alert in shop.alerts()] == ["stock_mismatch"]


def test_units_that_left_unreserved_come_off_free_stock(shop: AnyStore) -> None:
    shop.project(progress(1), (), [move(CONSUME, 5, "s-1")])
    assert level(shop) == (5, 0)
    assert shop.alerts() == []


def test_two_orders_may_use_the_same_key(shop: AnyStore) -> None:
    accept(shop, "1002")
    shop.reserve("shop-1002", [allocation(2)], None)
    shop.project(progress(1), (), [move(CONSUME, 3, "1")])
    shop.project(progress(1, external_id="1002"), (), [move(CONSUME, 2, "1")])
    assert level(shop) == (5, 0)


def test_the_queue_is_replaced_whole(shop: AnyStore) -> None:
    waits = Queued(order_id="shop-1001", line_id="l1", sku="MUG", quantity=2, since=NOON)
    first = waits.model_copy(update={"order_id": "shop-1002", "priority": 1})
    accept(shop, "1002")
    shop.project(progress(1), queue=[waits])
    shop.project(progress(1, external_id="1002"), queue=[first])
    assert shop.waiting("MUG") == [first, waits]
    shop.project(progress(2))
    assert len(shop.waiting("MUG")) == 2
    shop.project(progress(3), queue=[])
    assert shop.waiting("MUG") == [first]


def test_parcels_and_returns_lead_to_their_order(shop: AnyStore) -> None:
    back = ReturnProgress(
        return_id="shop-1001-r1",
        lines=(LineUnits(line_id="l1", quantity=1),),
        tracking_number="BACK1",
    )
    sent = shipment(tracking_number="TRACK1", status=ShipmentStatus.HANDED_OVER)
    shop.project(progress(1, shipments=(shipment(),)))
    shop.project(progress(2, shipments=(sent,), returns=(back,)))
    assert shop.order_of_shipment("shop-1001-s1") == "shop-1001"
    assert shop.order_of_return("shop-1001-r1") == "shop-1001"
    assert shop.order_of_return("nobody") is None
    assert shop.subject_of("TRACK1") == ("shop-1001", "shop-1001-s1")
    assert shop.subject_of("BACK1") == ("shop-1001", "shop-1001-r1")


def test_payments_lead_to_their_order(shop: AnyStore) -> None:
    shop.intend("shop-1001", "a:1", "payment.authorise", {})
    shop.conclude("shop-1001", "a:1", "done", {"reference": "pi_ours"})
    assert shop.order_of_payment("pi_1001") == "shop-1001"
    assert shop.order_of_payment("pi_ours") == "shop-1001"
    assert shop.order_of_payment("pi_nobody") is None


def test_more_refunded_than_captured_is_refused_by_the_database(shop: AnyStore) -> None:
    money = MoneyProgress(currency="EUR", captured=100, refunded=101)
    with pytest.raises(DomainError) as refusal:
        shop.project(progress(1, money=money), events(1), [move(RELEASE, 3, "r-1")])
    assert refusal.value.code == "broken_invariant"
    assert shop.timeline("shop-1001") == []
    assert level(shop) == (10, 3)


def test_an_order_that_was_never_accepted_is_refused(store: AnyStore) -> None:
    with pytest.raises(DomainError) as refusal:
        store.project(progress(1), events(1))
    assert refusal.value.code == "unknown_order"


def test_a_new_address_leaves_the_accepted_order_alone(shop: AnyStore) -> None:
    moved = order().ship_to.model_copy(update={"line1": "2 Low St"})
    shop.change_address("shop-1001", moved, NOON)
    stored = shop.get("shop-1001")
    assert (stored.ship_to, stored.order) == (moved, order())


def test_edited_lines_replace_the_order(shop: AnyStore) -> None:
    line = order().lines[0]
    added = line.model_copy(update={"line_id": "l2", "sku": "CUP", "quantity": 1})
    edited = order(lines=(line, added))
    shop.change_lines("shop-1001", edited, NOON)
    shop.change_lines("shop-1001", edited, NOON)
    assert shop.get("shop-1001").order == edited
    assert len(shop.list(OrderFilter(sku="CUP")).rows) == 1


def _sku(sku: str):
    from ports.stores import OrderFilter

    return OrderFilter(sku=sku)


def test_a_twin_of_an_order_is_found(shop: AnyStore) -> None:
    accept(shop, "1002")
    accept(shop, "1003", quantity=4)
    assert shop.duplicates(order("1002"), NOON - timedelta(minutes=10)) == ["shop-1001"]
    assert shop.duplicates(order("1002"), NOON + timedelta(minutes=10)) == []


def test_movements_of_an_order_are_in_the_ledger(shop: AnyStore) -> None:
    level_now = shop.receive(
        "MUG", "A", 5, reason=MovementReason.RECEIPT, key="asn-1", actor="dock"
    )
    assert (level_now.on_hand, level_now.reserved) == (15, 3)
