"""Who gets in where: every route of the table, with no key, with each scope, with another's key.

A new route fails here until it is written down who may use it.
"""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from adapters.security.api_keys import create
from adapters.temporal.codec_server import codec_routes
from api.app import create_app
from api.compose import _admin
from domain.stock import Queued
from ports.access import Scope
from tests.api.api_world import NOON, World, picture
from tests.door.knock import Answer, knock
from tests.door.likely import BODIES
from tests.door.routes import Door, doors
from tests.door.shop import KNOWN, deps_of

OPEN = frozenset({"/healthz", "/metrics", "/openapi.json", "/readyz", "/static"})
SIGNED, LINKED = "/webhooks/", "/o/{token}"
ADMIN = {Scope.ADMIN}
WRITE, READ = {Scope.ORDERS_WRITE, *ADMIN}, {Scope.ORDERS_READ, *ADMIN}
STOCK, WAREHOUSE = {Scope.STOCK_WRITE, *ADMIN}, {Scope.SHIPMENTS_WRITE, *ADMIN}
MAY: dict[str, set[Scope]] = {
    "GET /orders": READ,
    "GET /policy": READ,
    "GET /returns": READ | WAREHOUSE,
    "GET /shipments": READ | WAREHOUSE,
    "GET /availability": READ | WRITE | STOCK,
    "GET /locations": READ | WRITE | STOCK,
    "GET /products": READ | WRITE | STOCK,
    "GET /stock": READ | WRITE | STOCK,
    "POST /orders": WRITE,
    "PATCH /orders": WRITE,
    "DELETE /orders": WRITE,
    "POST /returns/{return_id}/authorise": WRITE,
    "POST /returns/{return_id}/cancel": WRITE,
    "POST /returns/{return_id}/inspect": WAREHOUSE | {Scope.REFUNDS_WRITE},
    "POST /returns/{return_id}/receive": WAREHOUSE | {Scope.REFUNDS_WRITE},
    "POST /shipments": WAREHOUSE,
    **{f"{method} {path}": STOCK for method in ("POST", "PUT", "DELETE")
       for path in ("/locations", "/products", "/stock")},
    "PUT /policy": ADMIN,
    "POST /policy": ADMIN,
    "GET /alerts": ADMIN,
    "POST /alerts": ADMIN,
    "POST /customers": ADMIN,
    "POST /codec": ADMIN,
}  # fmt: skip
"""Who may, by method and the beginning of the path; the longest that fits counts."""

ABOUT_ALL = ("/alerts", "/customers", "/codec", "PUT /policy")
"""What no key that is bound to channels may do: it is about every channel."""


@pytest.fixture(scope="module")
def app(shop: World) -> FastAPI:
    class Clear:
        async def encode(self, payloads: Any) -> list[Any]:
            return [*payloads]

        decode = encode

    codec = codec_routes(Clear(), ui_origin="https://ui.example", caller=_admin)  # type: ignore[arg-type]
    return create_app(replace(deps_of(shop), routers=(APIRouter(routes=codec),)))


def guarded(app: FastAPI) -> list[Door]:
    """Return the routes that need a key."""
    proving = (SIGNED, LINKED)
    needing = [d for d in doors(app) if d.path not in OPEN and not d.path.startswith(proving)]
    return [door for door in needing if door.method != "OPTIONS"]


class Caller:
    """Knocks at doors with a key, each time with an idempotency key of its own."""

    numbers = count()

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        paths = app.openapi()["paths"]
        self._names = {
            Door(method.upper(), path): operation["operationId"]
            for path, operations in paths.items()
            for method, operation in operations.items()
        }

    async def __call__(
        self, door: Door, key: dict[str, str], ids: dict[str, str] | None = None
    ) -> Answer:
        name = self._names.get(door, "")
        known = {parameter: KNOWN[parameter][0] for parameter in door.parameters}
        headers = {**key, "idempotency-key": f"walk-{next(self.numbers)}"}
        body = b"" if door.method == "GET" else json.dumps(BODIES.get(name, {})).encode()
        query = b"sku=MUG" if door.path == "/availability" else b""
        path = door.path.format(**{**known, **(ids or {})})
        headers["content-type"] = "application/json"
        return await knock(self._app, door.method, path, headers, body, query)


def may(door: Door) -> set[Scope]:
    """Return who may; a route that is not written down has nobody."""
    asked = f"{door.method} {door.path}"
    fitting = [name for name in MAY if (asked + "/").startswith(name + "/")]
    assert fitting, f"{asked}: a new route; write down in MAY who may use it"
    return MAY[max(fitting, key=len)]


def test_the_table_has_every_documented_route(app: FastAPI) -> None:
    documented = {
        Door(method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    assert documented <= set(doors(app))
    assert len(guarded(app)) > 45


async def test_no_route_answers_without_a_live_key(shop: World, app: FastAPI) -> None:
    over = create("over", [Scope.ADMIN])
    shop.store.add_key(over.key.model_copy(update={"expires_at": NOON}), over.key_hash)
    gone = create("gone", [Scope.ADMIN])
    shop.store.add_key(gone.key, gone.key_hash)
    shop.store.revoke(gone.key.key_id)
    admin = shop.keys["Authorization"]
    secrets = {
        "none": "",
        "unknown": "Bearer wb_" + "0" * 43,
        "over": f"Bearer {over.secret}",
        "revoked": f"Bearer {gone.secret}",
        "another scheme": admin.replace("Bearer", "Basic"),
        "cut": admin[:-1],
        "twice as long": admin * 40,
    }
    call, seen = Caller(app), {}
    for door in guarded(app):
        for what, secret in secrets.items():
            answer = await call(door, {"Authorization": secret} if secret else {})
            assert (answer.status, answer.code) == (401, "unauthenticated"), (door, what)
            assert answer.headers["www-authenticate"] == "Bearer"
            seen[what] = answer.body
    assert len(set(seen.values())) == 1, "a key that is over is told from one that never was"


async def test_each_scope_opens_its_routes_and_no_others(shop: World, app: FastAPI) -> None:
    keys = {scope: shop.key(scope) for scope in Scope}
    call = Caller(app)
    for door in guarded(app):
        allowed = may(door)
        for scope, key in keys.items():
            answer = await call(door, key)
            let_in = answer.status not in (401, 403)
            assert let_in == (scope in allowed), (door, scope, answer.status)
            assert answer.status < 500


async def test_what_belongs_to_another_channel_is_as_unknown_as_what_never_was(
    shop: World, app: FastAPI
) -> None:
    stranger, call = shop.key("admin", channels=("shop",)), Caller(app)
    told, walked = len(shop.orders.told), 0
    for door in guarded(app):
        owned = [one for one in door.parameters if one in ("order_id", "shipment_id", "return_id")]
        if not owned:
            continue
        walked += 1
        foreign = await call(door, stranger)
        unknown = await call(door, stranger, dict.fromkeys(owned, "never-was"))
        assert (foreign.status, foreign.code) == (404, "not_found"), door
        assert foreign.body == unknown.body, door
        assert foreign.headers.keys() == unknown.headers.keys(), door
    assert walked > 20
    assert len(shop.orders.told) == told


async def test_a_key_bound_to_channels_does_nothing_that_is_about_all(
    shop: World, app: FastAPI
) -> None:
    bound, call, refused = shop.key("admin", channels=("shop",)), Caller(app), 0
    for door in guarded(app):
        if f"{door.method} {door.path}".startswith(ABOUT_ALL) or door.path.startswith(ABOUT_ALL):
            refused += 1
            answer = await call(door, bound)
            assert (answer.status, answer.code) == (403, "forbidden"), door
    assert refused >= 6


async def test_lists_and_answers_hold_nothing_of_another_channel(shop: World, app: FastAPI) -> None:
    bound = {**shop.key("admin", channels=("shop",)), "content-type": "application/json"}
    draft = json.dumps({"grading": {"rules": [{"name": "all", "when": "true", "score": 100}]}})
    asks = (
        ("GET", "/orders", b""),
        ("POST", "/policy/check", draft.encode()),
        ("POST", "/stock/receipts", b'{"sku": "CUP", "location": "berlin", "quantity": 9}'),
    )
    waits = Queued(order_id="api-1006", line_id="l1", sku="CUP", quantity=3, priority=1, since=NOON)
    shop.store.project(picture("api-1006", version=9), queue=[waits])
    for number, (method, path, body) in enumerate(asks):
        answer = await knock(app, method, path, {**bound, "idempotency-key": f"own-{number}"}, body)
        assert answer.status in (200, 201)
        assert b"api-10" not in answer.body, path
    assert shop.orders.told[-1][0] == "api-1006", "it was told, and the caller was not told so"
    assert b"shop-1001" in (await knock(app, "GET", "/orders", bound)).body
    for query in (b"channel=api", b"q=1002"):
        assert not (await knock(app, "GET", "/orders", bound, query=query)).json["rows"]
    headers = {**bound, "idempotency-key": "elsewhere"}
    placed = await knock(app, "POST", "/orders", headers, b"{}", b"channel=api")
    assert placed.status == 403


async def test_open_routes_are_open_and_signed_and_linked_ones_prove_themselves(
    shop: World, app: FastAPI
) -> None:
    call = Caller(app)
    for door in doors(app):
        if door.path.startswith(SIGNED):
            assert (await call(door, shop.keys)).status == 401, door
        elif door.path.startswith(LINKED):
            answer = await call(door, shop.keys, {"token": "not-a-link"})
            changes_nothing = door.method == "GET" and answer.status == 303
            assert answer.status == 404 or changes_nothing, door
        elif door.method == "OPTIONS":
            answer = await call(door, {})
            assert (answer.status, answer.body) == (204, b""), door
            assert "access-control-allow-origin" not in answer.headers
        elif door.path in OPEN - {"/static"}:
            assert (await call(door, {})).status == 200, door


async def test_a_link_serves_its_order_and_its_purpose_only(shop: World, app: FastAPI) -> None:
    until = NOON + timedelta(hours=1)
    view = shop.links.issue("api-1001", "view", until)
    other = shop.links.issue("api-1002", "cancel", until)
    asked = len(shop.orders.asked)
    for token in (view, other, view[:-1], view + "A", view.swapcase(), "", "\x00"):
        form = f"form={token}&what=all".encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        answer = await knock(app, "POST", f"/o/{view}/cancel", kind, form)
        assert answer.status == 200, "the page is shown again"
        assert b"open for too long" in answer.body
    assert len(shop.orders.asked) == asked
    for token in (other, view[:-1], view.swapcase()):
        assert (await knock(app, "GET", f"/o/{token}")).status == 404
