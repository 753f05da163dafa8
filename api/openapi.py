"""The OpenAPI document: what FastAPI derives, with our problem document and order body in it."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.deps import Deps
from api.door import UNLIMITED
from api.problems import MEDIA_TYPE, PROBLEM_SCHEMA, refusals

TAGS = [
    {"name": "orders", "description": "Place orders and read them."},
    {"name": "commands", "description": "Change the course of a running order."},
    {"name": "returns", "description": "Goods that come back."},
    {"name": "warehouse", "description": "What a warehouse tells about a shipment."},
    {"name": "documents", "description": "Labels and packing slips."},
    {"name": "stock", "description": "Levels, receipts, corrections."},
    {"name": "catalogue", "description": "Locations and products."},
    {"name": "availability", "description": "Available to promise."},
    {"name": "policy", "description": "The merchant's rules."},
    {"name": "operators", "description": "Alerts, and forgetting a customer."},
    {"name": "webhooks", "description": "Signed events of storefronts, carriers and providers."},
    {"name": "health", "description": "For monitors."},
]

ORDER_EXAMPLE: dict[str, Any] = {
    "external_id": "1001",
    "number": "1001",
    "placed_at": "2026-01-05T10:00:00Z",
    "currency": "EUR",
    "customer": {"email": "ada@example.com", "name": "Ada Lovelace"},
    "ship_to": {
        "name": "Ada Lovelace",
        "line1": "Unter den Linden 1",
        "city": "Berlin",
        "postal_code": "10117",
        "country": "DE",
    },
    "lines": [
        {"line_id": "1", "sku": "MUG-BLUE", "title": "Blue mug", "quantity": 2, "unit_price": 1250}
    ],
    "total": 2500,
    "payment": {"form": "method", "provider": "stripe", "method": "pm_card_visa"},
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "place_order": ORDER_EXAMPLE,
    "cancel_order": {"lines": [{"line_id": "1", "quantity": 1}], "reason": "ordered one too many"},
    "change_address": {"address": ORDER_EXAMPLE["ship_to"], "reason": "moved"},
    "change_lines": {"set": [{"line_id": "1", "quantity": 3}], "add": [], "reason": "one more"},
    "place_hold": {"reason": "customer asked to wait", "on_expiry": "release"},
    "review_order": {"decision": "accept", "reason": "called the customer"},
    "new_payment_method": {"method": "pm_card_visa", "customer": "cus_123"},
    "reschedule": {"deliver_on": "2026-12-23"},
    "request_return": {
        "lines": [{"line_id": "1", "quantity": 1}],
        "reason": "too small",
        "resolution": "refund",
    },
    "packed": {
        "parcel": {"weight_grams": 800, "length_mm": 300, "width_mm": 200, "height_mm": 120}
    },
    "short_picked": {"lines": [{"line_id": "1", "quantity": 1}]},
    "receive_stock": {"sku": "MUG-BLUE", "location": "berlin", "quantity": 40},
    "adjust_stock": {"sku": "MUG-BLUE", "location": "berlin", "quantity": -1, "note": "broken"},
    "count_stock": {"location": "berlin", "on_hand": 39, "safety_stock": 5},
    "announce_stock": {
        "sku": "MUG-BLUE",
        "location": "berlin",
        "quantity": 200,
        "expected_on": "2026-12-01",
    },
    "erase_customer": {"email": "ada@example.com"},
    "create_location": {"code": "berlin", "name": "Berlin", "time_zone": "Europe/Berlin"},
    "create_product": {"sku": "MUG-BLUE", "title": "Blue mug", "grams": 350},
}


HEADERS: dict[str, Any] = {
    "X-Request-Id": {
        "required": True,
        "description": "Names this request in our logs.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "Retry-After": {
        "required": True,
        "description": "Seconds to wait before asking again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


def describe(app: FastAPI, deps: Deps) -> None:
    """Make ``app.openapi`` return the whole document, once built."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, deps)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI, deps: Deps) -> dict[str, Any]:
    found = get_openapi(
        title=app.title,
        version=app.version,
        description="Durable order fulfilment. Errors are problem documents (RFC 9457) with a "
        "stable `code`; money is integer minor units; times are UTC.",
        routes=app.routes,
        tags=TAGS,
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    schemas.update(_order_schemas(deps))
    found["components"]["headers"] = HEADERS
    for path, operations in found["paths"].items():
        for operation in operations.values():
            _add_door(path, operation)
            _finish(operation)
    return found


def _add_door(path: str, operation: dict[str, Any]) -> None:
    """Name what ``api.door`` refuses before a route is asked."""
    refused: tuple[int, ...] = () if path in UNLIMITED else (429,)
    if "requestBody" in operation or path.startswith("/webhooks/"):
        refused += (400, 408, 413, 415, 422)
    for status, response in refusals(*refused).items():
        operation["responses"].setdefault(str(status), response)


def _order_schemas(deps: Deps) -> dict[str, Any]:
    """Return the schema of ``POST /orders`` with its parts moved to where references look."""
    whole = dict(deps.order_schema) or {"type": "object"}
    parts = whole.pop("$defs", {})
    return {**parts, "NewOrder": whole}


def _finish(operation: dict[str, Any]) -> None:
    """Give an operation its example, and each refusal the problem document alone."""
    example = EXAMPLES.get(operation.get("operationId", ""))
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if example and content is not None:
        content["example"] = example
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for status, response in operation.get("responses", {}).items():
        names = ["X-Request-Id"]
        if status.isdigit() and int(status) >= 400:
            response["content"] = {MEDIA_TYPE: problem}
        if status in ("429", "503"):
            names.append("Retry-After")
        refs = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        response["headers"] = {**response.get("headers", {}), **refs}
