"""``Idempotency-Key``: the same question twice is one effect and one answer.

Kept are answers that will not change. An answer that says "ask again" (``Retry-After``), a
refusal of the caller (401, 403, 404, 429) and a failure (5xx) are forgotten, so that the same key
may be tried again; further in, the key is also the update's id, so that is safe.
"""

from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.access import authenticate
from api.deps import Deps
from api.problems import Problem, ask_again, respond

HEADER = "Idempotency-Key"
LONGEST = 255
NOT_KEPT = frozenset({401, 403, 404, 408, 413, 429})

KEY_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": "Your own id of this request; the same key is carried out once.",
    "schema": {"type": "string", "maxLength": LONGEST},
}


class IdempotentRoute(APIRoute):
    """A route whose POST needs an ``Idempotency-Key`` and answers a repeat from memory."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler; other methods pass."""
        answer = super().get_route_handler()

        async def once(request: Request) -> Response:
            if request.method != "POST":
                return await answer(request)
            return await _once(request, answer)

        return once


async def _once(
    request: Request, answer: Callable[[Request], Coroutine[Any, Any, Response]]
) -> Response:
    caller = await authenticate(request)
    key = key_of(request)
    store = request.app.state.deps.store
    now = request.app.state.deps.now()
    fingerprint = await _fingerprint(request)
    seen = await run_in_threadpool(store.begin, caller.key_id, key, fingerprint, now)
    if seen:
        return _repeat(*seen)
    try:
        response = await answer(request)
    except Exception as error:
        response = respond(error)
    except BaseException:
        await run_in_threadpool(store.forget, caller.key_id, key)
        raise
    await _settle(request.app.state.deps, caller.key_id, key, response)
    return response


async def _settle(deps: Deps, caller: str, key: str, response: Response) -> None:
    body = bytes(response.body).decode("utf-8", "replace")
    status = response.status_code
    if status >= 500 or status in NOT_KEPT or "retry-after" in response.headers:
        await run_in_threadpool(deps.store.forget, caller, key)
    else:
        await run_in_threadpool(deps.store.finish, caller, key, status, body)


def _repeat(status: int, body: str) -> Response:
    if status == 0:
        raise ask_again(409, "idempotency_in_progress", "The first request is still running.")
    media_type = "application/problem+json" if status >= 400 else "application/json"
    return Response(body, status, {"Idempotent-Replayed": "true"}, media_type)


async def _fingerprint(request: Request) -> str:
    """Hash what is asked: where and what, so that one key cannot mean two things."""
    asked = sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    asked.update(await request.body())
    return asked.hexdigest()


def key_of(request: Request) -> str:
    """Return the request's idempotency key; raises 400 ``idempotency_key_missing``."""
    key = request.headers.get(HEADER, "").strip()
    if not key or len(key) > LONGEST or not key.isprintable():
        raise Problem(
            400, "idempotency_key_missing", f"{HEADER} is needed: 1 to {LONGEST} characters."
        )
    return key


def effect_id(request: Request, caller: str) -> str:
    """Return the id under which the request's effect is made once: never another caller's.

    Methods other than POST may leave the key out; then each request is its own effect.
    """
    key = request.headers.get(HEADER, "").strip()[:LONGEST] or str(request.state.request_id)
    return f"{caller}:{key}"
