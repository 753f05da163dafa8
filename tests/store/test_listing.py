"""The order list: filters, and a cursor that never skips or repeats."""

from datetime import timedelta

import pytest

from domain.errors import DomainError
from domain.holds import Expiry, Hold, HoldKind
from domain.order import Customer
from domain.progress import OrderStatus
from ports.stores import OrderFilter
from store.cursors import cursor_of
from tests.store.shop import NOON, AnyStore, accept, progress


def ids(store: AnyStore, **where: object) -> list[str]:
    return [row.order_id for row in store.list(OrderFilter(**where)).rows]


def place(store: AnyStore, number: int, minute: int) -> None:
    accept(store, str(number), placed_at=NOON + timedelta(minutes=minute))


def test_newest_first_page_by_page_while_orders_come_in(store: AnyStore) -> None:
    for number in range(7):
        place(store, number, number // 2)
    seen, cursor, newest = [], "", 100
    while True:
        page = store.list(OrderFilter(), cursor, limit=2)
        seen += [row.order_id for row in page.rows]
        place(store, newest, newest)
        cursor, newest = page.next_cursor, newest + 1
        if not cursor:
            break
    assert seen == [f"shop-{number}" for number in (6, 5, 4, 3, 2, 1, 0)]


def test_filters_narrow_the_list(store: AnyStore) -> None:
    for number in (1, 2, 3):
        place(store, number, number)
    hold = Hold(
        hold_id="h",
        kind=HoldKind.FRAUD_REVIEW,
        reason="",
        placed_by="",
        placed_at=NOON,
        expires_at=NOON,
        on_expiry=Expiry.RELEASE,
    )
    store.project(progress(1, OrderStatus.ON_HOLD, external_id="2", holds=(hold,)))
    assert ids(store, status="on_hold") == ["shop-2"]
    assert ids(store, hold="fraud_review") == ["shop-2"]
    assert ids(store, hold="fraud") == []
    assert ids(store, sku="MUG") == ["shop-3", "shop-2", "shop-1"]
    assert ids(store, sku="CUP") == []
    assert ids(store, channel="other") == []
    assert ids(store, channels=("shop", "other"), status="received") == ["shop-3", "shop-1"]
    assert store.list(OrderFilter(status="on_hold")).rows[0].holds == ("fraud_review",)


@pytest.mark.parametrize("q", ["#7", "shop-7", "ann@example.com", "LEE ann", "  7 "])
def test_a_search_finds_id_number_mail_and_name(store: AnyStore, q: str) -> None:
    accept(store, "7")
    accept(store, "8", customer=Customer(email="bob@x.org", name="Bob"), ship_to=None)
    assert ids(store, q=q) == ["shop-7"]


@pytest.mark.parametrize("q", ["%", "_", "\\", "100%"])
def test_a_search_takes_wildcards_literally(store: AnyStore, q: str) -> None:
    accept(store, "7")
    assert ids(store, q=q) == []


@pytest.mark.parametrize(
    "cursor",
    ["x", "####", "é", cursor_of("1"), cursor_of("now", "o"), cursor_of("a", "b", "c"), "W10" * 9],
)
def test_a_forged_cursor_is_refused(store: AnyStore, cursor: str) -> None:
    with pytest.raises(DomainError) as refusal:
        store.list(OrderFilter(), cursor)
    assert refusal.value.code == "bad_cursor"


def test_a_cursor_fits_into_an_address(store: AnyStore) -> None:
    for number in range(3):
        place(store, number, number)
    cursor = store.list(OrderFilter(), limit=1).next_cursor
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_the_newest_orders_come_whole(store: AnyStore) -> None:
    for number in range(3):
        place(store, number, number)
    assert [o.external_id for o in store.recent(2)] == ["2", "1"]
