"""What is too large, too deep, too many or too slow is refused; what just fits is not."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from adapters.settings import Settings
from api.app import create_app
from api.deps import Limits
from api.door import Door
from tests.api.api_world import World, new_order
from tests.door.knock import Answer, knock
from tests.door.senders import SENDERS, text
from tests.door.shop import deps_of
from tests.storefronts.hostile import nested
from tests.storefronts.platforms import body_of

API, WEBHOOK = 256 * 1024, 1024 * 1024
PLACES = [("/orders", API), ("/locations", API), ("/o/token/cancel", API),
          *((sender.path, WEBHOOK) for sender in SENDERS)]  # fmt: skip
JSON = {"content-type": "application/json"}


def json_of(size: int) -> bytes:
    """Return a JSON body of exactly so many bytes."""
    return b'{"a": "' + b"x" * (size - 9) + b'"}'


def headers_of(shop: World, key: str) -> dict[str, str]:
    return {**shop.keys, **JSON, "idempotency-key": key}


def test_the_limits_are_those_that_are_promised() -> None:
    limits, settings = Limits(), Settings.model_fields
    assert (limits.body, limits.webhook, limits.json_depth) == (API, WEBHOOK, 32)
    assert (limits.read_seconds, limits.verdict_seconds) == (10, 5)
    named = ("body_limit", "webhook_limit", "json_depth")
    assert tuple(settings[name].default for name in named) == (API, WEBHOOK, 32)


@pytest.mark.parametrize(("path", "limit"), PLACES)
@pytest.mark.parametrize("length", ["true", "too small", "none", "rubbish"])
async def test_a_body_that_fits_is_read_and_one_byte_more_is_not(
    shop: World, app: FastAPI, path: str, limit: int, length: str
) -> None:
    for size, refused in ((limit, False), (limit + 1, True)):
        body = json_of(size)
        headers = headers_of(shop, f"size-{size}-{length}")
        given = {"true": str(size), "too small": "5", "rubbish": "\xb2"}.get(length)
        if given:
            headers["content-length"] = given
        chunks = [body[at : at + 40_000] for at in range(0, size, 40_000)]
        answer = await knock(app, "POST", path, headers, chunks)
        assert (answer.code == "too_large") == refused, (size, answer)
        assert (answer.status == 413) == refused


@pytest.mark.parametrize(("path", "limit"), PLACES)
async def test_a_body_without_end_is_not_read_to_its_end(
    app: FastAPI, path: str, limit: int
) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 10_000
            yield b" " * 10_000

    assert (await knock(app, "POST", path, JSON, endless())).code == "too_large"
    assert read <= limit + 20_000


async def test_a_length_that_says_too_much_is_refused_unread(app: FastAPI) -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("was read")
        yield b""

    for length in (str(API + 1), "9" * 30, "9" * 6000):
        headers = {**JSON, "content-length": length}
        assert (await knock(app, "POST", "/orders", headers, never())).code == "too_large"


@pytest.mark.parametrize("path", [path for path, _ in PLACES])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "identity, gzip", "x"])
async def test_a_compressed_body_is_refused_whatever_it_unpacks_to(
    shop: World, app: FastAPI, path: str, encoding: str
) -> None:
    for body in (gzip.compress(b"{}"), zlib.compress(b" " * 10**7), b"{}"):
        headers = {**headers_of(shop, "packed"), "content-encoding": encoding}
        answer = await knock(app, "POST", path, headers, body)
        assert (answer.status, answer.code) == (415, "content_encoding")


@pytest.mark.parametrize("path", [path for path, _ in PLACES])
async def test_json_of_32_levels_is_read_and_of_33_is_not(
    shop: World, app: FastAPI, path: str
) -> None:
    def at(depth: int, inner: str = "1") -> list[bytes]:
        pairs = '{"a":' * (depth // 2) + "[" * (depth - depth // 2) + inner
        pairs += "]" * (depth - depth // 2) + "}" * (depth // 2)
        return [pairs.encode(), json.dumps(nested(depth, "[{")).encode()]

    for number, (body, deep) in enumerate(
        [(b, False) for b in at(32, '"[{\\"[["')] + [(b, True) for b in (*at(33), b"[" * 200_000)]
    ):
        answer = await knock(app, "POST", path, headers_of(shop, f"deep-{number}"), body)
        assert ((answer.status, answer.code) == (400, "too_deep")) == deep, body[:80]


LINES: list[tuple[str, Any, str]] = [
    ("/orders/api-1001/cancel", {"lines": [{"line_id": "l1", "quantity": 1}]}, "lines"),
    ("/orders/api-1001/lines", {"set": [{"line_id": "l1", "quantity": 1}]}, "set"),
    ("/orders/api-1001/lines",
     {"add": [{"line_id": "l2", "sku": "MUG", "quantity": 1, "unit_price": 1}]}, "add"),
    ("/orders/api-1003/returns", {"lines": [{"line_id": "l1", "quantity": 1}]}, "lines"),
    ("/returns/api-1003-r1/receive", {"lines": [{"line_id": "l1", "quantity": 1}]}, "lines"),
    ("/returns/api-1003-r1/inspect", {"lines": [{"line_id": "l1", "quantity": 1}]}, "lines"),
    ("/shipments/api-1001-s1/picked", {"lines": [{"line_id": "l1", "quantity": 1}]}, "lines"),
    ("/shipments/api-1001-s1/short-picked", {"lines": [{"line_id": "l1", "quantity": 1}]}, "lines"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "name"), LINES)
async def test_a_command_names_at_most_500_lines(
    shop: World, app: FastAPI, path: str, body: Any, name: str
) -> None:
    for lines in (500, 501):
        headers = headers_of(shop, f"{path}-{name}-{lines}")
        answer = await knock(app, "POST", path, headers, text({name: body[name] * lines}))
        refused = answer.code == "invalid_request" and answer.json["errors"][0]["field"] == name
        assert refused == (lines > 500), answer


@pytest.mark.parametrize("lines", [500, 501])
async def test_an_order_has_at_most_500_lines(shop: World, app: FastAPI, lines: int) -> None:
    placed = new_order(f"long-{lines}")
    (line,) = placed["lines"]
    placed["lines"] = [{**line, "line_id": f"l{n}", "unit_price": 0} for n in range(lines)]
    answers = {"api": await knock(app, "POST", "/orders", headers_of(shop, placed["number"]),
                                  text(placed))}  # fmt: skip
    for sender in SENDERS[:3]:
        body = body_of(sender.name)
        name = "lines" if sender.name == "generic" else "line_items"
        body["id" if "id" in body else "external_id"] = str(10**6 + lines)
        body[name] = [
            {**body[name][1], ("line_id" if name == "lines" else "id"): f"{n}"}
            for n in range(lines)
        ]
        body.pop("order_discount", None)
        raw = text(body)
        topic = {"x-shopify-topic": "orders/create", "x-wc-webhook-topic": "order.created"}
        headers = {**topic, **sender.sign(raw)}
        answers[sender.name] = await knock(app, "POST", sender.path, headers, raw)
    for name, answer in answers.items():
        assert too_many(answer) == (lines > 500), (name, answer.body[:500])
        assert answer.status == (422 if lines > 500 else 202), (name, answer.body[:500])


def too_many(answer: Answer) -> bool:
    errors = answer.json.get("errors", [])
    return answer.status == 422 and any("line" in one["field"].split("[")[0] for one in errors)


async def test_a_page_has_at_most_200_rows(shop: World, app: FastAPI) -> None:
    paged = [
        path
        for path, operations in app.openapi()["paths"].items()
        if any(one["name"] == "limit" for one in operations.get("get", {}).get("parameters", ()))
    ]
    assert {"/alerts", "/orders", "/products"} <= set(paged)
    body = {"sku": "P", "title": "Many"}
    for n in range(205):
        await knock(
            app, "POST", "/products", headers_of(shop, f"p{n}"), text({**body, "sku": f"P{n}"})
        )
    for path in paged:
        for limit, status in (("200", 200), ("201", 422), ("0", 422), ("-1", 422), ("1e9", 422)):
            answer = await knock(app, "GET", path, shop.keys, query=f"limit={limit}".encode())
            assert answer.status == status, (path, limit)
            assert status != 200 or len(answer.json["rows"]) <= 200
    rows = (await knock(app, "GET", "/products", shop.keys, query=b"limit=200")).json
    assert (len(rows["rows"]), bool(rows["next_cursor"])) == (200, True)


async def test_a_body_that_drips_or_stops_is_given_up(shop: World) -> None:
    deps = deps_of(shop)
    limits = Limits(read_seconds=0.05)
    door = Door(create_app(deps), shop.deps(limits=limits))
    for drips in (True, False):
        sent: list[Any] = []

        async def receive(drips: bool = drips) -> Any:
            if drips:
                await asyncio.sleep(0.001)
                return {"type": "http.request", "body": b" ", "more_body": True}
            await asyncio.Event().wait()

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        scope = {"type": "http", "path": "/orders", "headers": [], "client": ("192.0.2.1", 1)}
        await asyncio.wait_for(door(scope, receive, send), 5)
        assert sent[0]["status"] == 408


async def test_waiting_for_a_verdict_ends(shop: World, app: FastAPI) -> None:
    body = text(new_order("patient"))
    waited = knock(app, "POST", "/orders", headers_of(shop, "patient"), body, b"wait=verdict")
    answer = await asyncio.wait_for(waited, 5)
    assert (answer.status, answer.json["status"]) == (202, "received")
