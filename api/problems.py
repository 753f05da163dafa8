"""What the API says when it says no: RFC 9457 problem details with a stable ``code``.

HTTPException
└── Problem                 every refusal of the API itself
DomainError                 a refusal by rule: 409, or 422 when what was sent is at fault
ProviderUnavailable         database or Temporal away: 503 with Retry-After
anything else               a bug: 500 with an id and nothing more
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from domain.errors import DomainError, FieldsAtFault, ProviderUnavailable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
LONGEST = 500

TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    410: "Gone",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported encoding",
    422: "Not acceptable as sent",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available now",
}
CODES = {404: "not_found", 405: "method_not_allowed"}

AT_FAULT = frozenset(
    {
        "invalid_order",
        "invalid_address",
        "invalid_policy",
        "invalid_lines",
        "line_unknown",
        "hold_unknown",
        "return_unknown",
        "quantity",
        "lines",
        "disposition",
        "expires_at",
        "expiry",
        "decision",
        "deliver_on",
        "method",
        "resolution_not_offered",
        "card_number",
        "idempotency_key_reused",
        "not_returnable",
        "bad_cursor",
        "bad_request",
        "bad_value",
    }
)
"""Codes of ``DomainError`` that blame what was sent (422); all others blame the moment (409)."""

UNKNOWN = frozenset({"unknown_policy"})
"""Codes of ``DomainError`` that say that there is no such thing (404)."""


class Problem(HTTPException):
    """A refusal of the API. ``more`` are further members of the problem document."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.more = more


def not_found(what: str = "order") -> Problem:
    """Return the one answer for what is unknown and for what belongs to somebody else."""
    return Problem(404, "not_found", f"No such {what}.")


def ask_again(status: int, code: str, detail: str, seconds: int = 1) -> Problem:
    """Return a refusal that time alone may lift."""
    return Problem(status, code, detail, {"Retry-After": str(seconds)})


def document(
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """Return a problem as a response; ``detail`` is cut to a readable length."""
    body = {
        "type": f"urn:waybill:problem:{code}",
        "title": TITLES.get(status, "Problem"),
        "status": status,
        "code": code,
        "detail": detail[:LONGEST],
        **(more or {}),
    }
    return JSONResponse(body, status, dict(headers or {}), media_type=MEDIA_TYPE)


def respond(error: Exception) -> Response:
    """Return the problem response of any error; the one translation of errors in the API."""
    match error:
        case Problem():
            return document(error.status_code, error.code, error.detail, error.headers, error.more)
        case HTTPException():
            code = CODES.get(error.status_code, "bad_request")
            return document(error.status_code, code, str(error.detail), error.headers)
        case RequestValidationError():
            return document(
                422, "invalid_request", "Some fields are not right.", more=_fields(error.errors())
            )
        case FieldsAtFault():
            return document(422, error.code, str(error), more=errors_of(error.problems))
        case DomainError():
            status = status_of(error.code)
            return document(status, error.code, str(error))
        case ProviderUnavailable():
            seconds = str(max(1, round(error.retry_after or 2)))
            return document(
                503, "unavailable", "Please ask again in a moment.", {"Retry-After": seconds}
            )
        case _:
            return _bug(error)


def status_of(code: str) -> int:
    """Return the status of a refusal by rule."""
    return 422 if code in AT_FAULT else 404 if code in UNKNOWN else 409


def errors_of(problems: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return (field, message) pairs as the ``errors`` member."""
    return {"errors": [{"field": field, "message": text[:LONGEST]} for field, text in problems]}


def _fields(errors: Sequence[Any]) -> dict[str, Any]:
    """Name the fields, never repeat what stood in them."""
    places = [
        (".".join(str(part) for part in error["loc"] if part != "body"), str(error["msg"]))
        for error in errors[:50]
    ]
    return errors_of(places)


def _bug(error: Exception) -> Response:
    number = uuid4().hex
    log.error("bug %s: %s", number, type(error).__name__, exc_info=error)
    return document(500, "internal_error", "Something went wrong on our side.", more={"id": number})


async def _handle(_: Request, error: Exception) -> Response:
    return respond(error)


def install(app: FastAPI) -> None:
    """Make every known error of ``app`` a problem document; ``api.door`` catches the rest."""
    for family in (HTTPException, RequestValidationError, DomainError, ProviderUnavailable):
        app.add_exception_handler(family, _handle)


PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; branch on this."},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI ``responses`` of these refusals."""
    return {
        status: {
            "description": TITLES[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }
