"""Stripe's dialect: form bodies, bearer keys, errors, lists, expansion."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request

from testbed.database import Json
from testbed.operations import Call, Refusal, Wire
from testbed.world import World

API_VERSION = "2026-10-28.endive"
_KEY = re.compile(r"^Bearer sk_test_\w+$")
_PART = re.compile(r"[^\[\]]+")


def nested(pairs: Iterable[tuple[str, str]]) -> Json:
    """Return ``a[b][c]=`` and ``a[0]=`` and ``a[]=`` pairs as dictionaries and lists."""
    tree: Json = {}
    for name, value in pairs:
        path = _PART.findall(name)
        branch = tree
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
        leaf = path[-1]
        if name.endswith("[]"):
            branch = branch.setdefault(leaf, {})
            leaf = str(len(branch))
        branch[leaf] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    members = {name: _listed(member) for name, member in value.items()}
    if members and all(name.isdigit() for name in members):
        return [members[name] for name in sorted(members, key=int)]
    return members


class StripeWire(Wire):
    """Any ``sk_test_…`` key is accepted, none is not."""

    scope = "stripe"

    def authorise(self, world: World, header: str) -> None:
        if not _KEY.match(header):
            message = "You did not provide a valid API key: use `Authorization: Bearer sk_test_…`."
            raise Refusal(401, self.failure(401, message))

    async def params(self, request: Request) -> Json:
        raw = request.url.query
        if request.method == "POST":
            raw = (await request.body()).decode()
        return nested(parse_qsl(raw, keep_blank_values=True))

    def failure(self, status: int, message: str, code: str | None = None) -> Json:
        kind = "api_error" if status >= 500 else "invalid_request_error"
        if code == "idempotency_error":
            kind, code = code, None
        if status == 429:
            code = "rate_limit"
        return {"error": {"type": kind, "message": message, **({"code": code} if code else {})}}

    def facts(self, call: Call) -> Json:
        asked = call.path.get("id") or call.params.get("payment_intent")
        known = call.world.db.get(str(asked or call.params.get("charge") or "")) or {}
        metadata = known.get("metadata") or {}
        return {f"metadata.{name}": value for name, value in metadata.items()}


def refuse(message: str, code: str | None = None, param: str | None = None, **more: Any) -> Refusal:
    """Return Stripe's 400 ``invalid_request_error``."""
    error = {"type": "invalid_request_error", "message": message, **more}
    error |= {"code": code} if code else {}
    error |= {"param": param} if param else {}
    return Refusal(400, {"error": error})


def missing(call: Call, kind: str, object_id: str) -> Refusal:
    """Return Stripe's refusal of an id that is not there: 404 in the path, 400 in the body."""
    message = f"No such {kind}: '{object_id}'"
    error = {"type": "invalid_request_error", "code": "resource_missing", "message": message}
    return Refusal(404 if object_id == call.path.get("id") else 400, {"error": error})


def stored(call: Call, kind: str, object_id: str) -> Json:
    """Return a stored object or refuse."""
    found = call.world.db.get(object_id, kind)
    if found is None:
        raise missing(call, kind, object_id)
    return found


def required(call: Call, name: str) -> str:
    """Return a parameter that must be there."""
    value = call.params.get(name)
    if value in (None, ""):
        raise refuse(f"Missing required param: {name}.", "parameter_missing", name)
    return str(value)


def whole(call: Call, name: str, default: int) -> int:
    """Return a parameter in minor units (or a count), zero or more."""
    value = call.params.get(name)
    if value in (None, ""):
        return default
    if not str(value).isdecimal():
        raise refuse(f"Invalid integer: {value}", "parameter_invalid_integer", name)
    return int(str(value))


def truth(call: Call, name: str, default: bool = False) -> bool:
    """Return a boolean parameter."""
    return {"true": True, "false": False}.get(str(call.params.get(name, "")).lower(), default)


def merged(metadata: Json, change: Any) -> Json:
    """Return metadata with a change applied; an empty value takes a key out, as at Stripe."""
    if not isinstance(change, dict):
        return {} if change == "" else metadata
    both = {**metadata, **change}
    return {name: value for name, value in both.items() if value != ""}


def expanded(call: Call, body: Json) -> Json:
    """Return the body with the paths of ``expand`` replaced by the objects they name."""
    for path in call.params.get("expand") or []:
        _expand(call, body, str(path).split("."))
    return body


def _expand(call: Call, body: Any, path: list[str]) -> None:
    if isinstance(body, list):
        for member in body:
            _expand(call, member, path)
    if not isinstance(body, dict) or not path:
        return
    value = body.get(path[0])
    if isinstance(value, str):
        value = body[path[0]] = call.world.db.get(value) or value
    _expand(call, value, path[1:])
