"""Erasing a customer: what names or finds them goes, in every place; money and stock stay (A3)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from domain.holds import Expiry, Hold, HoldKind
from domain.progress import (
    LineUnits,
    OrderStatus,
    ReturnProgress,
    ShipmentStatus,
    TimelineEvent,
)
from domain.stock import StockAction
from domain.units import Units
from ports.carriers import Scan, TrackingState
from ports.stores import OrderFilter
from store.tables import metadata
from tests.store.shop import (
    NOON,
    AnyStore,
    accept,
    allocation,
    audit,
    delivery,
    move,
    order,
    progress,
    rows,
    shipment,
    stocked,
)

WORD = "Ann"
LEDGERS = ("stock_level", "stock_movement", "reservation", "effect", "status_change", "order_line")


def everything(store: AnyStore, *tables: str) -> str:
    """Return what stands in the tables (all when none is named), labels' pixels included."""
    with rows(store) as connection:
        return "\n".join(
            str(tuple(row))
            for table in metadata.sorted_tables
            if not tables or table.name in tables
            for row in connection.execute(select(table))
        )


@pytest.fixture
def shop(store: AnyStore) -> AnyStore:
    """An order that ended, with Ann's name in every place that holds free text."""
    stocked(store, 10)
    store.park_cancel(delivery("7", "c-7"), "Ann changed her mind", NOON)
    accept(store, "7", note="for Ann", attributes={"gift": "Ann"})
    store.change_lines("shop-7", order("7", quantity=5), NOON)
    store.save_label("s1", "shop-7", "T1", b"Ann Lee")
    store.add_scans(
        "TestPost", "T1", [Scan(state=TrackingState.DELIVERED, at=NOON, signed_by="Ann Lee")]
    )
    store.alert("hold_overdue", "shop-7", "ops hold is overdue: Ann calls back", NOON)
    store.begin("key", "place", "hash", NOON)
    store.finish("key", "place", 200, '{"order_id":"shop-7","holds":[{"reason":"Ann calls"}]}')
    store.reserve("shop-7", [allocation(3)], None)
    store.intend("shop-7", "capture:1", "capture", {"amount": "3000"})
    store.conclude("shop-7", "capture:1", "done", {})
    hold = Hold(
        hold_id="h", kind=HoldKind.OPS, reason="Ann calls back", placed_by="api:desk",
        placed_at=NOON, expires_at=NOON, on_expiry=Expiry.RELEASE,
    )  # fmt: skip
    units = (LineUnits(line_id="l1", quantity=1),)
    parcel = shipment(
        "s1", tracking_number="T1", signed_by="Ann Lee", status=ShipmentStatus.DELIVERED
    )
    said = TimelineEvent(
        no=1, kind="units.cancelled", at=NOON, actor="api:desk", text="1 units: Ann asked"
    )
    picture = progress(
        1,
        OrderStatus.DELIVERED,
        units=Units(delivered=3),
        external_id="7",
        holds=(hold,),
        shipments=(parcel,),
        returns=(ReturnProgress(return_id="r1", lines=units, reason="Ann is too small"),),
        cancel_reason="Ann asked",
    )
    store.project(picture, [said], [move(StockAction.CONSUME, 3, "s-1")])
    ended = picture.model_copy(update={"version": 2, "status": OrderStatus.COMPLETED})
    store.project(ended)
    return store


def test_an_erased_customer_is_nowhere_in_the_database(shop: AnyStore) -> None:
    assert WORD in everything(shop)
    assert shop.erase_customer("ANN@example.com", NOON).erased == ("shop-7",)
    left = everything(shop)
    assert WORD not in left
    assert "ann@" not in left.lower()
    assert shop.label("s1") is None
    assert shop.list(OrderFilter(q="ann")).rows == ()


def test_money_stock_and_what_happened_stay(shop: AnyStore) -> None:
    before, broken = everything(shop, *LEDGERS), audit(shop, NOON)
    shop.erase_customer("ann@example.com", NOON)
    assert everything(shop, *LEDGERS) == before
    assert audit(shop, NOON) == broken
    stored = shop.get("shop-7")
    assert stored is not None
    assert stored.progress is not None
    assert (stored.order.totals, stored.order.lines[0].sku) == (order("7", 5).totals, "MUG")
    assert stored.ship_to is not None
    assert stored.ship_to.country == "DE"
    (event,) = shop.timeline("shop-7")
    assert (event.kind, event.actor, event.at, event.text) == (
        "units.cancelled", "api:desk", NOON, "",
    )  # fmt: skip


def test_an_erased_order_is_still_taken_only_once(shop: AnyStore) -> None:
    shop.erase_customer("ann@example.com", NOON)
    assert shop.accept(delivery("7"), order("7")).intake == "repeat"
    assert shop.begin("key", "place", "hash", NOON) == (200, "")
    assert shop.verify_chain("shop-7")


def test_an_order_that_has_not_ended_keeps_its_address_and_is_named(shop: AnyStore) -> None:
    accept(shop, "8")
    found = shop.erase_customer("ann@example.com", NOON + timedelta(days=1))
    assert (found.erased, found.still_open) == (("shop-7",), ("shop-8",))
    stored = shop.get("shop-8")
    assert stored is not None
    assert stored.ship_to is not None
    assert stored.ship_to.name == "Ann Lee"
    assert shop.erase_customer("ann@example.com", NOON).erased == ()
