"""The official EasyPost SDK against the testbed."""

import json
from typing import Any

import httpx
import pypdfium2  # type: ignore[import-untyped]
import pytest
import zxingcpp
from easypost.errors.api.invalid_request_error import InvalidRequestError
from easypost.util import validate_webhook
from PIL import Image
from testbed_running import Box, Waybill, until

MUNICH = {"name": "Shop", "street1": "Weg 1", "city": "München", "zip": "80331", "country": "DE"}
BERLIN = {"name": "Ada", "street1": "Ring 2", "city": "Berlin", "zip": "10115", "country": "DE"}


def bought(box: Box, reference: str, **more: Any) -> Any:
    quoted = box.easypost.shipment.create(
        to_address=BERLIN,
        from_address=MUNICH,
        parcel={"weight": 30.0, "length": 10, "width": 8, "height": 4},
        reference=reference,
        **more,
    )
    return box.easypost.shipment.buy(quoted.id, rate=quoted.lowest_rate())


def tracker_of(box: Box, shipment: Any) -> Any:
    return box.easypost.tracker.retrieve(shipment.tracker.id)


def test_rates_are_the_same_for_the_same_parcel(box: Box) -> None:
    def quote(weight: float) -> list[tuple[str, str, float]]:
        asked = {"to_address": BERLIN, "from_address": MUNICH, "parcel": {"weight": weight}}
        rates = box.easypost.shipment.create(**asked).rates
        return [(rate.carrier, rate.service, float(rate.rate)) for rate in rates]

    assert quote(30) == quote(30)
    assert all(light[2] < heavy[2] for light, heavy in zip(quote(30), quote(90), strict=True))
    assert {service for _, service, _ in quote(1)} == {"Standard", "Express", "Ground", "NextDay"}


def test_a_label_is_bought_once_and_found_by_reference(box: Box) -> None:
    shipment = bought(box, "o-1:S1")
    with pytest.raises(InvalidRequestError) as twice:
        box.easypost.shipment.buy(shipment.id, rate=shipment.rates[0])
    assert (twice.value.http_status, twice.value.code) == (422, "SHIPMENT.POSTAGE.EXISTS")
    found: Any = box.easypost.shipment.all(reference="o-1:S1")
    assert [one.tracking_code for one in found.shipments] == [shipment.tracking_code]
    assert box.easypost.shipment.retrieve("o-1:S1").id == shipment.id
    [parcel] = box.ledger("o-1")["parcels"]
    assert parcel["cost"] == round(float(shipment.selected_rate.rate) * 100)


@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_the_label_carries_its_tracking_number(box: Box, tmp_path: Any, kind: str) -> None:
    shipment = bought(box, "o-1:S1")
    url = shipment.postage_label.label_pdf_url
    file = tmp_path / f"label.{kind}"
    file.write_bytes(httpx.get(url.replace(".pdf", f".{kind}"), trust_env=False).content)
    if kind == "pdf":
        picture = pypdfium2.PdfDocument(file)[0].render(scale=3).to_pil()
    else:
        picture = Image.open(file)
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [shipment.tracking_code]


def test_a_label_is_refunded_until_the_carrier_has_the_parcel(box: Box) -> None:
    unused, used = bought(box, "o-1:S1"), bought(box, "o-1:S2")
    assert box.easypost.shipment.refund(unused.id).refund_status == "submitted"
    until(lambda: box.easypost.shipment.retrieve(unused.id).refund_status == "refunded")
    box.control("POST", f"/parcels/{used.tracking_code}/drop-off")
    assert box.easypost.shipment.refund(used.id).refund_status == "rejected"


def test_a_parcel_moves_only_once_handed_over_and_every_scan_is_told(
    box: Box, waybill: Waybill
) -> None:
    shipment = bought(box, "o-1:S1")
    until(lambda: waybill.bodies("/carriers/easypost"))
    assert tracker_of(box, shipment).status == "unknown"
    box.control("POST", f"/parcels/{shipment.tracking_code}/drop-off")
    until(lambda: tracker_of(box, shipment).status == "delivered")
    assert tracker_of(box, shipment).signed_by
    until(lambda: len(waybill.bodies("/carriers/easypost")) == 6)
    calls = [call for call in waybill.calls if call[0].endswith("/carriers/easypost")]
    events = []
    for _, headers, body in calls:
        signed = {"X-Hmac-Signature": headers["x-hmac-signature"]}
        events.append(validate_webhook(body, signed, "testbed-easypost"))
    assert [event["result"]["status"] for event in events] == [
        "unknown", "pre_transit", "in_transit", "in_transit", "out_for_delivery", "delivered",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fate", "last"), [("lost", "in_transit"), ("return_to_sender", "return_to_sender")]
)
def test_a_parcel_meets_its_fate(box: Box, fate: str, last: str) -> None:
    box.fault("carrier.move", fate, where={"reference": "o-1:S1"})
    unlucky, lucky = bought(box, "o-1:S1"), bought(box, "o-1:S2")
    for shipment in (unlucky, lucky):
        box.control("POST", f"/parcels/{shipment.tracking_code}/drop-off")
    until(lambda: tracker_of(box, lucky).status == "delivered")
    until(lambda: tracker_of(box, unlucky).status == last)


def test_repeated_and_reordered_events_arrive_so(box: Box, waybill: Waybill) -> None:
    box.fault("webhook.deliver", "duplicate", where={"type": "tracker.created"})
    box.fault("webhook.deliver", "reorder", where={"status": "pre_transit"}, seconds=0.5)
    shipment = bought(box, "o-1:S1")
    box.control("POST", f"/parcels/{shipment.tracking_code}/drop-off")
    until(lambda: len(waybill.bodies("/carriers/easypost")) == 7)
    bodies = [json.loads(body) for body in waybill.bodies("/carriers/easypost")]
    assert len({body["id"] for body in bodies}) == 6
    assert bodies[-1]["result"]["status"] == "pre_transit"
