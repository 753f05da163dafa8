"""Keys, idempotent requests, links, policy versions, labels and scans."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.errors import DomainError
from domain.policy import Policy
from ports.carriers import Scan, TrackingState
from ports.stores import ApiKey
from tests.store.shop import NOON, AnyStore

KEY = ApiKey(key_id="k1", prefix="wb_1", name="shop", scopes=("orders:read",), channels=("shop",))


def test_a_live_key_is_found_by_its_hash_alone(store: AnyStore) -> None:
    store.add_key(KEY, "hash")
    assert store.key("hash", NOON) == KEY.model_copy(update={"last_used_at": NOON})
    assert store.key("other", NOON) is None


def test_the_use_of_a_key_is_noted_once_a_minute(store: AnyStore) -> None:
    store.add_key(KEY, "hash")
    for second in (0, 59, 60):
        store.key("hash", NOON + timedelta(seconds=second))
        expected = NOON + timedelta(seconds=60 if second == 60 else 0)
        assert store.keys()[0].last_used_at == expected


def test_revoked_and_expired_keys_are_dead(store: AnyStore) -> None:
    store.add_key(KEY, "revoked")
    expired = {"key_id": "k2", "expires_at": NOON}
    store.add_key(KEY.model_copy(update=expired), "expired")
    store.revoke("k1")
    assert store.key("revoked", NOON) is None
    assert store.key("expired", NOON) is None
    assert store.key("expired", NOON - timedelta(seconds=1)) is not None


def test_a_repeated_request_gets_the_first_answer(store: AnyStore) -> None:
    assert store.begin("ann", "k", "body", NOON) is None
    assert store.begin("ann", "k", "body", NOON) == (0, "")
    store.finish("ann", "k", 201, "made")
    assert store.begin("ann", "k", "body", NOON) == (201, "made")
    assert store.begin("bob", "k", "other", NOON) is None


def test_a_request_key_never_carries_another_body(store: AnyStore) -> None:
    store.begin("ann", "k", "body", NOON)
    with pytest.raises(DomainError) as refusal:
        store.begin("ann", "k", "other", NOON)
    assert refusal.value.code == "idempotency_key_reused"


def test_a_failed_or_abandoned_request_may_be_tried_again(store: AnyStore) -> None:
    store.begin("ann", "k", "body", NOON)
    store.forget("ann", "k")
    assert store.begin("ann", "k", "body", NOON) is None
    assert store.begin("ann", "k", "body", NOON + timedelta(seconds=14)) == (0, "")
    assert store.begin("ann", "k", "body", NOON + timedelta(seconds=15)) is None
    assert store.begin("ann", "k", "body", NOON + timedelta(seconds=29)) == (0, "")


def test_a_link_is_used_once(store: AnyStore) -> None:
    assert store.use_once("nonce", NOON)
    assert not store.use_once("nonce", NOON)


def test_policy_versions_are_for_ever(store: AnyStore) -> None:
    assert store.policy() == (0, Policy())
    first, second = Policy(note="one"), Policy(note="two")
    assert store.save_policy(first, "ann", NOON) == 1
    assert store.save_policy(second, "ann", NOON) == 2
    assert store.policy() == (2, second)
    assert store.policy(1) == (1, first)
    with pytest.raises(DomainError) as refusal:
        store.policy(3)
    assert refusal.value.code == "unknown_policy"


def test_a_label_is_replaced(store: AnyStore) -> None:
    store.save_label("s1", "o", "OLD", b"%PDF old")
    store.save_label("s1", "o", "NEW", b"%PDF new")
    assert store.label("s1") == ("NEW", b"%PDF new")
    assert store.label("s2") is None
    assert store.subject_of("NEW") == ("o", "s1")
    assert store.subject_of("OLD") is None
    assert store.subject_of("") is None


def test_scans_are_a_set(store: AnyStore) -> None:
    late = Scan(state=TrackingState.DELIVERED, code="D", at=NOON + timedelta(days=1))
    soon = Scan(state=TrackingState.IN_TRANSIT, code="T", at=NOON, place="Köln")
    assert store.add_scans("dhl", "T1", [late, soon, soon]) == 2
    assert store.add_scans("dhl", "T1", [soon]) == 0
    assert store.scans("T1") == [soon, late]


def test_any_zone_goes_in_and_utc_comes_out(store: AnyStore) -> None:
    tokyo = datetime(2026, 3, 1, 21, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    store.add_scans("dhl", "T1", [Scan(state=TrackingState.IN_TRANSIT, at=tokyo)])
    at = store.scans("T1")[0].at
    assert at == tokyo
    assert at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(store: AnyStore) -> None:
    with pytest.raises(Exception, match="without a zone"):
        store.use_once("nonce", datetime(2026, 3, 1))  # noqa: DTZ001
