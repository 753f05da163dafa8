"""Who may do what: every route, with no key, too small a key, and somebody else's order."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from api_world import World, new_order, picture

from adapters.telemetry.metrics import Metrics
from api.app import create_app
from api.compose import route_templates
from api.deps import Limits
from domain.progress import ReturnProgress, ShipmentStatus
from ports.stores import StoreUnavailable

OPEN = {"/healthz", "/readyz", "/metrics"}
OWN_PROOF = ("/webhooks/",)
ID = {"order_id": "api-1001", "shipment_id": "api-1001-s1", "return_id": "api-1001-r1",
      "hold_id": "h1", "sku": "MUG", "code": "berlin", "alert_id": "1"}  # fmt: skip
BODIES: dict[str, Any] = {
    "place_order": new_order("1002"),
    "change_address": {"address": {"line1": "2 Low St", "country": "DE"}},
    "place_hold": {"reason": "wait"},
    "review_order": {"decision": "accept"},
    "new_payment_method": {"method": "pm_1"},
    "reschedule": {"deliver_on": "2026-04-01"},
    "request_return": {"lines": [{"line_id": "l1", "quantity": 1}]},
    "packed": {"parcel": {"weight_grams": 800}},
    "receive_stock": {"sku": "MUG", "location": "berlin", "quantity": 1},
    "adjust_stock": {"sku": "MUG", "location": "berlin", "quantity": 1},
    "count_stock": {"location": "berlin", "on_hand": 1},
    "announce_stock": {
        "sku": "MUG",
        "location": "berlin",
        "quantity": 1,
        "expected_on": "2026-04-01",
    },
    "erase_customer": {"email": "ann@example.com"},
    "create_location": {"code": "berlin"},
    "put_location": {"code": "berlin"},
    "create_product": {"sku": "MUG"},
    "put_product": {"sku": "MUG"},
}


def routes(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield (method, path, operation) of every documented route."""
    for path, operations in create_app(world.deps()).openapi()["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation["operationId"]


async def call(
    client: httpx.AsyncClient, method: str, path: str, name: str, key: dict[str, str] | None
) -> httpx.Response:
    headers = {"Idempotency-Key": f"{name}-{id(key)}", **(key or {"Authorization": ""})}
    query = {"sku": "MUG"} if name == "availability" else {}
    body = BODIES.get(name, {} if method in ("POST", "PUT", "PATCH") else None)
    return await client.request(method, path.format(**ID), json=body, headers=headers, params=query)


async def test_every_route_refuses_no_key_and_too_small_a_key(
    client: httpx.AsyncClient, world: World
) -> None:
    await client.post("/orders", json=new_order())
    powerless = world.key("refunds:write")
    reader = world.key("orders:read")
    guarded = [route for route in routes(world) if not route[1].startswith(OWN_PROOF)]
    assert len(guarded) > 40
    for method, path, name in guarded:
        if path in OPEN:
            continue
        nobody = await call(client, method, path, name, None)
        assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthenticated"), name
        small = reader if name in ("receive_return", "inspect_return") else powerless
        refused = await call(client, method, path, name, small)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), name


async def test_what_belongs_to_another_channel_does_not_exist(
    client: httpx.AsyncClient, world: World
) -> None:
    await client.post("/orders", json=new_order())
    pictured = picture(
        shipment=ShipmentStatus.LABELLED,
        returns=(ReturnProgress(return_id=ID["return_id"], lines=()),),
    )
    world.project(pictured)
    stranger = world.key("admin", channels=("shop",))
    of_orders = [r for r in routes(world) if "{order_id}" in r[1] or "{shipment_id}" in r[1]
                 or "{return_id}" in r[1]]  # fmt: skip
    assert len(of_orders) > 20
    for method, path, name in of_orders:
        foreign = await call(client, method, path, name, stranger)
        assert foreign.status_code == 404, name
        missing = path.format(**dict.fromkeys(ID, "none"))
        unknown = await call(client, method, missing, name, dict(stranger))
        assert foreign.json()["code"] == unknown.json()["code"] == "not_found", name
        assert foreign.json()["detail"] == unknown.json()["detail"], name
    rows = await client.get("/orders", headers=stranger)
    assert rows.json()["rows"] == []
    bound = await client.post("/orders?channel=api", json=new_order("9"), headers=stranger)
    assert bound.status_code == 403


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
