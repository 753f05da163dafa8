"""EasyPost's dialect: JSON bodies, bearer keys, errors, pages."""

import json
from typing import Any

from fastapi import Request

from testbed.database import Json
from testbed.operations import Call, Refusal, Wire
from testbed.world import World


class EasyPostWire(Wire):
    """Any API key is accepted, as bearer or as the user name of basic authentication."""

    scope = "easypost"

    def authorise(self, world: World, header: str) -> None:
        if not header.startswith(("Bearer ", "Basic ")) or not header.split(" ", 1)[1].strip():
            raise Refusal(401, self.failure(401, "API key required.", "APIKEY.REQUIRED"))

    async def params(self, request: Request) -> Json:
        if request.method == "GET":
            return dict(request.query_params)
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refusal(400, self.failure(400, "The body is not a JSON object."))
        # The SDK wraps what it creates: {"shipment": {…}}.
        for wrapper in ("shipment", "tracker"):
            if isinstance(body.get(wrapper), dict):
                return dict(body[wrapper])
        return body

    def failure(self, status: int, message: str, code: str | None = None) -> Json:
        default = {429: "RATE_LIMITED", 503: "SERVICE.UNAVAILABLE"}.get(status)
        code = code or default or ("INTERNAL_SERVER_ERROR" if status >= 500 else "BAD_REQUEST")
        return {"error": {"code": code, "message": message, "errors": []}}

    def facts(self, call: Call) -> Json:
        known = call.world.db.get(call.path.get("id", "")) or {}
        return {name: known.get(name) for name in ("reference", "tracking_code", "is_return")}


def refuse(status: int, code: str, message: str, errors: list[Json] | None = None) -> Refusal:
    """Return an EasyPost error."""
    return Refusal(status, {"error": {"code": code, "message": message, "errors": errors or []}})


def stored(call: Call, kind: str) -> Json:
    """Return the object of the path, by its id or its reference, or refuse with 404."""
    found = call.world.db.get(call.id, kind) or _by_reference(call, kind)
    if found is None:
        raise refuse(404, "NOT_FOUND", "The requested resource could not be found.")
    return found


def _by_reference(call: Call, kind: str) -> Json | None:
    sql = (
        "SELECT id FROM object WHERE kind = ? AND owner = ?"
        " ORDER BY json_extract(body, '$.postage_label') IS NULL, seq"
    )
    row = call.world.db.row(sql, kind, call.id)
    return call.world.db.get(row["id"]) if row else None


def page(call: Call, kind: str, name: str, owner: str = "", **filters: Any) -> Json:
    """Return newest first by ``page_size`` and ``before_id``; filters compare for equality."""
    asked = str(call.params.get("page_size", "20"))
    size = min(max(int(asked) if asked.isdecimal() else 20, 1), 100)
    where, values = "kind = ?", [kind]
    if owner:
        where, values = where + " AND owner = ?", [*values, owner]
    for field, value in filters.items():
        if value is not None:
            where += f" AND json_extract(body, '$.{field}') = ?"
            values.append(value)
    if call.params.get("before_id"):
        where += " AND seq < (SELECT seq FROM object WHERE id = ?)"
        values.append(str(call.params["before_id"]))
    purchased = str(call.params.get("purchased", "" if owner else "true")).lower()
    if kind == "shipment" and purchased in ("true", "false"):
        bought = purchased == "true"
        where += f" AND json_extract(body, '$.postage_label') IS {'NOT ' if bought else ''}NULL"
    sql = f"SELECT body FROM object WHERE {where} ORDER BY seq DESC LIMIT {size + 1}"
    found = [json.loads(row["body"]) for row in call.world.db.rows(sql, *values)]
    return {name: found[:size], "has_more": len(found) > size}
