"""Shipments: rates, buying a label once, asking for its money back.

Source: https://docs.easypost.com/docs/shipments
"""

import secrets

from testbed.agenda import Task
from testbed.carrier_rates import minor_units, rates
from testbed.carrier_tracking import DROP_OFF, new_tracker
from testbed.carrier_wire import page, refuse, stored
from testbed.database import Json, new_id
from testbed.operations import Call
from testbed.webhooks import easypost_event, iso
from testbed.world import World

REFUND = "carrier.refund"
CODES = {"TestPost": "TP", "TestParcel": "TX"}


def create_shipment(call: Call) -> Json:
    """Create a shipment and quote it; buy it at once if a service is named."""
    params, now = call.params, call.world.now()
    for name in ("to_address", "from_address", "parcel"):
        if not isinstance(params.get(name), dict):
            problem = {"field": name, "message": "cannot be blank"}
            raise refuse(
                422, "PARAMETER.REQUIRED", f"Missing required parameter: {name}", [problem]
            )
    weight = params["parcel"].get("weight")
    if not isinstance(weight, int | float) or weight <= 0:
        problem = {"field": "weight", "message": "must be greater than 0"}
        raise refuse(422, "PARCEL.WEIGHT.INVALID", "Wrong parameter: weight", [problem])
    made = {"created_at": iso(now), "updated_at": iso(now), "mode": "test"}
    sent = _addresses(params, made)
    shipment = {
        "id": new_id("shp"),
        "object": "Shipment",
        **made,
        **sent,
        "buyer_address": sent["to_address"],
        "return_address": sent["from_address"],
        "parcel": {**params["parcel"], "id": new_id("prcl"), "object": "Parcel", **made},
        "customs_info": params.get("customs_info"),
        "is_return": params.get("is_return") in (True, "true"),
        "options": params.get("options") or {},
        "reference": params.get("reference"),
        "status": "unknown",
        "tracking_code": None,
        "tracker": None,
        "postage_label": None,
        "selected_rate": None,
        "refund_status": None,
        "insurance": None,
        "fees": [],
        "forms": [],
        "messages": [],
        "order_id": None,
        "batch_id": None,
        "scan_form": None,
        "usps_zone": None,
    }
    shipment["rates"] = rates(str(shipment["id"]), shipment, now)
    call.world.db.put("shipment", shipment, owner=str(shipment["reference"] or ""))
    wanted = params.get("service")
    if wanted:
        _buy(call, shipment, next((r for r in shipment["rates"] if r["service"] == wanted), None))
    return shipment


def _addresses(params: Json, made: Json) -> Json:
    names = ("to_address", "from_address")
    return {
        name: {**params[name], "id": new_id("adr"), "object": "Address", **made} for name in names
    }


def buy_shipment(call: Call) -> Json:
    """Buy the label of a quoted shipment, once for ever."""
    shipment = stored(call, "shipment")
    if shipment["postage_label"]:
        message = "Postage already exists for this shipment."
        raise refuse(422, "SHIPMENT.POSTAGE.EXISTS", message)
    if call.fault and call.fault.kind == "decline":
        code = call.fault.code or "SHIPMENT.POSTAGE.FAILURE"
        raise refuse(422, code, "The carrier did not sell this label.")
    asked = call.params.get("rate")
    rate_id = asked.get("id") if isinstance(asked, dict) else asked
    return _buy(call, shipment, next((r for r in shipment["rates"] if r["id"] == rate_id), None))


def _buy(call: Call, shipment: Json, rate: Json | None) -> Json:
    if rate is None:
        raise refuse(422, "SHIPMENT.RATE.INVALID", "The rate is not one of this shipment.")
    world, now = call.world, call.world.now()
    number = f"{CODES[rate['carrier']]}{secrets.randbelow(10**14):014d}"
    shipment |= {"tracking_code": number, "selected_rate": rate, "updated_at": iso(now)}
    tracker = new_tracker(world, number, rate["carrier"], shipment)
    address = f"{call.base_url}/easypost/labels/{number}"
    as_pdf = str(shipment["options"].get("label_format", "")).upper() == "PDF"
    shipment["postage_label"] = {
        "id": new_id("pl"),
        "object": "PostageLabel",
        "created_at": iso(now),
        "updated_at": iso(now),
        "label_date": iso(now),
        "label_file_type": "application/pdf" if as_pdf else "image/png",
        "label_url": f"{address}.{'pdf' if as_pdf else 'png'}",
        "label_pdf_url": f"{address}.pdf",
        "label_zpl_url": None,
        "label_epl2_url": None,
        "label_size": "4x6",
        "label_resolution": 150,
    }
    shipment["tracker"] = tracker
    shipment["fees"] = [
        {"object": "Fee", "type": "PostageFee", "amount": rate["rate"], "charged": True}
    ]
    world.db.put("shipment", shipment)
    world.db.insert(
        "parcel",
        tracking_number=number,
        shipment_id=shipment["id"],
        tracker_id=tracker["id"],
        reference=str(shipment["reference"] or ""),
        carrier=rate["carrier"],
        service=rate["service"],
        cost=minor_units(rate["rate"]),
        currency=rate["currency"],
        is_return=int(shipment["is_return"]),
        status="unknown",
        bought_at=now,
    )
    easypost_event(world, "tracker.created", tracker, "unknown")
    wait = world.settings.auto_drop_off_seconds
    if shipment["is_return"] and wait is not None:
        world.agenda.add(DROP_OFF, number, now + wait)
    return shipment


def retrieve_shipment(call: Call) -> Json:
    """Show a shipment with its tracker as it is now."""
    shipment = stored(call, "shipment")
    if shipment["tracker"]:
        shipment["tracker"] = call.world.db.get(shipment["tracker"]["id"], "tracker")
        shipment["status"] = shipment["tracker"]["status"]
    return shipment


def list_shipments(call: Call) -> Json:
    """List shipments; ``reference`` is our extension, passed through by the SDK."""
    return page(call, "shipment", "shipments", owner=str(call.params.get("reference", "")))


def convert_label(call: Call) -> Json:
    """Show the shipment with a label in the asked format; PDF and PNG exist."""
    shipment = retrieve_shipment(call)
    if not shipment["postage_label"]:
        raise refuse(422, "SHIPMENT.LABEL.UNAVAILABLE", "There is no label yet.")
    if str(call.params.get("file_format", "PDF")).upper() not in ("PDF", "PNG"):
        raise refuse(422, "SHIPMENT.LABEL.FORMAT.INVALID", "Only PDF and PNG are made here.")
    return shipment


def refund_shipment(call: Call) -> Json:
    """Ask for the label's money back: submitted, or rejected once the carrier has scanned it."""
    shipment = stored(call, "shipment")
    if not shipment["postage_label"]:
        raise refuse(422, "SHIPMENT.REFUND.UNAVAILABLE", "There is no postage to refund.")
    if shipment["refund_status"] in ("submitted", "refunded"):
        return retrieve_shipment(call)
    world, now = call.world, call.world.now()
    parcel = world.db.row("SELECT * FROM parcel WHERE shipment_id = ?", shipment["id"])
    refused = call.fault is not None and call.fault.kind in ("decline", "refuse")
    moving = parcel is not None and parcel["handed_over_at"] is not None
    status = "rejected" if refused or moving else "submitted"
    _mark(world, shipment, status, refund_requested_at=now)
    if status == "submitted":
        world.agenda.add(REFUND, shipment["id"], now + world.settings.label_refund_seconds)
    return retrieve_shipment(call)


def _mark(world: World, shipment: Json, status: str, **times: float) -> None:
    shipment |= {"refund_status": status, "updated_at": iso(world.now())}
    world.db.put("shipment", shipment)
    for column, at in {"refund_status": status, **times}.items():
        sql = f"UPDATE parcel SET {column} = ? WHERE shipment_id = ?"
        world.db.run(sql, at, shipment["id"])


def settle_refunds(world: World) -> None:
    """Let the carrier decide submitted refunds; a parcel given to it meanwhile is not refunded."""

    def settle(task: Task) -> None:
        shipment = world.db.get(task.subject, "shipment")
        parcel = world.db.row("SELECT * FROM parcel WHERE shipment_id = ?", task.subject)
        if shipment is None or parcel is None:
            return
        if parcel["handed_over_at"] is not None:
            _mark(world, shipment, "rejected")
        else:
            _mark(world, shipment, "refunded", refunded_at=task.due)

    world.agenda.on(REFUND, settle)
