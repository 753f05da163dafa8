"""What is EasyPost's own: measures, rates, returns, tracking webhooks, label addresses."""

import hashlib
import hmac
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.carriers.documents import fetch_pdf, is_public
from adapters.carriers.easypost import EasyPostCarrier, choose_rate, shipment_params
from adapters.carriers.measures import inches, ounces
from domain.errors import EffectRefused, ProviderUnavailable, UnreadableEvent
from domain.order import Address
from domain.parcel import Parcel
from ports.carriers import LabelRequest, TrackingState, TrackingUpdate
from ports.storefronts import Unauthentic

CARRIER = EasyPostCarrier("EZTK_x", "http://127.0.0.1:9/easypost/v2", timeout=2)


@given(st.integers(0, 70_000))
def test_no_parcel_gets_lighter_and_none_by_a_tenth_heavier(grams: int) -> None:
    assert grams / 28.349523125 - 1e-9 <= ounces(grams) < grams / 28.349523125 + 0.1


def test_measures_go_up_to_the_next_tenth() -> None:
    assert (ounces(1), ounces(454), inches(254), inches(255)) == (0.1, 16.1, 10.0, 10.1)


def rate(price: str, carrier: str, service: str, days: int | None = 3) -> SimpleNamespace:
    name = f"{carrier}{service}"
    return SimpleNamespace(
        rate=price, carrier=carrier, service=service, delivery_days=days, id=name
    )


def test_equal_prices_are_decided_the_same_way_every_time() -> None:
    rates = [rate("9.0", "B", "x"), rate("9.00", "A", "y"), rate("9.00", "C", "z", 1),
             rate("10.00", "A", "a", 1)]  # fmt: skip
    for order in (rates, rates[::-1]):
        assert choose_rate(SimpleNamespace(rates=order, messages=[]), "").carrier == "C"


@pytest.mark.parametrize(
    ("service", "within_days", "chosen"),
    [
        ("", 0, "some day"),
        ("", 5, "ground"),
        ("", 4, "two day"),
        ("", 2, "two day"),
        ("", 1, "overnight"),
        ("P/Overnight", 5, "overnight"),
    ],
)
def test_the_cheapest_rate_that_keeps_the_promise_is_chosen(
    service: str, within_days: int, chosen: str
) -> None:
    rates = [rate("5", "P", "ground", 5), rate("9", "P", "two day", 2),
             rate("30", "P", "overnight", 1), rate("3", "P", "some day", None)]  # fmt: skip
    offer = SimpleNamespace(rates=rates, messages=[])
    assert choose_rate(offer, service, within_days).service == chosen


def test_the_fastest_is_chosen_when_none_keeps_the_promise() -> None:
    late = [rate("5", "P", "ground", 5), rate("9", "P", "air", 3), rate("8", "Q", "air", 3)]
    assert choose_rate(SimpleNamespace(rates=late, messages=[]), "", 2).carrier == "Q"
    untold = [rate("5", "P", "sea", None), rate("4", "P", "slow boat", None)]
    assert choose_rate(SimpleNamespace(rates=untold, messages=[]), "", 2).service == "slow boat"


def test_the_carriers_words_are_passed_on_when_there_is_no_rate() -> None:
    said = SimpleNamespace(message="too heavy")
    with pytest.raises(EffectRefused, match="too heavy"):
        choose_rate(SimpleNamespace(rates=[], messages=[said]), "")


async def test_a_dead_server_is_trouble() -> None:
    with pytest.raises(ProviderUnavailable):
        await CARRIER.void("shp_1", key="k")


def test_a_return_is_described_the_way_the_goods_went_out() -> None:
    # EasyPost turns the addresses of a return round by itself.
    customer, shop = Address(name="Customer"), Address(name="Shop")
    request = LabelRequest(
        order_id="o", subject="r", origin=customer, destination=shop, is_return=True,
        parcel=Parcel(weight_grams=500),
    )  # fmt: skip
    params = shipment_params(request, "o:label:1")
    assert (params["from_address"]["name"], params["to_address"]["name"]) == ("Shop", "Customer")


async def test_a_return_label_is_bought(testbed_url: str) -> None:
    carrier = EasyPostCarrier("EZTK_x", f"{testbed_url}/easypost/v2")
    customer = Address(name="C", line1="1 A St", postal_code="90277", country="US")
    shop = Address(name="S", line1="2 B St", postal_code="94104", country="US")
    request = LabelRequest(
        order_id="o", subject="r", origin=customer, destination=shop, is_return=True,
        parcel=Parcel(weight_grams=500),
    )  # fmt: skip
    assert (await carrier.buy(request, key="o-return:label:1")).tracking_number


def tracker(**more: Any) -> bytes:
    detail = {"message": "ORIGIN SCAN", "status": "in_transit", "datetime": "2026-01-02T03:04:05Z",
              "status_detail": "arrived_at_facility", "carrier_code": "AR",
              "tracking_location": {"city": "ORLANDO", "state": "FL", "country": None}}  # fmt: skip
    result = {"object": "Tracker", "tracking_code": "EZ1", "carrier": "UPS", "status": "in_transit",
              "est_delivery_date": "2026-01-05T00:00:00Z", "updated_at": "2026-01-03T00:00:00Z",
              "tracking_details": [detail, detail], **more}  # fmt: skip
    return json.dumps({"id": "evt_1", "object": "Event", "result": result}).encode()


def read(**more: Any) -> TrackingUpdate:
    update = CARRIER.read(tracker(**more))
    assert update is not None
    return update


class TestTracking:
    def test_scans_are_a_set(self) -> None:
        update = read()
        (scan,) = update.scans
        assert (scan.state, scan.code, scan.place) == (
            TrackingState.IN_TRANSIT, "AR", "ORLANDO, FL",
        )  # fmt: skip
        assert str(update.expected_on) == "2026-01-05"

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("return_to_sender", TrackingState.RETURNED_TO_SENDER),
            ("failure", TrackingState.EXCEPTION),
            ("error", TrackingState.EXCEPTION),
            ("cancelled", TrackingState.CANCELLED),
            ("available_for_pickup", TrackingState.OUT_FOR_DELIVERY),
            ("delivered", TrackingState.DELIVERED),
        ],
    )
    def test_an_end_without_a_scan_is_a_scan(self, status: str, state: TrackingState) -> None:
        assert read(status=status).scans[-1].state is state

    def test_unknown_says_nothing(self) -> None:
        assert len(read(status="unknown").scans) == 1

    def test_a_lost_parcel_is_lost(self) -> None:
        update = read(status="failure", status_detail="lost")
        assert update.scans[-1].state is TrackingState.LOST

    def test_who_signed_is_told_on_delivery(self) -> None:
        details = [{"status": "delivered", "datetime": "2026-01-04T10:00:00", "message": None}]
        update = read(status="delivered", signed_by="J. Tester", tracking_details=details)
        assert update.scans[0].signed_by == "J. Tester"
        assert update.scans[0].at.tzinfo is not None

    def test_other_events_are_none_of_ours(self) -> None:
        assert CARRIER.read(b'{"id": "evt", "result": {"object": "Batch"}}') is None

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"result": {"object": "Tracker"}}', b"\xff"])
    def test_what_is_no_event_is_named_so(self, body: bytes) -> None:
        with pytest.raises(UnreadableEvent) as error:
            CARRIER.read(body)
        assert error.value.code == "unreadable_event"

    def test_each_field_that_cannot_be_read_is_named(self) -> None:
        details = [
            {"status": "delivered", "datetime": 5},
            {"datetime": "9999-12-31T23:00:00-20:00"},
        ]
        with pytest.raises(UnreadableEvent) as error:
            read(tracking_details=details, est_delivery_date="soon")
        assert [field for field, _ in error.value.problems] == [
            "result.est_delivery_date",
            "result.tracking_details[0].datetime",
            "result.tracking_details[1].datetime",
        ]

    def test_signatures_hold_for_each_live_secret(self) -> None:
        body = tracker()
        digest = hmac.new(b"two", body, hashlib.sha256).hexdigest()
        headers = {"x-hmac-signature": f"hmac-sha256-hex={digest}"}
        CARRIER.verify(headers, body, ["one", "two"])
        for secrets in ([], [""], ["one"]):
            with pytest.raises(Unauthentic):
                CARRIER.verify(headers, body, secrets)
        for forged in ({}, {"x-hmac-signature": "hmac-sha256-hex=\xe4"}):
            with pytest.raises(Unauthentic):
                CARRIER.verify(forged, body, ["two"])
        with pytest.raises(Unauthentic):
            CARRIER.verify(headers, body + b" ", ["two"])


class TestLabelAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "http://labels.example/1.pdf",
            "https://127.0.0.1/1.pdf",
            "https://localhost/1.pdf",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/1.pdf",
            "https://[::ffff:10.0.0.1]/1.pdf",
            "file:///etc/passwd",
            "https://",
            "http://127.0.0.1:9999/easypost/v2/labels/1.pdf",
        ],
    )
    async def test_it_does_not_lead_into_the_house(self, url: str) -> None:
        with pytest.raises(EffectRefused) as refused:
            await fetch_pdf(url, "http://127.0.0.1:9/easypost/v2")
        assert refused.value.code == "label_address_refused"

    @pytest.mark.parametrize(
        ("address", "public"),
        [("93.184.216.34", True), ("10.0.0.1", False), ("100.64.0.1", False), ("0.0.0.0", False),
         ("224.0.0.1", False), ("fe80::1", False), ("fd00::1", False), ("2606:4700::1", True),
         ("::ffff:127.0.0.1", False)],
    )  # fmt: skip
    def test_which_addresses_are_public(self, address: str, public: bool) -> None:
        assert is_public(address) is public

    async def test_what_is_no_pdf_is_refused(self, testbed_url: str) -> None:
        with pytest.raises(EffectRefused) as refused:
            await fetch_pdf(f"{testbed_url}/healthz", f"{testbed_url}/easypost/v2")
        assert refused.value.code == "label_not_pdf"

    async def test_what_is_not_there_is_trouble(self, testbed_url: str) -> None:
        with pytest.raises(ProviderUnavailable):
            await fetch_pdf(f"{testbed_url}/nothing.pdf", testbed_url)
