"""The codec endpoint: who may see clear text, from which page, and what is written down of it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from google.protobuf import json_format
from starlette.exceptions import HTTPException
from starlette.requests import Request
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload, Payloads

from adapters.temporal.codec import EncryptionCodec
from adapters.temporal.codec_server import MAX_BYTES, codec_routes, demo_caller
from adapters.temporal.keys import KeyRing

UI = "https://temporal.shop.example"
DEMO_UI = "http://127.0.0.1:8233"
CLEAR = Payload(metadata={"encoding": b"json/plain"}, data=b'"jane@example.com"')


async def _admin(request: Request) -> str:
    """Stand in for the API's own check of keys."""
    match request.headers.get("authorization", ""):
        case "":
            raise HTTPException(401, "a key is needed", {"WWW-Authenticate": "Bearer"})
        case "Bearer wb_admin":
            return "key:ann"
    raise HTTPException(403, "this needs the scope admin")


def _app(ring: KeyRing, ui_origin: str, caller: Any) -> FastAPI:
    app = FastAPI()
    routes = codec_routes(EncryptionCodec(ring), ui_origin=ui_origin, caller=caller)
    app.include_router(APIRouter(routes=routes))
    return app


@pytest.fixture
async def server(ring: KeyRing) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(_app(ring, UI, _admin))
    async with httpx.AsyncClient(transport=transport, base_url="https://waybill.example") as client:
        yield client


async def _sealed(ring: KeyRing, count: int = 1) -> str:
    payloads = Payloads(payloads=await EncryptionCodec(ring).encode([CLEAR] * count))
    return json_format.MessageToJson(payloads)


KEY = {"authorization": "Bearer wb_admin"}


async def test_an_admin_sees_clear_text_and_it_is_written_down(
    server: httpx.AsyncClient, ring: KeyRing
) -> None:
    with capture_logs() as lines:
        answer = await server.post(
            "/codec/decode",
            content=await _sealed(ring, 3),
            headers={**KEY, "origin": UI, "x-namespace": "shop"},
        )
    assert answer.status_code == 200
    assert json_format.Parse(answer.content, Payloads()).payloads[2] == CLEAR
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["cache-control"] == "no-store"
    (line,) = lines
    assert (line["event"], line["who"], line["count"], line["namespace"]) == (
        "codec.decoded",
        "key:ann",
        3,
        "shop",
    )
    assert "jane" not in json.dumps(lines)


async def test_what_is_encoded_can_be_decoded(server: httpx.AsyncClient) -> None:
    clear = json_format.MessageToJson(Payloads(payloads=[CLEAR]))
    sealed = await server.post("/codec/encode", content=clear, headers=KEY)
    assert "json/plain" not in sealed.text
    opened = await server.post("/codec/decode", content=sealed.content, headers=KEY)
    assert json_format.Parse(opened.content, Payloads()).payloads[0] == CLEAR


@pytest.mark.parametrize("route", ["/codec/decode", "/codec/encode"])
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "unauthenticated"),
        ({"origin": UI}, 401, "unauthenticated"),
        ({"authorization": "Bearer wb_reader"}, 403, "forbidden"),
        ({**KEY, "origin": "https://evil.example"}, 403, "forbidden"),
        ({**KEY, "origin": "null"}, 403, "forbidden"),
        ({**KEY, "origin": UI + ".evil.example"}, 403, "forbidden"),
    ],
)
async def test_others_see_nothing(
    server: httpx.AsyncClient,
    ring: KeyRing,
    route: str,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = await server.post(route, content=await _sealed(ring), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "payloads" not in answer.text
    own = headers.get("origin") == UI
    assert answer.headers.get("access-control-allow-origin") == (UI if own else None)


@pytest.mark.parametrize(("origin", "status"), [(UI, 204), ("https://evil.example", 403)])
async def test_a_browser_is_let_in_from_the_ui_only(
    server: httpx.AsyncClient, origin: str, status: int
) -> None:
    answer = await server.options(
        "/codec/decode",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-namespace",
        },
    )
    assert answer.status_code == status
    allowed = answer.headers.get("access-control-allow-headers", "")
    assert ("x-namespace" in allowed) == (status == 204)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b"\xff\xfe", 400),
        (b'{"payloads": 5}', 400),
        (b'{"payloads": [{"data": 5}]}', 400),
        (b"[" * 5000, 400),
        (b'{"payloads": [' + b",".join([b"{}"] * 2001) + b"]}", 413),
        (b" " * (MAX_BYTES + 1), 413),
    ],
)
async def test_nonsense_is_refused(server: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await server.post("/codec/decode", content=body, headers=KEY)
    assert answer.status_code == status


async def test_a_payload_of_a_lost_key_says_which(
    server: httpx.AsyncClient, old_ring: KeyRing
) -> None:
    foreign = json_format.MessageToJson(
        Payloads(payloads=[Payload(metadata={"encoding": b"sealed/n9"})])
    )
    answer = await server.post("/codec/decode", content=foreign, headers=KEY)
    assert answer.status_code == 400
    assert "n9" in answer.json()["detail"]


async def test_without_a_ui_origin_no_browser_is_let_in(ring: KeyRing) -> None:
    transport = httpx.ASGITransport(_app(ring, "", _admin))
    async with httpx.AsyncClient(transport=transport, base_url="https://waybill.example") as client:
        for origin in (UI, ""):
            answer = await client.post("/codec/decode", headers={**KEY, "origin": origin})
            assert answer.status_code == 403


@pytest.mark.parametrize(
    ("peer", "host", "headers", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8000", {"origin": DEMO_UI}, 200),
        ("::1", "localhost:8000", {"origin": DEMO_UI}, 200),
        ("192.168.1.7", "127.0.0.1:8000", {"origin": DEMO_UI}, 403),
        ("127.0.0.1", "rebound.evil.example:8000", {"origin": DEMO_UI}, 403),
        ("127.0.0.1", "127.0.0.1:8000", {"origin": "https://evil.example"}, 403),
        ("127.0.0.1", "127.0.0.1:8000", {}, 403),
        ("127.0.0.1", "127.0.0.1:8000", {"origin": DEMO_UI, "x-forwarded-for": "1.2.3.4"}, 403),
    ],
)
async def test_the_demo_decodes_for_its_own_machine_and_ui_only(
    ring: KeyRing, peer: str, host: str, headers: dict[str, str], status: int
) -> None:
    app = _app(ring, DEMO_UI, demo_caller(DEMO_UI))
    transport = httpx.ASGITransport(app, client=(peer, 5))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        answer = await client.post("/codec/decode", content=await _sealed(ring), headers=headers)
    assert answer.status_code == status
