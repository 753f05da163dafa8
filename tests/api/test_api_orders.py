"""Placing orders, reading them, and the answers to commands."""

import asyncio
import json
from datetime import timedelta

import httpx
from api_world import CARD, NOON, World, deps_of, new_order, picture

from api.orders_client import OrdersAway
from api.sweeper import Sweeper
from contracts.commands import CancelAnswer, CancelOutcome, Done, HoldAnswer, ReturnAnswer
from domain.errors import DomainError
from domain.progress import LineUnits, OrderStatus, ShipmentStatus
from domain.units import Units
from ports.carriers import Scan, TrackingState

CANCELLED = CancelAnswer(
    outcome=CancelOutcome.CANCELLED,
    cancelled=(LineUnits(line_id="l1", quantity=3),),
    refunded=3750,
)


async def placed(client: httpx.AsyncClient, external_id: str = "1001") -> str:
    answer = await client.post("/orders", json=new_order(external_id))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["order_id"])


async def test_placing_an_order_starts_its_process_once(
    client: httpx.AsyncClient, world: World
) -> None:
    answer = await client.post("/orders", json=new_order())
    assert answer.status_code == 202, answer.text
    assert answer.json() | {"status_url": "/orders/api-1001"} == answer.json()
    again = await client.post("/orders", json=new_order())
    assert (again.status_code, again.json()["order_id"]) == (200, "api-1001")
    assert world.orders.starts == 1


async def test_who_places_an_order_does_not_wait_for_temporal_but_who_commands_it_does(
    client: httpx.AsyncClient, world: World
) -> None:
    world.orders.gate.clear()
    world.orders.answers["ship_now"] = Done(status=OrderStatus.PROCESSING)
    client.event_hooks["response"].clear()
    order_id = await placed(client)
    command = asyncio.create_task(client.post(f"/orders/{order_id}/ship-now"))
    done, _ = await asyncio.wait([command], timeout=0.1)
    assert (world.orders.started, done) == ({}, set())
    world.orders.gate.set()
    assert (await command).status_code == 200


async def test_orders_that_run_are_noted_together_and_not_started_again(
    client: httpx.AsyncClient, world: World
) -> None:
    orders = [await placed(client, number) for number in ("1001", "1002")]
    later = NOON + timedelta(minutes=1)
    assert [order_id for order_id, _ in world.store.unstarted(later)] == orders
    await Sweeper(deps_of(client)).note_started_orders()
    assert world.store.unstarted(later) == []
    assert world.orders.starts == 2


async def test_the_same_order_with_other_content_is_refused_and_alerted(
    client: httpx.AsyncClient, world: World
) -> None:
    await placed(client)
    answer = await client.post("/orders", json=new_order(note="other"))
    assert (answer.status_code, answer.json()["code"]) == (409, "order_conflict")
    assert [alert["kind"] for alert in world.store.alerts()] == ["order_conflict"]
    assert world.orders.starts == 1


async def test_two_hundred_equal_orders_at_once_make_one(
    client: httpx.AsyncClient, world: World
) -> None:
    answers = await asyncio.gather(*(client.post("/orders", json=new_order()) for _ in range(200)))
    assert sorted({answer.status_code for answer in answers}) == [200, 202]
    assert [answer.status_code for answer in answers].count(202) == 1
    assert (world.orders.starts, len(world.orders.started)) == (1, 1)


async def test_every_field_at_fault_is_named(client: httpx.AsyncClient) -> None:
    body = new_order(currency="ZZZ", lines=[{"line_id": "1", "sku": "A", "quantity": -3}])
    answer = await client.post("/orders", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_order")
    fields = {error["field"] for error in answer.json()["errors"]}
    assert {"currency", "lines[0].quantity"} <= fields or {"currency"} <= fields
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_order_is_accepted_while_temporal_is_away(
    client: httpx.AsyncClient, world: World
) -> None:
    world.orders.away = True
    await placed(client)
    assert world.store.unstarted(NOON.replace(year=2027)) == [("api-1001", None)]


async def test_waiting_for_the_verdict_answers_with_it(
    client: httpx.AsyncClient, world: World
) -> None:
    async def decide() -> None:
        async with asyncio.timeout(5):
            while world.store.get("api-1001") is None:  # noqa: ASYNC110 - another task's row
                await asyncio.sleep(0.01)
        world.project(picture(grade="review", status=OrderStatus.ON_HOLD))

    deciding = asyncio.create_task(decide())
    answer = await client.post("/orders?wait=verdict", json=new_order())
    await deciding
    assert (answer.status_code, answer.json()["verdict"]) == (200, "review")
    slow = await client.post("/orders?wait=verdict", json=new_order("1002"))
    assert slow.status_code == 202


async def test_an_order_is_shown_whole_and_scans_move_it_only_forward(
    client: httpx.AsyncClient, world: World
) -> None:
    await placed(client)
    world.project(picture(shipment=ShipmentStatus.HANDED_OVER, units=Units(shipped=3)))
    world.store.add_scans(
        "TestPost",
        "TP1",
        [
            Scan(state=TrackingState.OUT_FOR_DELIVERY, code="o", at=NOON),
            Scan(state=TrackingState.IN_TRANSIT, code="t", at=NOON.replace(hour=13)),
        ],
    )
    shown = (await client.get("/orders/api-1001")).json()
    assert shown["shipments"][0]["status"] == "out_for_delivery"
    assert shown["total"] == {"amount": 3750, "currency": "EUR"}
    assert len(shown["shipments"][0]["scans"]) == 2
    assert shown["lines"][0]["units"]["shipped"] == 3


async def test_the_list_is_paged_by_cursor(client: httpx.AsyncClient) -> None:
    for number in range(5):
        await placed(client, str(number))
    first = (await client.get("/orders?limit=3")).json()
    second = (await client.get("/orders", params={"cursor": first["next_cursor"]})).json()
    ids = [row["order_id"] for page in (first, second) for row in page["rows"]]
    assert sorted(ids) == [f"api-{number}" for number in range(5)]
    assert second["next_cursor"] == ""
    assert (await client.get("/orders?limit=201")).status_code == 422
    assert (await client.get("/orders?cursor=nonsense")).json()["code"] == "bad_cursor"


async def test_cancel_answers_what_was_cancelled(client: httpx.AsyncClient, world: World) -> None:
    await placed(client)
    world.orders.answers["cancel"] = CANCELLED
    answer = await client.post("/orders/api-1001/cancel", json={"reason": "changed my mind"})
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "cancelled"
    assert answer.json()["refunded"] == {"amount": 3750, "currency": "EUR"}
    assert world.orders.asked[0][2].model_dump()["actor"] == "api:test"


async def test_a_cancel_that_nobody_answers_is_requested_and_told_when_asked_again(
    client: httpx.AsyncClient, world: World
) -> None:
    await placed(client)
    world.orders.answers["cancel"] = CANCELLED
    world.orders.workers = False
    key = {"Idempotency-Key": "cancel-1"}
    first = await client.post("/orders/api-1001/cancel", json={}, headers=key)
    assert (first.status_code, first.json()["outcome"]) == (202, "requested")
    assert first.headers["retry-after"]
    world.orders.workers = True
    again = await client.post("/orders/api-1001/cancel", json={}, headers=key)
    assert (again.status_code, again.json()["outcome"]) == (200, "cancelled")
    repeat = await client.post("/orders/api-1001/cancel", json={}, headers=key)
    assert repeat.json() == again.json()
    assert repeat.headers["idempotent-replayed"] == "true"
    assert len(world.orders.asked) == 1


async def test_an_ended_order_is_answered_from_the_database(
    client: httpx.AsyncClient, world: World
) -> None:
    await placed(client)
    world.project(picture(status=OrderStatus.CANCELLED, units=Units(cancelled=3)))
    world.orders.ended.add("api-1001")
    cancel = await client.post("/orders/api-1001/cancel", json={})
    assert (cancel.status_code, cancel.json()["outcome"]) == (200, "cancelled")
    other = await client.post("/orders/api-1001/ship-now")
    assert (other.status_code, other.json()["code"]) == (409, "order_ended")
    assert other.json()["order_status"] == "cancelled"


async def test_an_order_that_has_not_begun_says_ask_again(
    client: httpx.AsyncClient, world: World
) -> None:
    world.orders.away = True
    await placed(client)
    world.orders.away = False
    answer = await client.post("/orders/api-1001/ship-now")
    assert (answer.status_code, answer.json()["code"]) == (503, "order_not_running")


async def test_each_command_reaches_the_process_by_name(
    client: httpx.AsyncClient, world: World
) -> None:
    await placed(client)
    done = Done(status="processing")
    names = ("change_address", "change_lines", "release_hold", "review", "ship_now",
             "payment_method", "reschedule")  # fmt: skip
    world.orders.answers |= dict.fromkeys(names, done)
    world.orders.answers["place_hold"] = HoldAnswer(hold_id="h1", expires_at=NOON)
    world.orders.answers["request_return"] = ReturnAnswer(return_id="r1", status="authorised")
    path = "/orders/api-1001"
    line = {"line_id": "l1", "quantity": 1}
    calls = (
        ("PATCH", "/address", {"address": {"line1": "2 Low St", "country": "DE"}}),
        ("POST", "/lines", {"set": [line], "add": [{**line, "line_id": "l2", "sku": "CUP"}]}),
        ("DELETE", "/holds/h1", None),
        ("POST", "/review", {"decision": "accept"}),
        ("POST", "/ship-now", None),
        ("POST", "/payment-method", {"method": "pm_1"}),
        ("POST", "/reschedule", {"deliver_on": "2026-04-01"}),
        ("POST", "/holds", {"reason": "wait"}),
        ("POST", "/returns", {"lines": [line], "reason": "small", "resolution": "refund"}),
    )
    for method, where, body in calls:
        answer = await client.request(method, path + where, json=body)
        assert answer.status_code in (200, 201), (where, answer.text)
    assert [name for _, name, _, _ in world.orders.asked] == [
        *names[:2], "release_hold", "review", "ship_now", "payment_method", "reschedule",
        "place_hold", "request_return",
    ]  # fmt: skip


async def test_a_refusal_carries_the_process_s_own_code(
    client: httpx.AsyncClient, world: World
) -> None:
    await placed(client)
    world.orders.answers["ship_now"] = DomainError("not on hold", "not_held")
    world.orders.answers["release_hold"] = DomainError("no such hold", "hold_unknown")
    late = await client.post("/orders/api-1001/ship-now")
    wrong = await client.delete("/orders/api-1001/holds/h9")
    assert (late.status_code, late.json()["code"]) == (409, "not_held")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "hold_unknown")
    world.orders.answers["ship_now"] = OrdersAway("no worker")
    away = await client.post("/orders/api-1001/ship-now")
    assert (away.status_code, away.json()["code"]) == (503, "unavailable")
    assert away.headers["retry-after"]


async def test_a_bad_address_never_reaches_the_process(
    client: httpx.AsyncClient, world: World
) -> None:
    await placed(client)
    answer = await client.patch("/orders/api-1001/address", json={"address": {"country": "DE"}})
    assert answer.json()["errors"] == [{"field": "address.line1", "message": "is required"}]
    assert world.orders.asked == []


async def test_a_card_number_anywhere_is_refused(client: httpx.AsyncClient, world: World) -> None:
    for body in (new_order(note=f"card {CARD}"), {"reason": CARD}):
        path = "/orders" if "note" in body else "/orders/api-1001/cancel"
        answer = await client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "card_number")
        assert "4111" not in answer.text
    assert world.store.get("api-1001") is None


async def test_openapi_describes_each_operation_with_its_refusals(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids)) > 40
    assert all(operation["tags"] and operation["summary"] for operation in operations)
    order = document["paths"]["/orders"]["post"]
    assert order["requestBody"]["content"]["application/json"]["example"]["lines"]
    assert set(order["responses"]) >= {"200", "202", "400", "401", "403", "409", "422", "503"}
    assert set(order["responses"]) >= {"408", "413", "415", "429"}  # refused by the door
    assert order["responses"]["503"]["headers"].keys() == {"X-Request-Id", "Retry-After"}
    unknown = await client.get("/policy?version=77")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_policy")
    wanted = json.dumps(document)
    named = {part.split('"')[0] for part in wanted.split("#/components/schemas/")[1:]}
    assert named <= set(document["components"]["schemas"])
