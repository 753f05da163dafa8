"""What the warehouse is asked to do: pick orders, their cancellation, announced returns."""

import json

from fastapi import APIRouter

from testbed.database import Json
from testbed.operations import Call, Desk, Refusal
from testbed.warehouse_floor import RETURN, WORK
from testbed.warehouse_wire import (
    ExpectedReturn,
    Line,
    PickOrder,
    PickOrderCancel,
    WarehouseWire,
    parsed,
)
from testbed.world import World

CANCELLABLE = ("accepted", "picked", "short_picked", "picked_told")
GONE = ("cancelled", "refused", "stopped")


def warehouse_desk(world: World) -> Desk:
    """Return the warehouse's counter."""
    desk = Desk(world, WarehouseWire(), APIRouter(prefix="/warehouse"))
    desk.serve("POST", "/shipments", "warehouse.accept", accept, status=202)
    desk.serve("GET", "/shipments/{id:path}", "warehouse.retrieve", retrieve)
    desk.serve("POST", "/shipments/{id:path}/cancel", "warehouse.cancel", cancel)
    desk.serve("POST", "/returns", "warehouse.announce_return", announce_return, status=202)
    return desk


def accept(call: Call) -> Json:
    """Take a pick order, once per shipment id; a repeat gets the first answer."""
    order, db = parsed(PickOrder, call.params), call.world.db
    request = json.dumps(call.params, sort_keys=True)
    known = db.row("SELECT * FROM warehouse_shipment WHERE shipment_id = ?", order.shipment_id)
    if known and known["request"] != request:
        raise Refusal(409, {"accepted": False, "reason": "this shipment id has another body"})
    if known:
        return _accepted(order.shipment_id, known["status"], known["reason"])
    refused = call.fault if call.fault and call.fault.kind in ("refuse", "decline") else None
    status = "refused" if refused else "accepted"
    reason = (refused.code or "location cannot ship today") if refused else None
    db.insert(
        "warehouse_shipment",
        shipment_id=order.shipment_id,
        order_id=order.order_id,
        location=order.location,
        request=request,
        lines=_dumped(order.lines),
        status=status,
        reason=reason,
        accepted_at=call.world.now(),
    )
    if not refused:
        due = call.world.now() + call.world.settings.warehouse_step_seconds
        call.world.agenda.add(WORK, order.shipment_id, due)
    return _accepted(order.shipment_id, status, reason)


def _accepted(shipment_id: str, status: str, reason: str | None) -> Json:
    if status == "refused":
        raise Refusal(422, {"accepted": False, "reason": reason})
    return {"accepted": True, "warehouse_ref": f"WMS-{shipment_id}"}


def _dumped(lines: list[Line]) -> str:
    return json.dumps([line.model_dump() for line in lines])


def retrieve(call: Call) -> Json:
    """Show a pick order as the warehouse sees it."""
    row = _stored(call)
    return {**row, "request": json.loads(row["request"]), "lines": json.loads(row["lines"])}


def _stored(call: Call) -> Json:
    row = call.world.db.row("SELECT * FROM warehouse_shipment WHERE shipment_id = ?", call.id)
    if row is None:
        raise Refusal(404, {"error": "not_found", "reason": f"no shipment {call.id}"})
    return row


def cancel(call: Call) -> Json:
    """Agree until packed. Leaving out lines is repeatable only under one Idempotency-Key."""
    row, asked = _stored(call), parsed(PickOrderCancel, call.params)
    if row["status"] in GONE:
        return {"outcome": "cancelled", "reason": f"already {row['status']}, nothing leaves"}
    late = call.fault is not None and call.fault.kind == "too_late"
    if late or row["status"] not in CANCELLABLE:
        return {"outcome": "too_late", "reason": f"the shipment is {row['status']}"}
    lines = [] if asked.lines is None else _without(json.loads(row["lines"]), asked.lines)
    if lines:
        sql = "UPDATE warehouse_shipment SET lines = ? WHERE shipment_id = ?"
        call.world.db.run(sql, json.dumps(lines), call.id)
        return {"outcome": "cancelled", "reason": "lines left out"}
    sql = (
        "UPDATE warehouse_shipment SET status = 'cancelled', cancelled_at = ? WHERE shipment_id = ?"
    )
    call.world.db.run(sql, call.world.now(), call.id)
    return {"outcome": "cancelled", "reason": "not packed yet"}


def _without(lines: list[Json], left_out: list[Line]) -> list[Json]:
    held = {line["line_id"]: line for line in lines}
    for line in left_out:
        there = held.get(line.line_id)
        if there is None or there["quantity"] < line.quantity:
            reason = f"line {line.line_id}: {line.quantity} units are not in this shipment"
            raise Refusal(422, {"error": "not_in_shipment", "reason": reason})
        there["quantity"] -= line.quantity
    return [line for line in lines if line["quantity"] > 0]


def announce_return(call: Call) -> Json:
    """Expect a parcel, once per return id; it may already have arrived."""
    expected, db = parsed(ExpectedReturn, call.params), call.world.db
    request = json.dumps(call.params, sort_keys=True)
    known = db.row("SELECT * FROM warehouse_return WHERE return_id = ?", expected.return_id)
    if known and known["request"] != request:
        raise Refusal(409, {"accepted": False, "reason": "this return id has another body"})
    if known is None:
        db.insert(
            "warehouse_return",
            return_id=expected.return_id,
            order_id=expected.order_id,
            location=expected.location,
            tracking_number=expected.tracking_number,
            request=request,
            lines=_dumped(expected.lines),
            status="announced",
            announced_at=call.world.now(),
        )
        return_arrived(call.world, expected.tracking_number)
    return {"accepted": True, "warehouse_ref": f"WMS-{expected.return_id}"}


def return_arrived(world: World, number: str) -> None:
    """Start on the announced returns of a parcel, once the carrier has delivered it."""
    sql = "SELECT 1 FROM parcel WHERE tracking_number = ? AND delivered_at IS NOT NULL"
    if world.db.row(sql, number) is None:
        return
    sql = (
        "SELECT return_id FROM warehouse_return WHERE tracking_number = ? AND status = 'announced'"
    )
    due = world.now() + world.settings.warehouse_step_seconds
    for row in world.db.rows(sql, number):
        world.agenda.drop(RETURN, row["return_id"])
        world.agenda.add(RETURN, row["return_id"], due)
