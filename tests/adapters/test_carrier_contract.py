"""What every carrier promises: one suite for the fake and for EasyPost's adapter."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import httpx
import pytest

from adapters.carriers.easypost import EasyPostCarrier
from domain.errors import EffectRefused, ProviderUnavailable
from domain.order import Address
from domain.parcel import Parcel
from ports.carriers import Carrier, Label, LabelRequest
from tests.fakes.carriers import FakeCarrier
from tests.fakes.faults import Fault, FaultPlan

SHOP = Address(name="Shop", line1="417 Montgomery Street", city="San Francisco", region="CA",
               postal_code="94104", country="US", phone="4153334445")  # fmt: skip
HOME = Address(name="Steve", line1="179 N Harbor Dr", city="Redondo Beach", region="CA",
               postal_code="90277", country="US", phone="8573875756")  # fmt: skip


class CarrierRig(Protocol):
    """A carrier with a hand on its own side of the counter."""

    @property
    def carrier(self) -> Carrier:
        """The carrier under test."""

    def fail(self, call: str, fault: Fault) -> None:
        """Let the next call fail."""

    def scan(self, label: Label) -> None:
        """Let the carrier take the parcel."""

    def labels(self, order_id: str) -> int:
        """Return how many labels were really bought for an order."""


@dataclass
class FakeRig:
    """The in-memory fake."""

    faults: FaultPlan = field(default_factory=FaultPlan)

    def __post_init__(self) -> None:
        self.carrier = FakeCarrier(faults=self.faults)

    def fail(self, call: str, fault: Fault) -> None:
        self.faults.add(f"carriers.{call}", fault)

    def scan(self, label: Label) -> None:
        self.carrier.scan(label.label_id)

    def labels(self, order_id: str) -> int:
        return len(self.carrier.ledger.rows(order_id, "label"))


class EasyPostRig:
    """EasyPost's adapter on the testbed."""

    def __init__(self, url: str) -> None:
        self.carrier = EasyPostCarrier("EZTK_waybill", f"{url}/easypost/v2")
        self._http = httpx.Client(base_url=url, trust_env=False)

    def fail(self, call: str, fault: Fault) -> None:
        operation = {"buy": "shipments.buy", "void": "shipments.refund"}[call]
        kind = {"before": "fail_before", "after": "fail_after"}[fault]
        rule = {"match": operation, "kind": kind, "how": "drop", "times": 1}
        self._http.put("/control/faults", json=[rule]).raise_for_status()

    def scan(self, label: Label) -> None:
        path = f"/control/parcels/{label.tracking_number}/drop-off"
        self._http.post(path).raise_for_status()

    def labels(self, order_id: str) -> int:
        answer = self._http.get("/control/ledger", params={"order_id": order_id})
        return len(answer.raise_for_status().json()["parcels"])


@pytest.fixture(params=["fake", "testbed"])
def rig(request: pytest.FixtureRequest) -> CarrierRig:
    if request.param == "fake":
        return FakeRig()
    return EasyPostRig(request.getfixturevalue("testbed_url"))


def request_for(order: str, *, service: str = "", grams: int = 900) -> LabelRequest:
    return LabelRequest(
        order_id=order, subject=f"{order}/1", origin=SHOP, destination=HOME,
        parcel=Parcel(weight_grams=grams), service=service,
    )  # fmt: skip


async def test_a_label_is_bought_and_printed(rig: CarrierRig, order: str) -> None:
    label = await rig.carrier.buy(request_for(order), key=f"{order}:label:1")
    assert label.tracking_number
    assert label.cost.amount > 0
    assert label.expected_on is not None
    if isinstance(rig, EasyPostRig):
        assert label.tracking_url
    assert (await rig.carrier.document(label)).startswith(b"%PDF")


async def test_the_cheapest_service_is_taken_unless_one_is_asked_for(
    rig: CarrierRig, order: str
) -> None:
    cheap = await rig.carrier.buy(request_for(order), key=f"{order}:label:1")
    fast = await rig.carrier.buy(
        request_for(order, service="testpost/EXPRESS"), key=f"{order}:label:2"
    )
    assert (fast.carrier, fast.service) == ("TestPost", "Express")
    assert fast.cost.amount > cheap.cost.amount


async def test_an_unknown_service_is_refused(rig: CarrierRig, order: str) -> None:
    with pytest.raises(EffectRefused) as refused:
        await rig.carrier.buy(request_for(order, service="Nobody/Never"), key=f"{order}:label:1")
    assert refused.value.code == "no_rate"
    assert rig.labels(order) == 0


async def test_a_parcel_without_weight_is_refused(rig: CarrierRig, order: str) -> None:
    with pytest.raises(EffectRefused):
        await rig.carrier.buy(request_for(order, grams=0), key=f"{order}:label:1")


async def test_a_key_buys_one_label(rig: CarrierRig, order: str) -> None:
    first = await rig.carrier.buy(request_for(order), key=f"{order}:label:1")
    assert await rig.carrier.buy(request_for(order), key=f"{order}:label:1") == first
    assert rig.labels(order) == 1


async def test_two_attempts_at_once_buy_one_label(rig: CarrierRig, order: str) -> None:
    attempts = [rig.carrier.buy(request_for(order), key=f"{order}:label:1") for _ in range(4)]
    labels = await asyncio.gather(*attempts)
    assert len({label.tracking_number for label in labels}) == 1
    assert rig.labels(order) == 1


async def test_a_key_does_not_buy_another_parcel(rig: CarrierRig, order: str) -> None:
    await rig.carrier.buy(request_for(order), key=f"{order}:label:1")
    with pytest.raises(EffectRefused) as refused:
        await rig.carrier.buy(request_for(order, grams=5_000), key=f"{order}:label:1")
    assert refused.value.code == "key_reused"


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
async def test_a_lost_answer_buys_no_second_label(
    rig: CarrierRig, order: str, fault: Fault
) -> None:
    rig.fail("buy", fault)
    with pytest.raises(ProviderUnavailable):
        await rig.carrier.buy(request_for(order), key=f"{order}:label:1")
    assert rig.labels(order) == (1 if fault is Fault.AFTER else 0)
    await rig.carrier.buy(request_for(order), key=f"{order}:label:1")
    assert rig.labels(order) == 1


async def test_a_label_is_voided_as_often_as_one_likes(rig: CarrierRig, order: str) -> None:
    label = await rig.carrier.buy(request_for(order), key=f"{order}:label:1")
    for n in (1, 2):
        assert await rig.carrier.void(label.label_id, key=f"{order}:void-label:{n}")


async def test_a_label_that_was_scanned_is_not_voided(rig: CarrierRig, order: str) -> None:
    label = await rig.carrier.buy(request_for(order), key=f"{order}:label:1")
    rig.scan(label)
    assert not await rig.carrier.void(label.label_id, key=f"{order}:void-label:1")


async def test_a_label_that_is_not_there_is_refused(rig: CarrierRig, order: str) -> None:
    with pytest.raises(EffectRefused):
        await rig.carrier.void("shp_never_was", key=f"{order}:void-label:1")
