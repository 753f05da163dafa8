"""What every warehouse promises: one suite for the fake and for the WMS adapter."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

import httpx
import pytest

from adapters.warehouses.wms import WmsWarehouse
from domain.errors import EffectRefused, ProviderUnavailable
from domain.order import Address
from ports.warehouses import ExpectedReturn, PickLine, PickOrder, Warehouse
from tests.fakes.faults import Fault, FaultPlan
from tests.fakes.warehouses import FakeWarehouse

LINES = (
    PickLine(line_id="1", sku="MUG", quantity=2, title="Mug"),
    PickLine(line_id="2", sku="POT", quantity=1, title="Pot"),
)
HOME = Address(name="Zoë", line1="Hauptstr. 1", city="Berlin", postal_code="10115", country="DE")


class WarehouseRig(Protocol):
    """A warehouse with a hand on its floor."""

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse under test."""

    def fail(self, call: str, fault: Fault) -> None:
        """Let the next call fail."""

    def left(self, shipment: str) -> int:
        """Return how many units are still to be picked."""


@dataclass
class FakeRig:
    """The in-memory fake."""

    faults: FaultPlan = field(default_factory=FaultPlan)

    def __post_init__(self) -> None:
        self.warehouse = FakeWarehouse(faults=self.faults)

    def fail(self, call: str, fault: Fault) -> None:
        if (call, fault) == ("cancel", Fault.DECLINE):
            for shipment in self.warehouse.floor:
                self.warehouse.pack(shipment)
        else:
            self.faults.add(f"warehouse.{call}", fault)

    def left(self, shipment: str) -> int:
        picking = self.warehouse.floor.get(shipment)
        return sum(picking.left.values()) if picking else 0


class WmsRig:
    """The WMS adapter on the testbed."""

    def __init__(self, url: str) -> None:
        self.warehouse = WmsWarehouse(url, "wms_testbed")
        headers = {"authorization": "Bearer wms_testbed"}
        self._http = httpx.Client(base_url=url, headers=headers, trust_env=False)

    def fail(self, call: str, fault: Fault) -> None:
        operation = {"release": "warehouse.accept", "cancel": "warehouse.cancel",
                     "expect_return": "warehouse.announce_return"}[call]  # fmt: skip
        kind = {Fault.BEFORE: "fail_before", Fault.AFTER: "fail_after", Fault.REFUSE: "refuse",
                Fault.DECLINE: "too_late"}[fault]  # fmt: skip
        rule = {"match": operation, "kind": kind, "times": 1}
        self._http.put("/control/faults", json=[rule]).raise_for_status()

    def left(self, shipment: str) -> int:
        answer = self._http.get(f"/warehouse/shipments/{shipment}")
        if answer.status_code == 404 or answer.json()["status"] in ("cancelled", "refused"):
            return 0
        return sum(line["quantity"] for line in answer.json()["lines"])


@pytest.fixture(params=["fake", "testbed"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[WarehouseRig]:
    if request.param == "fake":
        yield FakeRig()
        return
    made = WmsRig(request.getfixturevalue("testbed_url"))
    yield made
    await made.warehouse.aclose()


@pytest.fixture
def order() -> PickOrder:
    name = f"shop-{uuid.uuid4().hex[:12]}"
    return PickOrder(
        shipment_id=f"{name}-s1", order_id=name, location="BER", lines=LINES, ship_to=HOME
    )


async def test_a_shipment_is_taken_once(rig: WarehouseRig, order: PickOrder) -> None:
    for _ in range(2):
        await rig.warehouse.release(order)
    assert rig.left(order.shipment_id) == 3


async def test_a_shipment_with_other_content_is_refused(
    rig: WarehouseRig, order: PickOrder
) -> None:
    await rig.warehouse.release(order)
    with pytest.raises(EffectRefused) as refused:
        await rig.warehouse.release(order.model_copy(update={"lines": LINES[:1]}))
    assert refused.value.code == "key_reused"


async def test_a_warehouse_may_refuse(rig: WarehouseRig, order: PickOrder) -> None:
    rig.fail("release", Fault.REFUSE)
    with pytest.raises(EffectRefused):
        await rig.warehouse.release(order)
    assert rig.left(order.shipment_id) == 0


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
async def test_a_lost_answer_releases_nothing_twice(
    rig: WarehouseRig, order: PickOrder, fault: Fault
) -> None:
    rig.fail("release", fault)
    with pytest.raises(ProviderUnavailable):
        await rig.warehouse.release(order)
    await rig.warehouse.release(order)
    assert rig.left(order.shipment_id) == 3


async def test_all_of_a_shipment_is_stopped(rig: WarehouseRig, order: PickOrder) -> None:
    await rig.warehouse.release(order)
    for n in (1, 2):
        key = f"{order.order_id}:cancel:{n}"
        assert await rig.warehouse.cancel(order.shipment_id, (), key=key)
    assert rig.left(order.shipment_id) == 0


async def test_part_of_a_shipment_is_stopped_once_a_key(
    rig: WarehouseRig, order: PickOrder
) -> None:
    await rig.warehouse.release(order)
    one_mug = (PickLine(line_id="1", sku="MUG", quantity=1),)
    for _ in range(2):
        key = f"{order.order_id}:cancel:1"
        assert await rig.warehouse.cancel(order.shipment_id, one_mug, key=key)
    assert rig.left(order.shipment_id) == 2


async def test_too_late_is_an_answer(rig: WarehouseRig, order: PickOrder) -> None:
    await rig.warehouse.release(order)
    rig.fail("cancel", Fault.DECLINE)
    key = f"{order.order_id}:cancel:1"
    assert not await rig.warehouse.cancel(order.shipment_id, (), key=key)


async def test_what_the_warehouse_never_had_is_stopped(rig: WarehouseRig, order: PickOrder) -> None:
    assert await rig.warehouse.cancel(order.shipment_id, (), key=f"{order.order_id}:cancel:1")


async def test_a_return_is_announced_as_often_as_one_likes(
    rig: WarehouseRig, order: PickOrder
) -> None:
    expected = ExpectedReturn(
        return_id=f"{order.order_id}-r1", order_id=order.order_id, location="BER", lines=LINES
    )
    for _ in range(2):
        await rig.warehouse.expect_return(expected)


async def test_a_wrong_key_waits_for_an_operator(testbed_url: str, order: PickOrder) -> None:
    warehouse = WmsWarehouse(testbed_url, "wrong")
    with pytest.raises(ProviderUnavailable):
        await warehouse.release(order)
    await warehouse.aclose()


async def test_a_dead_warehouse_is_trouble(order: PickOrder) -> None:
    warehouse = WmsWarehouse("http://127.0.0.1:9", "k", timeout=2)
    with pytest.raises(ProviderUnavailable):
        await warehouse.release(order)
    await warehouse.aclose()
