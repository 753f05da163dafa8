"""One request to an ASGI application, byte for byte as given: no client mends it on the way."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message

Pairs = Iterable[tuple[str, str]]


class Answer(NamedTuple):
    """What came back; header names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code, or nothing."""
        kind = self.headers.get("content-type", "")
        return str(self.json["code"]) if kind == "application/problem+json" else ""


async def knock(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Mapping[str, str] | Pairs = (),
    body: bytes | Iterable[bytes] = b"",
    query: bytes = b"",
) -> Answer:
    """Send a request and return its answer.

    Args:
        headers: pairs may repeat a name; nothing is added, so ``Content-Length`` is left out.
        body: several chunks are sent one after the other.
    """
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    chunks = iter([body] if isinstance(body, bytes) else body)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(name.lower().encode("latin-1"), _raw(value)) for name, value in pairs],
        "client": ("192.0.2.1", 1234),
        "server": ("testserver", 80),
        "state": {},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        chunk = next(chunks, None)
        if chunk is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": chunk, "more_body": not isinstance(body, bytes)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    found = {n.decode("latin-1"): v.decode("latin-1") for n, v in sent[0]["headers"]}
    return Answer(int(sent[0]["status"]), found, b"".join(one.get("body", b"") for one in sent[1:]))


def _raw(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
