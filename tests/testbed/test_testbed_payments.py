"""The official Stripe SDK against the testbed."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import stripe
from fastapi import Response
from testbed_running import Box, Waybill, running_box, until

SECRET = "whsec_testbed"
DAY = 86_400


def authorised(box: Box, order: str, amount: int = 5000, **more: Any) -> stripe.PaymentIntent:
    asked: dict[str, Any] = {
        "amount": amount,
        "currency": "eur",
        "capture_method": "manual",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "metadata": {"order_id": order, "purpose": "authorise-1"},
        "expand": ["latest_charge"],
    }
    return box.stripe.payment_intents.create({**asked, **more})  # type: ignore[typeddict-item]


MULTI = {"card": {"request_multicapture": "if_available"}}


def card_of(intent: stripe.PaymentIntent) -> Any:
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    return charge.payment_method_details.card  # type: ignore[union-attr]


def test_a_hold_is_found_by_its_order_and_says_when_it_lapses(box: Box) -> None:
    intent = authorised(box, "o-1")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 5000)
    assert 6.9 * DAY < card_of(intent).capture_before - time.time() < 7.1 * DAY
    query = "metadata['order_id']:'o-1' AND metadata['purpose']:'authorise-1'"
    assert [i.id for i in box.stripe.payment_intents.search({"query": query}).data] == [intent.id]
    query = "metadata['order_id']:'o-1' AND metadata['purpose']:'authorise-2'"
    assert box.stripe.payment_intents.search({"query": query}).data == []
    changed = box.stripe.payment_intents.update(intent.id, {"metadata": {"note": "x"}})
    assert changed.metadata.to_dict() == {"order_id": "o-1", "purpose": "authorise-1", "note": "x"}


def test_a_partial_capture_releases_the_rest_and_books_the_fee(box: Box) -> None:
    intent = authorised(box, "o-1")
    taken = box.stripe.payment_intents.capture(
        intent.id, {"amount_to_capture": 2000, "expand": ["latest_charge.balance_transaction"]}
    )
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 2000, 0)
    booked = taken.latest_charge.balance_transaction  # type: ignore[union-attr]
    assert (booked.amount, booked.fee, booked.net) == (2000, 88, 1912)  # type: ignore[union-attr]
    assert box.money("o-1") == [("authorise", 5000), ("capture", 2000), ("release", 3000)]


def test_multicapture_takes_parcel_by_parcel_until_the_final_one(box: Box) -> None:
    intent = authorised(box, "o-1", payment_method_options=MULTI)
    assert card_of(intent).multicapture.status == "available"
    capture = box.stripe.payment_intents.capture
    first = capture(intent.id, {"amount_to_capture": 2000, "final_capture": False})
    assert (first.status, first.amount_capturable) == ("requires_capture", 3000)
    with pytest.raises(stripe.InvalidRequestError) as over:
        capture(intent.id, {"amount_to_capture": 3001})
    assert over.value.code == "amount_too_large"
    last = capture(intent.id, {"amount_to_capture": 2500})
    assert (last.status, last.amount_received) == ("succeeded", 4500)
    released = box.money("o-1")[1:]
    assert released == [("capture", 2000), ("capture", 2500), ("release", 500)]


def test_a_cancelled_hold_cannot_be_captured(box: Box) -> None:
    intent = authorised(box, "o-1")
    gone = box.stripe.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        box.stripe.payment_intents.capture(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    assert box.money("o-1") == [("authorise", 5000), ("void", 5000)]


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
def test_a_decline_comes_with_its_reason_and_the_failed_intent(
    box: Box, method: str, code: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        authorised(box, "o-1", payment_method=method)
    assert (declined.value.http_status, declined.value.code) == (402, code)
    body: Any = declined.value.json_body
    assert body["error"]["decline_code"] == decline_code
    failed = box.stripe.payment_intents.retrieve(body["error"]["payment_intent"]["id"])
    assert failed.status == "requires_payment_method"
    again = box.stripe.payment_intents.confirm(failed.id, {"payment_method": "pm_card_visa"})
    assert again.status == "requires_capture"


def test_a_challenge_waits_for_the_cardholder(box: Box) -> None:
    intent = authorised(box, "o-1", payment_method="pm_card_authenticationRequired")
    assert intent.status == "requires_action"
    box.control("POST", f"/payment_intents/{intent.id}/authenticate", {"passed": True})
    assert box.stripe.payment_intents.retrieve(intent.id).status == "requires_capture"


def test_refunds_stop_at_what_was_captured_less_what_was_charged_back(box: Box) -> None:
    intent = authorised(box, "o-1", 1000)
    box.stripe.payment_intents.capture(intent.id)
    refund = box.stripe.refunds.create
    refund({"payment_intent": intent.id, "amount": 300, "metadata": {"purpose": "refund-1"}})
    box.control("POST", f"/payment_intents/{intent.id}/dispute", {"amount": 500})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        refund({"payment_intent": intent.id, "amount": 201})
    refund({"payment_intent": intent.id})
    rows = [("refund", 300), ("dispute", 500), ("refund", 200)]
    assert box.money("o-1")[2:] == rows
    other = authorised(box, "o-2", 1000)
    box.stripe.payment_intents.capture(other.id)
    refund({"payment_intent": other.id})
    with pytest.raises(stripe.InvalidRequestError) as twice:
        refund({"payment_intent": other.id})
    assert twice.value.code == "charge_already_refunded"


def test_one_key_has_one_effect_and_one_answer(box: Box) -> None:
    asked: Any = {"amount": 700, "currency": "eur", "metadata": {"order_id": "o-1"}}
    create: Any = box.stripe.payment_intents.create
    key = {"idempotency_key": "o-1:authorise:1"}
    assert create(asked, key).id == create(asked, key).id
    with pytest.raises(stripe.IdempotencyError):
        create({**asked, "amount": 701}, key)
    box.control("POST", "/clock", {"advance_seconds": DAY + 1})
    fresh = create({**asked, "amount": 701}, key)
    assert fresh.amount == 701


def test_a_stored_error_is_repeated_under_its_key(box: Box) -> None:
    box.fault("payment_intents.create", "fail_before", stored=True, times=1)
    asked: Any = {"amount": 700, "currency": "eur"}
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            box.stripe.payment_intents.create(asked, {"idempotency_key": "k"})
    assert box.stripe.payment_intents.create(asked, {"idempotency_key": "k2"}).status


def test_the_same_key_at_the_same_time_is_a_conflict(box: Box) -> None:
    box.fault("payment_intents.create", "slow", seconds=0.5, times=1)
    asked: Any = {"amount": 700, "currency": "eur"}

    def create() -> None:
        box.stripe.payment_intents.create(asked, {"idempotency_key": "k"})

    first = threading.Thread(target=create)
    first.start()
    until(lambda: box.control("GET", "/faults")["rules"][0]["hits"])
    with pytest.raises(stripe.StripeError) as conflict:
        create()
    assert conflict.value.http_status == 409
    first.join()


@pytest.mark.parametrize("how", ["error", "drop"])
def test_a_lost_answer_leaves_its_effect_in_the_ledger(box: Box, how: str) -> None:
    intent = authorised(box, "o-1")
    where = {"metadata.order_id": "o-1"}
    box.fault("payment_intents.capture", "fail_after", where=where, how=how, times=1)
    key: Any = {"idempotency_key": "o-1:capture:1"}
    with pytest.raises((stripe.APIError, stripe.APIConnectionError)):
        box.stripe.payment_intents.capture(intent.id, {}, key)
    assert ("capture", 5000) in box.money("o-1")
    assert box.stripe.payment_intents.capture(intent.id, {}, key).status == "succeeded"
    row = box.ledger("o-1")["payments"][-1]
    assert (row["kind"], row["idempotency_key"]) == ("capture", "o-1:capture:1")


def test_a_hold_nobody_captures_lapses_also_over_a_restart(
    tmp_path: Path, waybill: Waybill
) -> None:
    path = str(tmp_path / "kept.sqlite")
    with running_box(path, waybill) as box:
        whole = authorised(box, "o-1")
        partly = authorised(box, "o-2", payment_method_options=MULTI)
        box.stripe.payment_intents.capture(
            partly.id, {"amount_to_capture": 1000, "final_capture": False}
        )
    with running_box(path, waybill) as box:
        box.control("POST", "/clock", {"advance_seconds": 7 * DAY + 1})
        retrieve = box.stripe.payment_intents.retrieve
        until(lambda: retrieve(whole.id).status == "canceled")
        assert retrieve(whole.id).cancellation_reason == "automatic"
        until(lambda: retrieve(partly.id).status == "succeeded")
        assert box.money("o-1") == [("authorise", 5000), ("expire", 5000)]
        assert box.money("o-2")[1:] == [("capture", 1000), ("release", 4000)]


def test_events_are_signed_and_sent_until_taken(box: Box, waybill: Waybill) -> None:
    waybill.answers["/payments/stripe"] = [Response(status_code=503)]
    intent = authorised(box, "o-1")
    box.stripe.payment_intents.capture(intent.id)

    def events() -> list[stripe.Event]:
        calls = [call for call in waybill.calls if call[0] == "/webhooks/payments/stripe"]
        return [
            stripe.Webhook.construct_event(body, headers["stripe-signature"], SECRET)
            for _, headers, body in calls
        ]

    wanted = {
        "payment_intent.amount_capturable_updated", "charge.captured", "payment_intent.succeeded",
    }  # fmt: skip
    until(lambda: wanted == {event.type for event in events()} and len(events()) == 4)
    assert len({event.id for event in events()}) == 3


def test_without_a_key_nothing_is_told(box: Box) -> None:
    assert box.http.get("/stripe/v1/payment_intents").status_code == 401


def test_lists_go_by_time_and_searches_by_any_mark(box: Box) -> None:
    marks = {"order_id": "shop's own", "waybill_order": "o-1"}
    intent = authorised(box, "-", metadata=marks)
    found = box.stripe.payment_intents.search({"query": "metadata['waybill_order']:'o-1'"})
    assert [one.id for one in found.data] == [intent.id]
    assert box.money("o-1") == [("authorise", 5000)]
    taken = authorised(box, "-", 300, metadata={})
    box.stripe.payment_intents.update(taken.id, {"metadata": {"waybill_order": "o-2"}})
    assert box.money("o-2") == [("authorise", 300)]
    now = int(time.time())
    assert box.stripe.payment_intents.list({"created": {"gte": now - 60}}).data
    assert box.stripe.payment_intents.list({"created": {"gte": now + 60}}).data == []
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        authorised(box, "o-3", customer="cus_unknown")
    assert (unknown.value.http_status, unknown.value.code) == (400, "resource_missing")
