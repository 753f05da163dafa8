"""Values that would be taken, and break something later, are refused by the field's name."""

import json
from typing import Any

import pytest
from fastapi import FastAPI

from domain.policy import Policy
from tests.api.api_world import World, new_order
from tests.door.knock import Answer, knock

LATE, EARLY = "9999-12-31", "0001-01-01"
POLICY: dict[str, Any] = Policy().model_dump(mode="json")


async def ask(shop: World, app: FastAPI, method: str, path: str, body: bytes) -> Answer:
    key = {"idempotency-key": f"{method} {path} {hash(body)}", "content-type": "application/json"}
    return await knock(app, method, path, {**shop.keys, **key}, body)


def fields(answer: Answer) -> list[str]:
    return [one["field"] for one in answer.json.get("errors", [])]


@pytest.mark.parametrize("day", [LATE, EARLY, 0, 1772366400])
@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/orders/api-1001/reschedule", {}, "deliver_on"),
        ("POST", "/orders", new_order("late"), "deliver_on"),
        ("POST", "/products", {"sku": "LATE"}, "launch_on"),
        ("PUT", "/products/MUG", {"sku": "MUG"}, "launch_on"),
        (
            "POST",
            "/stock/inbound",
            {"sku": "MUG", "location": "berlin", "quantity": 1},
            "expected_on",
        ),
    ],
)
async def test_a_day_that_no_deadline_can_be_reckoned_from_is_refused(
    shop: World, app: FastAPI, method: str, path: str, body: Any, field: str, day: Any
) -> None:
    answer = await ask(shop, app, method, path, json.dumps({**body, field: day}).encode())
    assert (answer.status, fields(answer)) == (422, [field])


@pytest.mark.parametrize("moment", [f"{LATE}T23:59:59Z", f"{EARLY}T00:00:00+23:59", 5])
async def test_neither_is_a_moment(shop: World, app: FastAPI, moment: Any) -> None:
    hold = json.dumps({"reason": "wait", "expires_at": moment}).encode()
    answer = await ask(shop, app, "POST", "/orders/api-1001/holds", hold)
    assert (answer.status, fields(answer)) == (422, ["expires_at"])
    order = json.dumps(new_order("late", placed_at=moment)).encode()
    answer = await ask(shop, app, "POST", "/orders", order)
    assert (answer.status, fields(answer)) == (422, ["placed_at"])


@pytest.mark.parametrize(
    ("part", "name"),
    [("clocks", "warehouse"), ("returns", "window"), ("routing", "handling_days")],
)
async def test_a_policy_with_which_no_deadline_could_be_reckoned_is_refused(
    shop: World, app: FastAPI, part: str, name: str
) -> None:
    policy = {**POLICY, part: {**POLICY[part], name: 10**12}}
    answer = await ask(shop, app, "PUT", "/policy", json.dumps(policy).encode())
    assert (answer.status, fields(answer)) == (422, [f"{part}.{name}"])


@pytest.mark.parametrize(
    "body",
    [
        b'{"code": "odd", "latitude": NaN}',
        b'{"code": "odd", "latitude": -Infinity}',
        b'{"code": "odd", "code": "even"}',
        b'{"code": "odd", "name": "a\\u0000b"}',
        b'{"code": "odd", "name": "\\ud800"}',
        b'{"code": "odd", "name": "\xff"}',
        '{"code": "odd"}'.encode("utf-16"),
        b'{"code": "odd", "priority": ' + b"9" * 5000 + b"}",
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "application/vnd.x+json; v=1", ""])
async def test_json_that_two_readers_would_read_differently_is_refused(
    shop: World, app: FastAPI, kind: str, body: bytes
) -> None:
    headers = {**shop.keys, "idempotency-key": "odd", **({"content-type": kind} if kind else {})}
    answer = await knock(app, "POST", "/locations", headers, body)
    assert (answer.status, answer.code, fields(answer)) == (422, "invalid_request", ["body"])
    assert "odd" not in {one.code for one in shop.store.locations()}
