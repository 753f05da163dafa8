"""The audit of effects, messages, and alerts."""

from datetime import UTC, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.errors import EffectRefused
from store.database import SqlStore
from tests.store.shop import NOON, AnyStore, accept, progress, stocked, tamper

AMOUNT = {"amount": "100", "currency": "EUR"}


def test_an_effect_is_written_before_and_after(store: AnyStore) -> None:
    store.intend("o", "capture:1", "capture", AMOUNT)
    assert store.outcome("o", "capture:1") is None
    store.conclude("o", "capture:1", "done", {"id": "ch_1"})
    assert store.outcome("o", "capture:1") == ("done", {"id": "ch_1"})
    assert [(row["phase"], row["kind"]) for row in store.effects("o")] == [
        ("intent", "capture"),
        ("done", "capture"),
    ]


def test_repeats_write_nothing(store: AnyStore) -> None:
    for _ in range(2):
        store.intend("o", "capture:1", "capture", AMOUNT)
    for _ in range(2):
        store.conclude("o", "capture:1", "done", {})
    assert len(store.effects("o")) == 2


def test_a_key_used_for_another_effect_is_refused_and_told(store: AnyStore) -> None:
    store.intend("o", "capture:1", "capture", AMOUNT)
    with pytest.raises(EffectRefused) as refusal:
        store.intend("o", "capture:1", "capture", {**AMOUNT, "amount": "999"})
    assert refusal.value.code == "key_reused"
    assert [(alert["kind"], alert["subject"]) for alert in store.alerts()] == [("key_reused", "o")]


@pytest.mark.usefixtures("own_database")
@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM effect WHERE seq = 2",
        "DELETE FROM effect WHERE seq = 4",
        "DELETE FROM effect",
        "UPDATE effect SET phase = 'declined' WHERE seq = 2",
        "UPDATE effect SET detail = '{}' WHERE seq = 1",
    ],
)
def test_a_removed_or_changed_row_is_found(sql_store: SqlStore, damage: str) -> None:
    for number in (1, 2):
        sql_store.intend("o", f"capture:{number}", "capture", AMOUNT)
        sql_store.conclude("o", f"capture:{number}", "done", {})
    assert sql_store.verify_chain("o")
    tamper(sql_store, damage)
    assert not sql_store.verify_chain("o")


@pytest.mark.parametrize("table", ["effect", "stock_movement", "status_change"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET order_id = 'x'"])
def test_ledgers_refuse_changes(sql_store: SqlStore, table: str, change: str) -> None:
    stocked(sql_store, 5)
    accept(sql_store)
    sql_store.project(progress(1))
    sql_store.intend("shop-1001", "capture:1", "capture", AMOUNT)
    with (
        pytest.raises(DBAPIError, match="append-only"),
        sql_store.database.engine.begin() as connection,
    ):
        connection.execute(text(change.format(table)))


def test_a_message_is_claimed_once_and_settled(store: AnyStore) -> None:
    assert store.claim("o", "shipped", 1)
    assert not store.claim("o", "shipped", 1)
    assert store.claim("o", "shipped", 2)
    store.settle("o", "shipped", 1, "sent")
    rows = [(row["no"], row["outcome"]) for row in store.messages("o")]
    assert rows == [(1, "sent"), (2, "")]


def test_a_message_that_certainly_did_not_go_out_can_be_claimed_again(store: AnyStore) -> None:
    store.claim("o", "shipped", 1)
    store.settle("o", "shipped", 1, "not_sent")
    assert store.claim("o", "shipped", 1)
    assert not store.claim("o", "shipped", 1)
    for outcome in ("sent", "refused", "unknown"):
        store.settle("o", "shipped", 1, outcome)
        assert not store.claim("o", "shipped", 1)


def test_a_repeated_alert_is_counted_until_it_is_closed(store: AnyStore) -> None:
    for minute in range(3):
        store.alert("stuck", "o", f"minute {minute}", NOON + timedelta(minutes=minute))
    (alert,) = store.alerts()
    assert (alert["count"], alert["text"], alert["first_at"]) == (3, "minute 2", NOON)
    assert store.close_alert(alert["alert_id"], NOON)
    assert not store.close_alert(alert["alert_id"], NOON)
    store.alert("stuck", "o", "again", NOON)
    assert [alert["count"] for alert in store.alerts()] == [1]


def test_times_come_back_aware(store: AnyStore) -> None:
    store.intend("o", "k", "capture", {})
    store.claim("o", "shipped", 1)
    assert store.effects("o")[0]["at"].tzinfo is UTC
    assert store.messages("o")[0]["claimed_at"].tzinfo is UTC
