"""Idempotency keys, errors, rates, health. Who may do what: tests/door/test_door_access.py."""

import asyncio
from typing import Any

import httpx
import pytest
from api_world import World, new_order

from adapters.telemetry.metrics import Metrics
from api.app import create_app
from api.compose import route_templates
from api.deps import Limits
from ports.stores import StoreUnavailable


async def test_an_idempotency_key_is_needed_and_means_one_thing(
    client: httpx.AsyncClient, world: World
) -> None:
    bare = await client.post("/orders", json=new_order(), headers={"Idempotency-Key": ""})
    assert (bare.status_code, bare.json()["code"]) == (400, "idempotency_key_missing")
    key = {"Idempotency-Key": "one"}
    first = await client.post("/orders", json=new_order(), headers=key)
    again = await client.post("/orders", json=new_order(), headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    other = await client.post("/orders", json=new_order("1002"), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    stranger = world.key("admin") | key
    assert (await client.post("/orders", json=new_order("7"), headers=stranger)).is_success


async def test_errors_are_problem_documents_whatever_went_wrong(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = {
        "not_found": await client.get("/nowhere"),
        "method_not_allowed": await client.put("/orders"),
        "invalid_request": await client.post("/orders/api-1001/holds", json={"reason": 1, "x": 1}),
    }

    def broken(*_: object) -> None:
        raise RuntimeError("a secret detail")

    def away(*_: object) -> None:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(world.store, "get", broken)
    cases["internal_error"] = await client.get("/orders/api-1001")
    monkeypatch.setattr(world.store, "get", away)
    cases["unavailable"] = await client.get("/orders/api-1001")
    for code, answer in cases.items():
        assert answer.headers["content-type"] == "application/problem+json", code
        assert answer.json()["code"] == code
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(cases["internal_error"].json()) == {
        "type",
        "title",
        "status",
        "code",
        "detail",
        "id",
    }
    assert "secret" not in cases["internal_error"].text
    assert (cases["unavailable"].status_code, "retry-after" in cases["unavailable"].headers) == (
        503, True)  # fmt: skip


async def test_too_many_requests_are_told_when_to_come_back(world: World) -> None:
    deps = world.deps(limits=Limits(per_key=5, per_address=8))
    transport = httpx.ASGITransport(app=create_app(deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        by_key = [(await client.get("/policy", headers=world.keys)).status_code for _ in range(6)]
        by_address = [(await client.get("/policy")).status_code for _ in range(3)]
        last = await client.get("/policy")
    assert by_key == [200] * 5 + [429]
    assert by_address[-1] == 429
    assert (last.json()["code"], int(last.headers["retry-after"]) > 0) == ("rate_limited", True)


async def test_a_slow_body_is_given_up(world: World) -> None:
    from api.door import Door

    async def never() -> Any:
        await asyncio.sleep(60)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    door = Door(create_app(world.deps()), world.deps(limits=Limits(read_seconds=0.05)))
    scope = {"type": "http", "path": "/orders", "headers": [], "client": ("1.2.3.4", 1)}
    await door(scope, never, send)
    assert sent[0]["status"] == 408


async def test_health_and_readiness(client: httpx.AsyncClient, world: World) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    world.orders.away = True
    assert (await client.get("/readyz")).json() == {"database": True, "temporal": False}
    assert (await client.get("/metrics")).status_code == 200


async def test_requests_are_counted_by_route_never_by_path(world: World) -> None:
    counts = Metrics(("api",), route_templates())
    transport = httpx.ASGITransport(app=create_app(world.deps(counts=counts)))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        await client.get("/orders/api-secret", headers=world.keys)
        await client.get("/o/token-secret")
        page = (await client.get("/metrics")).text
    assert 'waybill_http_requests_total{route="/orders/{order_id}",status="404"} 1.0' in page
    assert 'route="/o/{token}"' in page
    assert "secret" not in page
