"""The independent witness: what really happened outside, whatever the callers believe."""

import json
import re
from typing import Any

from testbed.database import Json
from testbed.world import World

PARCEL_FIELDS = (
    "tracking_number, shipment_id, tracker_id, reference, carrier, service, cost, currency,"
    " is_return, status, fate, scans, bought_at, refund_status, refund_requested_at, refunded_at,"
    " handed_over_at, delivered_at"
)


def record(world: World, kind: str, intent: Json, object_id: str, amount: int, **more: Any) -> None:
    """Append one payment row; amounts in minor units, always zero or more.

    ``more`` may hold ``metadata`` (laid over the intent's, for calls that carry their own) and
    ``key`` (the idempotency key of the call). ``purpose`` and the order are read from metadata.
    """
    metadata = {**intent["metadata"], **(more.get("metadata") or {})}
    world.db.insert(
        "ledger",
        at=world.now(),
        kind=kind,
        order_id=order_of(metadata),
        purpose=metadata.get("purpose"),
        intent=intent["id"],
        object_id=object_id,
        amount=amount,
        currency=intent["currency"],
        metadata=json.dumps(metadata),
        idempotency_key=more.get("key"),
    )


def order_of(metadata: Json) -> str:
    """Return the order that metadata names; a storefront's own ``order_id`` counts last."""
    return str(metadata.get("waybill_order") or metadata.get("order_id") or "")


def statement(world: World, order_id: str | None) -> Json:
    """Return all that is known, of one order or of all: payments, parcels, warehouse, messages."""
    shipments = _warehouse(world, "shipment", "accepted_at", order_id)
    returns = _warehouse(world, "return", "announced_at", order_id)
    return {
        "payments": _payments(world, order_id),
        "parcels": _parcels(world, order_id, shipments, returns),
        "warehouse": {"shipments": shipments, "returns": returns},
        "messages": _messages(world, order_id),
    }


def _payments(world: World, order_id: str | None) -> list[Json]:
    sql, values = "SELECT * FROM ledger", []
    if order_id is not None:
        # A storefront's payment names its order only once it has been adopted.
        adopted = "SELECT id FROM object WHERE kind = 'payment_intent' AND order_id = ?"
        sql, values = f"{sql} WHERE order_id = ? OR intent IN ({adopted})", [order_id, order_id]
    rows = world.db.rows(sql + " ORDER BY seq", *values)
    return [{**row, "metadata": json.loads(row["metadata"])} for row in rows]


def _warehouse(world: World, kind: str, order: str, order_id: str | None) -> list[Json]:
    sql, values = f"SELECT * FROM warehouse_{kind}", []
    if order_id is not None:
        sql, values = sql + " WHERE order_id = ?", [order_id]
    rows = world.db.rows(f"{sql} ORDER BY {order}", *values)
    documents = ("request", "lines")
    return [{**row, **{name: json.loads(row[name]) for name in documents}} for row in rows]


def _parcels(
    world: World, order_id: str | None, shipments: list[Json], returns: list[Json]
) -> list[Json]:
    rows = world.db.rows(f"SELECT {PARCEL_FIELDS} FROM parcel ORDER BY bought_at")
    parcels = [{**row, "is_return": bool(row["is_return"])} for row in rows]
    if order_id is None:
        return parcels
    names = {order_id, *(row["shipment_id"] for row in shipments)}
    names |= {row["return_id"] for row in returns}
    numbers = {row["tracking_number"] for row in [*shipments, *returns]}
    return [
        parcel
        for parcel in parcels
        if parcel["tracking_number"] in numbers
        or any(_refers(parcel["reference"], name) for name in names)
    ]


def _refers(reference: str, name: str) -> bool:
    """Tell whether a parcel's reference is that name or begins with it and a separator."""
    return reference == name or re.match(re.escape(name) + r"[:/#| ]", reference) is not None


def _messages(world: World, order_id: str | None) -> list[Json]:
    sql = "SELECT id, at, sender, recipients, subject, order_id, body FROM message"
    values: list[str] = []
    if order_id is not None:
        sql += " WHERE order_id = ? OR (order_id = '' AND instr(subject || ' ' || body, ?) > 0)"
        values = [order_id, order_id]
    rows = world.db.rows(sql + " ORDER BY id", *values)
    return [{**row, "recipients": json.loads(row["recipients"])} for row in rows]
