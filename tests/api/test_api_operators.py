"""What operators are told and told to do: alerts, erasing a customer, waking the queue, ASNs."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from api_world import NOON, World, new_order, picture

from api.sweeper import Sweeper
from contracts.commands import HoldAnswer, MilestoneKind
from contracts.orders import OrderRef
from domain.policy import Policy
from domain.progress import MoneyProgress, OrderProgress, OrderStatus
from domain.stock import Allocation, Location, MovementReason, Queued, StockAction, StockMove


def told(world: World) -> list[tuple[str, str]]:
    """Return whom of the queue was told, and of which SKU."""
    return [(order, m.subject) for order, m in world.orders.told if m.kind is MilestoneKind.STOCK]


async def stocked(client: httpx.AsyncClient, units: int = 0) -> None:
    await client.post("/locations", json={"code": "berlin", "name": "Berlin"})
    await client.post("/products", json={"sku": "MUG", "title": "Blue mug"})
    if units:
        counted = await client.put("/stock/MUG", json={"location": "berlin", "on_hand": units})
        assert counted.status_code == 200, counted.text


async def wait(client: httpx.AsyncClient, world: World, number: int, quantity: int) -> None:
    """Place an order that waits for mugs."""
    order_id = f"api-{number}"
    await client.post("/orders", json=new_order(str(number)))
    entry = Queued(
        order_id=order_id, line_id="l1", sku="MUG", quantity=quantity,
        since=NOON + timedelta(minutes=number),
    )  # fmt: skip
    progress = OrderProgress(order_id=order_id, version=1, money=MoneyProgress(currency="EUR"))
    world.store.project(progress, queue=[entry])
    world.orders.started[order_id] = OrderRef(order_id=order_id)


async def test_alerts_are_listed_page_by_page_until_they_are_closed(
    client: httpx.AsyncClient, world: World
) -> None:
    for n in range(3):
        world.store.alert("late", f"shop-{n}", "not packed", NOON + timedelta(minutes=n))
    first = (await client.get("/alerts?limit=2")).json()
    rest = (await client.get("/alerts", params={"cursor": first["next_cursor"]})).json()
    assert [row["subject"] for row in (*first["rows"], *rest["rows"])] == [
        "shop-2", "shop-1", "shop-0",
    ]  # fmt: skip
    number = first["rows"][0]["alert_id"]
    assert (await client.post(f"/alerts/{number}/close")).json() == {"alert_id": number}
    assert (await client.post(f"/alerts/{number}/close")).status_code == 404
    assert len((await client.get("/alerts")).json()["rows"]) == 2
    assert (await client.get("/alerts?cursor=x")).json()["code"] == "bad_cursor"


async def test_a_key_bound_to_channels_oversees_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    bound = world.key("admin", channels=("shop",))
    assert (await client.get("/alerts", headers=bound)).status_code == 403
    body = {"email": "ann@example.com"}
    assert (await client.post("/customers/erase", json=body, headers=bound)).status_code == 403


async def test_a_customer_is_erased_from_what_has_ended(
    client: httpx.AsyncClient, world: World
) -> None:
    for number in ("1001", "1002"):
        await client.post("/orders", json=new_order(number))
    world.project(picture(status=OrderStatus.COMPLETED, cancel_reason="Ann asked"))
    body = {"email": "Ann@Example.com"}
    answer = await client.post("/customers/erase", json=body)
    assert answer.json() == {"erased": ["api-1001"], "still_open": ["api-1002"]}
    assert "Ann" not in (await client.get("/orders/api-1001")).text
    assert "Ann" in (await client.get("/orders/api-1002")).text
    assert (await client.post("/customers/erase", json={"email": "ann"})).status_code == 422


async def test_announced_units_show_in_stock_and_in_what_may_be_promised(
    client: httpx.AsyncClient,
) -> None:
    await stocked(client)
    asn = {"sku": "MUG", "location": "berlin", "quantity": 40, "expected_on": "2026-03-20"}
    nothing = (await client.get("/availability?sku=MUG&country=DE&method=express")).json()
    assert nothing["promise"] is None
    for _ in range(2):
        answer = await client.post("/stock/inbound", json=asn, headers={"Idempotency-Key": "asn-1"})
        assert (answer.status_code, answer.json()) == (201, asn)
    assert (await client.get("/stock/MUG")).json()["inbound"] == [asn]
    found = (await client.get("/availability?sku=MUG&country=DE&method=express")).json()
    assert (found["available"], found["promise"]) == (0, "2026-03-23")
    nowhere = await client.post("/stock/inbound", json=asn | {"location": "mars"})
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "unknown_location")


async def test_safety_stock_is_set_with_a_count_or_alone(client: httpx.AsyncClient) -> None:
    await stocked(client, 7)
    both = {"location": "berlin", "on_hand": 9, "safety_stock": 2}
    assert (await client.put("/stock/MUG", json=both)).json()["level"]["safety_stock"] == 2
    assert (await client.get("/stock/MUG")).json()["available"] == 7
    alone = await client.put("/stock/MUG", json={"location": "berlin", "safety_stock": 0})
    assert alone.json()["level"] | {"on_hand": 9, "safety_stock": 0} == alone.json()["level"]
    assert (await client.put("/stock/MUG", json={"location": "berlin"})).status_code == 422
    mars = await client.put("/stock/MUG", json={"location": "mars", "safety_stock": 1})
    assert mars.json()["code"] == "unknown_location"


async def test_units_that_come_free_wake_the_queue_as_far_as_they_reach(
    client: httpx.AsyncClient, world: World
) -> None:
    await stocked(client, 3)
    await client.post("/orders", json=new_order("9"))
    world.store.reserve("api-9", [holding(3)], None)
    for number in (1, 2, 3):
        await wait(client, world, number, quantity=2)
    sweeper = Sweeper(world.deps())
    await sweeper.sweep()
    assert told(world) == []
    given_back = StockMove(
        key="r-1", action=StockAction.RELEASE, line_id="l1", sku="MUG", location="berlin",
        quantity=3,
    )  # fmt: skip
    world.store.project(picture("api-9"), moves=[given_back])
    await sweeper.sweep()
    assert told(world) == [("api-1", "MUG"), ("api-2", "MUG")]


async def test_an_order_that_cannot_use_the_units_is_not_woken_again_and_again(
    client: httpx.AsyncClient, world: World
) -> None:
    await stocked(client)
    await wait(client, world, 1, quantity=5)
    sweeper, receipts = Sweeper(world.deps()), iter(range(9))

    def receive(units: int) -> None:
        reason = MovementReason.RETURNED if units > 0 else MovementReason.ADJUSTED
        key = f"r-{next(receipts)}"
        world.store.receive("MUG", "berlin", units, reason=reason, key=key, actor="test")

    receive(2)
    for _ in range(5):
        await sweeper.sweep()
    assert len(told(world)) == 1
    receive(1)
    await sweeper.sweep()
    assert len(told(world)) == 2
    receive(-3)
    await sweeper.sweep()
    receive(1)
    await sweeper.sweep()
    assert len(told(world)) == 3


async def test_an_order_is_told_that_its_reservation_ran_out(
    client: httpx.AsyncClient, world: World
) -> None:
    await stocked(client, 3)
    await client.post("/orders", json=new_order("9"))
    world.store.reserve("api-9", [holding(3)], NOON)
    world.orders.away = True
    sweeper = Sweeper(world.deps())
    await sweeper.sweep()
    assert world.store.reserved("api-9") != []
    world.orders.away = False
    await sweeper.sweep()
    await sweeper.sweep()
    assert world.store.reserved("api-9") == []
    assert [(order, m.kind, m.subject) for order, m in world.orders.told] == [
        ("api-9", MilestoneKind.RESERVATION_EXPIRED, "api-9")
    ]
    assert [alert["kind"] for alert in world.store.alerts()] == ["reservation_expired"]


def holding(quantity: int) -> Allocation:
    return Allocation(n=1, line_id="l1", sku="MUG", location="berlin", quantity=quantity)


async def test_a_count_tells_the_waiting_orders_at_once(
    client: httpx.AsyncClient, world: World
) -> None:
    await stocked(client)
    await wait(client, world, 1, quantity=2)
    found = await client.put("/stock/MUG", json={"location": "berlin", "on_hand": 2})
    assert found.json()["told"] == ["api-1"]


@pytest.mark.parametrize("given", ["2026-04-01T09:00:00", "2026-04-01", "tomorrow"])
async def test_a_deadline_without_an_offset_is_refused_by_its_name(
    client: httpx.AsyncClient, world: World, given: str
) -> None:
    await client.post("/orders", json=new_order())
    world.project(picture())
    body = {"reason": "wait", "expires_at": given}
    refused = await client.post("/orders/api-1001/holds", json=body)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["expires_at"]
    until = datetime(2026, 4, 1, 9, tzinfo=UTC)
    world.orders.answers["place_hold"] = HoldAnswer(hold_id="h1", expires_at=until)
    body["expires_at"] = "2026-04-01T11:00:00+02:00"
    assert (await client.post("/orders/api-1001/holds", json=body)).status_code == 201


async def test_a_policy_that_offers_what_nothing_does_yet_is_refused_by_its_field(
    client: httpx.AsyncClient,
) -> None:
    draft = Policy().model_dump(mode="json")
    draft["returns"]["resolutions"] = ["refund", "exchange", "store_credit"]
    refused = await client.put("/policy", json=draft)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_policy")
    assert [error["field"] for error in refused.json()["errors"]] == [
        "returns.resolutions.1", "returns.resolutions.2",
    ]  # fmt: skip


async def test_the_location_of_a_count_must_exist(client: httpx.AsyncClient, world: World) -> None:
    world.store.save_location(Location(code="berlin"))
    nowhere = await client.put("/stock/MUG", json={"location": "mars", "on_hand": 1})
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "unknown_location")
