"""The operators' list: one row per trouble, page by page, until it is dealt with."""

from datetime import timedelta

import pytest

from domain.errors import DomainError
from tests.store.shop import NOON, AnyStore


def test_open_alerts_come_page_by_page_the_latest_first(store: AnyStore) -> None:
    for n in range(5):
        store.alert("late", f"shop-{n}", "not packed", NOON + timedelta(minutes=n // 2))
    first, cursor = store.list_alerts(limit=3)
    rest, end = store.list_alerts(cursor, limit=3)
    assert [alert.subject for alert in (*first, *rest)] == [f"shop-{n}" for n in (4, 3, 2, 1, 0)]
    assert end == ""
    assert store.close_alert(first[0].alert_id, NOON)
    assert not store.close_alert(first[0].alert_id, NOON)
    assert [alert.subject for alert in store.list_alerts(limit=1)[0]] == ["shop-3"]


@pytest.mark.parametrize("cursor", ["x", "WyJub3ciLCAiMSJd", "WyIyMDI2LTAzLTAxIiwgIngiXQ"])
def test_a_made_up_cursor_is_refused(store: AnyStore, cursor: str) -> None:
    with pytest.raises(DomainError) as refusal:
        store.list_alerts(cursor)
    assert refusal.value.code == "bad_cursor"
