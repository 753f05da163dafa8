"""The codec endpoint: lets the Temporal UI and CLI show payloads in the clear.

It hands out what encryption hides, so each call is authenticated by the check it is built
with, each decode is logged with who and how much, and a browser may call it from one origin only.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from google.protobuf import json_format
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from adapters.settings_check import is_loopback
from adapters.temporal.codec import UnreadablePayload

MAX_BYTES = 8 << 20
MAX_PAYLOADS = 2_000
log = structlog.get_logger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]
Caller = Callable[[Request], Awaitable[Any]]
"""Returns who asks (a name, or what has an ``actor``), or raises ``HTTPException`` 401 or 403."""


def codec_routes(codec: PayloadCodec, *, ui_origin: str, caller: Caller) -> list[BaseRoute]:
    """Return ``POST /codec/decode`` and ``/codec/encode`` as Temporal's remote codecs speak.

    Plain Starlette routes; FastAPI takes them as ``APIRouter(routes=codec_routes(...))``.

    Args:
        ui_origin: ``scheme://host:port`` of the Temporal UI; empty allows no browser at all.
        caller: who asks; ``demo_caller`` for a demonstration, an admin API key otherwise.
    """

    async def decode(request: Request) -> Response:
        """Open sealed payloads; those that are not sealed come back as they are."""
        return await _answer(request, await caller(request), "decoded", codec.decode)

    async def encode(request: Request) -> Response:
        """Seal payloads, for input that is typed into the UI."""
        return await _answer(request, await caller(request), "encoded", codec.encode)

    return [
        Route(f"/codec/{name}", _only_from(ui_origin, endpoint), methods=["POST", "OPTIONS"])
        for name, endpoint in (("decode", decode), ("encode", encode))
    ]


def demo_caller(ui_origin: str) -> Caller:
    """Return the caller check of a demonstration, whose UI has no key to send.

    Both ends must be this machine: the peer, and the ``Host`` that was asked for (a web page that
    rebinds its own name to 127.0.0.1 still sends its name). A browser must also say that the page
    is the UI's.
    """

    async def caller(request: Request) -> str:
        peer = request.client.host if request.client else ""
        asked = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        if not (is_loopback(peer) and is_loopback(asked)) or "x-forwarded-for" in request.headers:
            raise HTTPException(403, "the demo decodes only for this machine")
        if request.headers.get("origin") != ui_origin:
            raise HTTPException(403, "the demo decodes only for the Temporal UI")
        return "demo"

    return caller


async def _answer(
    request: Request,
    caller: Any,
    verb: str,
    work: Callable[[list[Payload]], Awaitable[list[Payload]]],
) -> Response:
    payloads = _payloads(await _body(request))
    who = str(getattr(caller, "actor", caller))
    namespace = request.headers.get("x-namespace", "")[:100]
    try:
        done = await work(payloads)
    except UnreadablePayload as error:
        log.warning("codec.unreadable", who=who, count=len(payloads), why=str(error))
        raise HTTPException(400, str(error)) from None
    log.info(f"codec.{verb}", who=who, count=len(done), namespace=namespace)
    return Response(
        json_format.MessageToJson(Payloads(payloads=done), indent=None),
        media_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise HTTPException(413, f"more than {MAX_BYTES} bytes")
    return bytes(body)


def _payloads(body: bytes) -> list[Payload]:
    try:
        payloads = list(json_format.Parse(body, Payloads(), max_recursion_depth=10).payloads)
    except (json_format.ParseError, UnicodeDecodeError, RecursionError):
        raise HTTPException(400, "not the JSON of Temporal payloads") from None
    if len(payloads) > MAX_PAYLOADS:
        raise HTTPException(413, f"more than {MAX_PAYLOADS} payloads")
    return payloads


def _only_from(ui_origin: str, endpoint: Endpoint) -> Endpoint:
    """Add CORS for one origin to every answer, refusals included, and answer preflights."""
    cors = {
        "Access-Control-Allow-Origin": ui_origin,
        "Access-Control-Allow-Methods": "POST, OPTIONS",
        "Access-Control-Allow-Headers": "authorization, content-type, x-namespace",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Max-Age": "600",
    }

    async def checked(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and (not ui_origin or origin != ui_origin):
            return _problem(403, "this origin may not decode")
        try:
            preflight = request.method == "OPTIONS"
            answer = Response(status_code=204) if preflight else await endpoint(request)
        except HTTPException as error:
            answer = _problem(error.status_code, error.detail, getattr(error, "code", ""))
            answer.headers.update(error.headers or {})
        answer.headers.update({"Vary": "Origin", **(cors if origin is not None else {})})
        return answer

    return checked


def _problem(status: int, detail: str, code: str = "") -> Response:
    codes = {401: "unauthenticated", 403: "forbidden", 413: "too_large"}
    code = code or codes.get(status, "bad_request")
    return JSONResponse(
        {
            "type": f"urn:waybill:problem:{code}",
            "status": status,
            "title": "Not decoded",
            "detail": detail[:500],
            "code": code,
        },
        status_code=status,
        media_type="application/problem+json",
    )
