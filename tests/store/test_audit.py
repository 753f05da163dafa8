"""The audit finds what was tampered with, and is silent about a sound shop."""

from datetime import timedelta

import pytest

from domain.holds import Expiry, Hold, HoldKind
from domain.order import OrderLine, Totals
from domain.progress import (
    LineProgress,
    LineUnits,
    MoneyProgress,
    OrderProgress,
    OrderStatus,
    ReturnProgress,
    ReturnStatus,
    ShipmentStatus,
)
from domain.stock import StockAction
from domain.units import Units
from store.database import SqlStore
from tests.store.shop import (
    NOON,
    AnyStore,
    accept,
    allocation,
    audit,
    events,
    move,
    progress,
    shipment,
    stocked,
    tamper,
)

CAPTURED = MoneyProgress(currency="EUR", captured=3000, provider="stripe")
LATER = NOON + timedelta(hours=2)


def sold(units: Units) -> tuple[LineProgress, ...]:
    return (LineProgress(line_id="l1", sku="MUG", units=units, total=3000, collect=3000),)


@pytest.fixture
def shop(store: AnyStore) -> AnyStore:
    """A sound shop in a store of each kind."""
    return sound(store)


def sound(store: AnyStore) -> AnyStore:
    """One order sold and delivered whole, and one that waits on hold with three reserved."""
    stocked(store, 10)
    for external_id in ("1001", "1002"):
        accept(store, external_id)
        store.reserve(f"shop-{external_id}", [allocation(3)], None)
    store.intend("shop-1001", "capture:1", "capture", {"amount": "3000"})
    store.conclude("shop-1001", "capture:1", "done", {})
    store.claim("shop-1001", "shipped", 1)
    store.settle("shop-1001", "shipped", 1, "sent")
    gone = progress(
        1,
        OrderStatus.SHIPPED,
        money=CAPTURED,
        lines=sold(Units(shipped=3)),
        shipments=(shipment(status=ShipmentStatus.HANDED_OVER, value=3000),),
    )
    store.project(gone, events(1), [move(StockAction.CONSUME, 3, "s-1")])
    done = gone.model_copy(
        update={
            "version": 2,
            "status": OrderStatus.COMPLETED,
            "lines": sold(Units(delivered=3)),
            "shipments": (shipment(status=ShipmentStatus.DELIVERED, value=3000),),
        }
    )
    store.project(done, events(2))
    store.project(waiting(1))
    return store


def waiting(version: int) -> OrderProgress:
    hold = Hold(
        hold_id="h",
        kind=HoldKind.FRAUD_REVIEW,
        reason="",
        placed_by="",
        placed_at=NOON,
        expires_at=NOON + timedelta(days=1),
        on_expiry=Expiry.REJECT,
    )
    lines = sold(Units(reserved=3))
    status = OrderStatus.ON_HOLD
    return progress(version, status, external_id="1002", holds=(hold,), lines=lines)


def found(store: AnyStore, hours: int = 2) -> set[tuple[str, str]]:
    return {(v.invariant, v.subject) for v in audit(store, NOON + timedelta(hours=hours))}


def test_a_sound_shop_has_no_audit(shop: AnyStore) -> None:
    assert audit(shop, LATER) == []


@pytest.mark.usefixtures("own_database")
@pytest.mark.parametrize(
    ("damage", "invariant", "subject"),
    [
        ("UPDATE stock_level SET reserved = 99", "S1", "MUG@A"),
        ("UPDATE stock_level SET on_hand = on_hand + 1", "S2", "MUG@A"),
        ("UPDATE stock_level SET reserved = 2", "S2", "MUG@A"),
        ("DELETE FROM stock_movement WHERE reason = 'shipped'", "S2", "MUG@A"),
        ("DELETE FROM stock_level", "S2", "MUG@A"),
        (
            "UPDATE reservation SET remaining = 1, state = 'held' WHERE order_id = 'shop-1001'",
            "S3",
            "shop-1001",
        ),
        (
            "UPDATE reservation SET order_id = 'shop-9' WHERE order_id = 'shop-1002'",
            "S3",
            "shop-9",
        ),
        ("UPDATE reservation SET consumed = 4 WHERE order_id = 'shop-1001'", "S4", "shop-1001"),
        ("UPDATE order_line SET ordered = 9 WHERE order_id = 'shop-1002'", "H2", "shop-1002"),
        (
            "UPDATE order_line SET shipped = 1, reserved = 2 WHERE order_id = 'shop-1002'",
            "L6",
            "shop-1002",
        ),
        ("UPDATE projection SET captured = 1 WHERE order_id = 'shop-1001'", "L6", "shop-1001"),
        ("UPDATE projection SET refunded = 9999 WHERE order_id = 'shop-1001'", "M2", "shop-1001"),
        (
            "UPDATE status_change SET before = 'delivered' WHERE version = 2",
            "L2",
            "shop-1001",
        ),
        ("DELETE FROM status_change WHERE version = 2", "L2", "shop-1001"),
        ("DELETE FROM status_change WHERE order_id = 'shop-1002'", "L2", "shop-1002"),
        (
            "INSERT INTO status_change VALUES "
            "('shop-1001', 3, 'completed', 'processing', '2026-03-01 12:00:00')",
            "L1",
            "shop-1001",
        ),
        ("UPDATE message SET outcome = '', claimed_at = '2026-03-01 00:00:00'", "N1", "shop-1001"),
        ("DELETE FROM effect WHERE phase = 'done'", "A1", "shop-1001"),
        ("DELETE FROM effect", "A1", "shop-1001"),
        ("UPDATE orders SET total = 2999 WHERE order_id = 'shop-1002'", "M6", "shop-1002"),
    ],
)
def test_tampered_rows_are_found(
    sql_store: SqlStore, damage: str, invariant: str, subject: str
) -> None:
    sound(sql_store)
    tamper(sql_store, damage.replace(" before =", ' "before" ='))
    assert (invariant, subject) in found(sql_store)


def test_an_order_that_nobody_began_is_found(shop: AnyStore) -> None:
    accept(shop, "1003")
    assert found(shop, hours=0) == set()
    assert ("L5", "shop-1003") in found(shop)


def test_a_hold_whose_deadline_passed_is_found(shop: AnyStore) -> None:
    assert found(shop, hours=24) == set()
    assert found(shop, hours=26) == {("L5", "shop-1002")}


def test_an_order_that_waits_for_nothing_is_found(shop: AnyStore) -> None:
    shop.project(waiting(2).model_copy(update={"holds": ()}))
    assert found(shop) == {("L5", "shop-1002")}


def test_a_return_window_that_never_ends_is_found(shop: AnyStore) -> None:
    accept(shop, "1003")
    delivered = progress(
        1, OrderStatus.DELIVERED, external_id="1003", lines=sold(Units(delivered=3))
    )
    shop.project(delivered)
    assert found(shop) == {("L5", "shop-1003")}
    ends = delivered.model_copy(update={"version": 2, "return_until": NOON + timedelta(days=3)})
    shop.project(ends)
    assert found(shop) == set()


def test_more_shipped_or_returned_than_there_is_is_found(shop: AnyStore) -> None:
    twice = (
        shipment("shop-1002-s1", status=ShipmentStatus.IN_TRANSIT),
        shipment("shop-1002-s2", status=ShipmentStatus.DELIVERED),
    )
    shop.project(waiting(2).model_copy(update={"shipments": twice}))
    assert found(shop) == {("H2", "shop-1002")}
    back = ReturnProgress(
        return_id="shop-1002-r1",
        lines=(LineUnits(line_id="l1", quantity=1),),
        status=ReturnStatus.RECEIVED,
    )
    shop.project(waiting(3).model_copy(update={"returns": (back,)}))
    assert found(shop) == {("H2", "shop-1002")}


def test_money_kept_after_a_cancel_is_found(shop: AnyStore) -> None:
    shop.project(
        progress(
            2,
            OrderStatus.CANCELLED,
            external_id="1002",
            money=CAPTURED,
            lines=sold(Units(cancelled=3)),
        ),
        (),
        [move(StockAction.RELEASE, 3, "r-1")],
    )
    assert found(shop) == {("M5", "shop-1002")}


def test_money_kept_for_goods_that_came_back_is_found(shop: AnyStore) -> None:
    (line,) = sold(Units(delivered=2, cancelled=1))
    shop.project(
        progress(2, OrderStatus.COMPLETED, external_id="1002", money=CAPTURED, lines=(line,)),
        (),
        [move(StockAction.CONSUME, 2, "s-1"), move(StockAction.RELEASE, 1, "r-1")],
    )
    assert found(shop) == {("M5", "shop-1002")}
    money = CAPTURED.model_copy(update={"refunded": 1000})
    shop.project(progress(3, OrderStatus.COMPLETED, external_id="1002", money=money, lines=(line,)))
    assert found(shop) == set()


def test_units_cancelled_before_we_took_the_order_are_no_violation(shop: AnyStore) -> None:
    some, all_of_it = (
        OrderLine(line_id=f"l{n}", sku="MUG", quantity=3, unit_price=1000, already_cancelled=gone)
        for n, gone in ((1, 1), (2, 3))
    )
    totals = Totals(subtotal=6000, total=6000)
    accept(shop, "1003", lines=(some, all_of_it), totals=totals)
    line = LineProgress(
        line_id="l1", sku="MUG", units=Units(delivered=2, cancelled=1), total=3000, collect=2000,
        before=1,
    )  # fmt: skip
    money = CAPTURED.model_copy(update={"captured": 2000})
    done = progress(1, OrderStatus.DELIVERED, external_id="1003", money=money, lines=(line,))
    shop.project(done.model_copy(update={"return_until": NOON + timedelta(days=9)}))
    shop.project(done.model_copy(update={"version": 2, "status": OrderStatus.COMPLETED}))
    assert found(shop) == set()


def test_an_effect_without_an_outcome_is_found_when_the_order_ended(shop: AnyStore) -> None:
    shop.intend("shop-1002", "capture:1", "capture", {})
    assert found(shop) == set()
    shop.intend("shop-1001", "refund:1", "refund", {})
    assert found(shop) == {("A1", "shop-1001")}
