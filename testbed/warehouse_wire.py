"""The warehouse protocol's dialect: JSON both ways, one bearer key.

``POST /warehouse/shipments``             a pick order → 202, or 422 ``{accepted: false, reason}``
``POST /warehouse/shipments/{id}/cancel`` → ``{outcome: "cancelled" | "too_late", reason}``
``POST /warehouse/returns``               announces a parcel that will come back → 202
"""

import hmac
import json
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from testbed.database import Json
from testbed.operations import Call, Refusal, Wire
from testbed.world import World


class Line(BaseModel):
    """Units of one order line."""

    line_id: str
    sku: str = ""
    quantity: int = Field(ge=1)


class PickOrder(BaseModel):
    """What to pick, where, for whom."""

    model_config = ConfigDict(extra="allow")

    shipment_id: str = Field(min_length=1)
    order_id: str
    location: str
    lines: list[Line] = Field(min_length=1)
    ship_to: Json


class PickOrderCancel(BaseModel):
    """Lines to leave out; none means all."""

    lines: list[Line] | None = None


class ExpectedReturn(BaseModel):
    """A parcel that will come back."""

    model_config = ConfigDict(extra="allow")

    return_id: str = Field(min_length=1)
    order_id: str
    location: str
    tracking_number: str
    lines: list[Line] = Field(min_length=1)


class WarehouseWire(Wire):
    """The bearer key is the setting ``warehouse_key``."""

    scope = "warehouse"
    other_parameters_status = 409

    def authorise(self, world: World, header: str) -> None:
        expected = f"Bearer {world.settings.warehouse_key}"
        if not hmac.compare_digest(header.encode(), expected.encode()):
            raise Refusal(401, self.failure(401, "wrong or missing key"))

    async def params(self, request: Request) -> Json:
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refusal(400, self.failure(400, "the body is not a JSON object"))
        return body

    def failure(self, status: int, message: str, code: str | None = None) -> Json:
        return {"error": code or "refused", "reason": message}

    def facts(self, call: Call) -> Json:
        sql = "SELECT order_id, location, lines FROM warehouse_shipment WHERE shipment_id = ?"
        row = call.world.db.row(sql, call.path.get("id", "")) or {}
        skus = [line["sku"] for line in json.loads(row.pop("lines", "[]"))]
        return {**row, "sku": skus, "shipment_id": call.path.get("id")}


Body = TypeVar("Body", bound=BaseModel)


def parsed(model: type[Body], params: Json) -> Body:
    """Return the parameters as that model, or refuse with 400."""
    try:
        return model.model_validate(params)
    except ValidationError as problem:
        reasons = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in problem.errors()]
        raise Refusal(400, {"error": "invalid", "reason": "; ".join(reasons)}) from problem
