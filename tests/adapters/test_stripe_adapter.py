"""What is Stripe's own: its units of currency, its errors, its webhooks."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from adapters.payments.stripe import StripeGateway
from adapters.payments.stripe_amounts import from_stripe, to_stripe
from adapters.payments.stripe_errors import translate
from adapters.payments.stripe_reading import capture_mark, marks, read_intent
from adapters.payments.stripe_webhooks import StripeWebhooks
from domain.errors import (
    DomainError,
    EffectRefused,
    PaymentDeclined,
    ProviderUnavailable,
    UnreadableEvent,
)
from domain.money import Money
from ports.payments import PaymentState
from ports.storefronts import Unauthentic

sdk: Any = stripe  # its errors' constructors are untyped
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "at_stripe"),
    [
        (1250, "EUR", 1250),
        (500, "JPY", 500),
        (5, "ISK", 500),
        (5, "UGX", 500),
        (12_340, "KWD", 12_340),
        (1250, "HUF", 1250),
        (1250, "TWD", 1250),
        (1200, "MGA", 12),
    ],
)
def test_amounts_change_unit_where_stripe_has_its_own(
    amount: int, currency: str, at_stripe: int
) -> None:
    assert to_stripe(Money(amount=amount, currency=currency)) == at_stripe
    assert from_stripe(at_stripe, currency.lower()) == amount


@pytest.mark.parametrize(("amount", "currency"), [(12_345, "KWD"), (1250, "MGA")])
def test_an_amount_that_would_be_rounded_is_refused(amount: int, currency: str) -> None:
    with pytest.raises(EffectRefused) as refused:
        to_stripe(Money(amount=amount, currency=currency))
    assert refused.value.code == "amount_not_representable"


def test_a_currency_that_iso_does_not_know_is_refused() -> None:
    with pytest.raises(EffectRefused) as refused:
        to_stripe(Money(amount=1, currency="QQQ"))
    assert refused.value.code == "unknown_currency"


@given(st.integers(0, 10**9), st.sampled_from(["USD", "JPY", "ISK", "UGX", "KWD", "MGA", "XOF"]))
def test_no_amount_is_lost_on_the_way(amount: int, currency: str) -> None:
    money = Money(amount=amount, currency=currency)
    try:
        there = to_stripe(money)
    except EffectRefused:
        return
    assert from_stripe(there, currency) == amount


@pytest.mark.parametrize(
    ("error", "becomes", "code"),
    [
        (sdk.CardError("no", None, "expired_card", http_status=402), PaymentDeclined,
         "expired_card"),
        (sdk.InvalidRequestError("no", "amount", "amount_too_large", http_status=400),
         EffectRefused, "amount_too_large"),
        (sdk.InvalidRequestError("no", None, None, http_status=400), EffectRefused,
         "provider_refused"),
        (sdk.IdempotencyError("no", http_status=400), EffectRefused, "key_reused"),
    ],
)  # fmt: skip
def test_refusals_keep_their_code(
    error: stripe.StripeError, becomes: type[DomainError], code: str
) -> None:
    ours = translate(error)
    assert isinstance(ours, becomes)
    assert ours.code == code


@pytest.mark.parametrize(
    "error",
    [
        sdk.APIConnectionError("lost"),
        sdk.APIError("500", http_status=500),
        sdk.APIError("in use", http_status=409, code="idempotency_key_in_use"),
        sdk.RateLimitError("slow", http_status=429, headers={"Retry-After": "7"}),
        sdk.AuthenticationError("wrong key", http_status=401),
    ],
)
def test_trouble_is_repeated(error: stripe.StripeError) -> None:
    ours = translate(error)
    assert isinstance(ours, ProviderUnavailable)
    assert ours.retry_after == (7 if isinstance(error, stripe.RateLimitError) else None)


async def test_a_dead_server_is_trouble() -> None:
    gateway = StripeGateway("sk_test_x", "http://127.0.0.1:9", timeout=2)
    with pytest.raises(ProviderUnavailable):
        await gateway.retrieve("pi_1")
    await gateway.aclose()


async def test_a_challenge_waits_for_the_cardholder(testbed_url: str) -> None:
    gateway = StripeGateway("sk_test_x", f"{testbed_url}/stripe")
    payment = await gateway.authorise(
        "shop-3ds", Money(amount=900, currency="EUR"), customer="",
        method="pm_card_authenticationRequired", multi_capture=False, key="shop-3ds:authorise:1",
    )  # fmt: skip
    assert payment.state is PaymentState.ACTION_REQUIRED
    assert payment.capturable == 0
    await gateway.aclose()


def test_a_key_of_any_length_fits_into_metadata() -> None:
    assert len(capture_mark("x" * 300)) <= 40


def test_a_storefronts_order_id_is_left_alone() -> None:
    assert marks("shop-1", "k", {"order_id": "1042"}) == {
        "order_id": "1042", "waybill_order": "shop-1", "purpose": "k",
    }  # fmt: skip


def test_an_expiry_that_nobody_told_is_seven_days() -> None:
    intent = {
        "id": "pi_1", "status": "requires_capture", "amount": 100, "currency": "usd",
        "created": int(NOW.timestamp()), "latest_charge": "ch_1",
    }  # fmt: skip
    assert read_intent(intent).expires_at == NOW + timedelta(days=7)
    told = {"payment_method_details": {"card": {"capture_before": 1_800_000_000}}}
    assert read_intent({**intent, "latest_charge": {"id": "ch_1", **told}}).expires_at == (
        datetime.fromtimestamp(1_800_000_000, UTC)
    )


def event(kind: str, thing: dict[str, Any]) -> bytes:
    body = {"id": "evt_1", "object": "event", "type": kind, "created": int(NOW.timestamp()),
            "data": {"object": thing}}  # fmt: skip
    return json.dumps(body).encode()


def signed(body: bytes, secret: str, at: datetime = NOW) -> dict[str, str]:
    stamp = int(at.timestamp())
    make = stripe.WebhookSignature.generate_signature_header
    return {"stripe-signature": make(body.decode(), secret, stamp)}


INTENT = {"id": "pi_1", "object": "payment_intent", "currency": "usd", "amount": 900,
          "amount_capturable": 900, "amount_received": 0,
          "metadata": {"waybill_order": "shop-1", "order_id": "shop-1"}}  # fmt: skip
CHARGE = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "currency": "isk",
          "amount": 900, "amount_captured": 900, "amount_refunded": 500,
          "metadata": {}}  # fmt: skip
DISPUTE = {"id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": "pi_1",
           "currency": "usd", "amount": 400, "status": "needs_response"}  # fmt: skip


class TestWebhooks:
    webhooks = StripeWebhooks(lambda: NOW)

    def test_each_live_secret_is_accepted(self) -> None:
        body = event("payment_intent.succeeded", INTENT)
        for secret in ("whsec_old", "whsec_new"):
            self.webhooks.verify(signed(body, secret), body, ["whsec_new", "whsec_old"])

    @pytest.mark.parametrize("secrets", [[], [""], ["whsec_other"]])
    def test_no_fitting_secret_is_refused(self, secrets: list[str]) -> None:
        body = event("payment_intent.succeeded", INTENT)
        with pytest.raises(Unauthentic):
            self.webhooks.verify(signed(body, "whsec_1"), body, secrets)

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_a_stamp_from_another_time_is_refused(self, minutes: int) -> None:
        body = event("payment_intent.succeeded", INTENT)
        headers = signed(body, "whsec_1", NOW + timedelta(minutes=minutes))
        with pytest.raises(Unauthentic):
            self.webhooks.verify(headers, body, ["whsec_1"])

    @pytest.mark.parametrize(
        "header", ["", "t=1", "v1=ab", "t=x,v1=ab", "t=1,v1=\xe4", ",,,", "t=1,v1=ab,v1=cd"]
    )
    def test_a_header_of_rubbish_is_refused(self, header: str) -> None:
        with pytest.raises(Unauthentic):
            self.webhooks.verify({"stripe-signature": header}, b"{}", ["whsec_1"])

    def test_bytes_that_are_no_text_are_refused(self) -> None:
        headers = signed(b"{}", "whsec_1")
        with pytest.raises(Unauthentic):
            self.webhooks.verify(headers, b"\xff\xfe{}", ["whsec_1"])

    @pytest.mark.parametrize(
        ("kind", "thing", "meaning", "amount"),
        [
            ("payment_intent.amount_capturable_updated", INTENT, "authorised", 900),
            ("payment_intent.requires_action", INTENT, "action_required", 900),
            ("payment_intent.payment_failed", INTENT, "declined", 900),
            ("payment_intent.succeeded", {**INTENT, "amount_received": 700}, "captured", 700),
            ("payment_intent.canceled", INTENT, "voided", 900),
            ("charge.captured", CHARGE, "captured", 9),
            ("charge.refunded", CHARGE, "refunded", 5),
            ("charge.dispute.created", DISPUTE, "disputed", 400),
            ("charge.dispute.closed", {**DISPUTE, "status": "won"}, "disputed", 0),
            ("charge.dispute.closed", {**DISPUTE, "status": "lost"}, "disputed", 400),
            ("charge.dispute.funds_reinstated", DISPUTE, "disputed", 0),
            ("customer.created", {"id": "cus_1", "object": "customer"}, "other", 0),
        ],
    )
    def test_events_say_what_stands_now(
        self, kind: str, thing: dict[str, Any], meaning: str, amount: int
    ) -> None:
        read = self.webhooks.read(event(kind, thing))
        assert (read.kind, read.amount) == (meaning, amount)
        assert read.reference == ("" if meaning == "other" else "pi_1")
        assert read.occurred_at == NOW

    def test_the_order_is_read_off_the_payment(self) -> None:
        read = self.webhooks.read(event("payment_intent.succeeded", INTENT))
        assert (read.order_id, read.currency) == ("shop-1", "USD")

    @pytest.mark.parametrize("second", ["{signed}={now}", "{now},t={signed}", "{signed},t={now}"])
    def test_a_stamp_that_could_be_read_in_two_ways_is_refused(self, second: str) -> None:
        body, old = event("payment_intent.succeeded", INTENT), NOW - timedelta(days=1)
        header = signed(body, "whsec_1", old)["stripe-signature"]
        stamp, now = str(int(old.timestamp())), str(int(NOW.timestamp()))
        played = header.replace(f"t={stamp}", f"t={second.format(signed=stamp, now=now)}")
        with pytest.raises(Unauthentic):
            self.webhooks.verify({"stripe-signature": played}, body, ["whsec_1"])

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"amount_received": "much"}, "data.object.amount_received"),
            ({"amount_received": 10**30}, "data.object.amount_received"),
            ({"currency": "euros"}, "data.object.currency"),
            ({"payment_intent": [1]}, "data.object.payment_intent"),
        ],
    )
    def test_a_field_that_cannot_be_read_is_named(self, change: dict[str, Any], field: str) -> None:
        with pytest.raises(UnreadableEvent) as error:
            self.webhooks.read(event("payment_intent.succeeded", {**INTENT, **change}))
        assert error.value.problems[0][0].startswith(field)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{}",
            b'{"id": 1, "type": "x", "data": []}',
            b"\xff",
            b'{"id": "e", "type": "x", "created": 1e999, "data": {"object": {}}}',
        ],
    )
    def test_what_is_no_event_is_named_so(self, body: bytes) -> None:
        with pytest.raises(UnreadableEvent) as error:
            self.webhooks.read(body)
        assert error.value.code == "unreadable_event"
        assert all(field and message for field, message in error.value.problems)
