"""What is checked before any route sees a request, and what every answer carries.

Size, encoding and nesting of the body, payment card numbers, and the rate. Pure ASGI: the body is
read once, up to its limit, and handed on whole; webhooks are verified over exactly these bytes.
"""

import asyncio
from time import perf_counter
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import Deps
from api.problems import Problem, errors_of, respond
from api.rate import Rates
from domain.errors import InvalidOrder

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

UNLIMITED = frozenset({"/healthz", "/readyz", "/metrics"})
OWN_LIMITS = ("/codec/",)
"""Payloads of Temporal, which checks their size and caller itself."""


class Door:
    """The outermost layer of the API."""

    def __init__(self, app: ASGIApp, deps: Deps) -> None:
        self._app = app
        self._deps = deps
        self._rates = Rates(deps.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, hand it on, and put the headers on its answer."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        began, status = perf_counter(), 500
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, int(message["status"])
                headers = MutableHeaders(scope=message)
                if str(scope["path"]).startswith("/static/"):
                    headers.setdefault("Cache-Control", "public, max-age=3600")
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = request_id
            await send(message)

        try:
            handed_on = await self._checked(scope, receive)
            await self._app(scope, handed_on, send_with_headers)
        except Exception as error:
            if started:
                raise
            await respond(error)(scope, receive, send_with_headers)
        finally:
            self._deps.counts.request(route_of(scope), status, perf_counter() - began)

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        headers, path = Headers(scope=scope), str(scope["path"])
        if path not in UNLIMITED:
            self._rates.take(scope, headers)
        if path.startswith(OWN_LIMITS):
            return receive
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(415, "content_encoding", "Send the body as it is, not compressed.")
        webhook = path.startswith("/webhooks/")
        limits = self._deps.limits
        body = await self._body(receive, headers, limits.webhook if webhook else limits.body)
        refuse_deep(body, limits.json_depth)
        if body and not webhook:
            self._refuse_cards(body, headers.get("content-type", ""))
        return _replay(body, receive)

    async def _body(self, receive: Receive, headers: Headers, limit: int) -> bytes:
        too_large = Problem(413, "too_large", f"The body is larger than {limit} bytes.")
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:20]) > limit:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._deps.limits.read_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        # The caller is gone in the middle of a sentence: what came is not what
                        # was meant, and an empty body may mean "all".
                        raise Problem(400, "cut_off", "The body did not arrive whole.")
                    body += message.get("body", b"")
                    if len(body) > limit:
                        raise too_large
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise Problem(408, "too_slow", "The body took too long to arrive.") from None

    def _value(self, body: bytes, content_type: str) -> Any:
        """Return a body as form fields or as JSON; what says it is neither is for the route.

        The route's own parser takes a key twice, NaN and half a character, and means by them
        something that no other reader does.
        """
        try:
            if content_type.startswith("application/x-www-form-urlencoded"):
                return parse_qs(body.decode("utf-8"), max_num_fields=2000)
            return self._deps.read_json(body)
        except InvalidOrder as refused:
            if not says_json(content_type):
                return None
            raise Problem(
                422, "invalid_request", "The body is not right.", **errors_of(refused.problems)
            ) from None
        except (ValueError, RecursionError):
            return None

    def _refuse_cards(self, body: bytes, content_type: str) -> None:
        try:
            self._deps.refuse_cards(self._value(body, content_type))
        except InvalidOrder as found:
            raise Problem(
                422,
                "card_number",
                "Card numbers are never accepted here; send your payment provider's reference.",
                **errors_of(found.problems),
            ) from None


def says_json(content_type: str) -> bool:
    """Tell whether a body is called JSON, or nothing at all."""
    kind = content_type.partition(";")[0].strip().lower()
    return not kind or kind.endswith(("/json", "+json"))


def route_of(scope: Scope) -> str:
    """Return the template of the route that answered, never the path itself."""
    return str(getattr(scope.get("route"), "path", ""))


def refuse_deep(body: bytes, deepest: int) -> None:
    """Refuse JSON nested deeper than ``deepest`` before any parser recurses into it."""
    if body.count(b"[") + body.count(b"{") <= deepest:
        return
    depth, in_text, escaped = 0, False, False
    for byte in body:
        if in_text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            depth += 1
            if depth > deepest:
                raise Problem(400, "too_deep", f"JSON is nested deeper than {deepest} levels.")
        elif byte in b"]}":
            depth -= 1


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
