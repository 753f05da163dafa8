"""Parcels on their way: the carrier's clock, scans, trackers and what goes wrong with them."""

from collections.abc import Callable
from dataclasses import dataclass

from testbed.agenda import Task
from testbed.carrier_wire import page, refuse, stored
from testbed.database import Json, new_id
from testbed.operations import Call
from testbed.webhooks import easypost_event, iso
from testbed.world import World

STEP, DROP_OFF = "carrier.step", "carrier.drop_off"


@dataclass(frozen=True)
class Scan:
    """One line of a parcel's history."""

    status: str
    detail: str
    message: str


ACCEPTED = Scan("pre_transit", "label_created", "Shipment information sent, parcel accepted")
DEPARTED = Scan("in_transit", "departed_facility", "Departed origin facility")
ARRIVED = Scan("in_transit", "arrived_at_facility", "Arrived at destination facility")
OUT = Scan("out_for_delivery", "out_for_delivery", "Out for delivery")
DELIVERED = Scan("delivered", "arrived_at_destination", "Delivered, signed for")
STUCK = Scan("failure", "delivery_exception", "Address not found, held at depot")
BACK = Scan("return_to_sender", "return", "Refused, returned to sender")

# What a parcel goes through, by the fate the fault plan gives it; a lost one is not seen again.
JOURNEYS = {
    None: (ACCEPTED, DEPARTED, ARRIVED, OUT, DELIVERED),
    "delayed": (ACCEPTED, DEPARTED, ARRIVED, OUT, DELIVERED),
    "lost": (ACCEPTED, DEPARTED),
    "return_to_sender": (ACCEPTED, DEPARTED, ARRIVED, OUT, BACK),
    "exception": (ACCEPTED, DEPARTED, ARRIVED, STUCK, OUT, DELIVERED),
    "failure": (ACCEPTED, DEPARTED, ARRIVED, STUCK),
}
DELAY_AFTER = JOURNEYS["delayed"].index(ARRIVED)


def new_tracker(world: World, number: str, carrier: str, shipment: Json | None) -> Json:
    """Store and return a tracker that has seen nothing yet."""
    stamp, rate = iso(world.now()), (shipment or {}).get("selected_rate")
    tracker: Json = {
        "id": new_id("trk"),
        "object": "Tracker",
        "mode": "test",
        "tracking_code": number,
        "status": "unknown",
        "status_detail": "unknown",
        "created_at": stamp,
        "updated_at": stamp,
        "signed_by": None,
        "weight": shipment["parcel"]["weight"] if shipment else None,
        "est_delivery_date": rate["delivery_date"] if rate else None,
        "shipment_id": shipment["id"] if shipment else None,
        "carrier": carrier,
        "tracking_details": [],
        "fees": [],
        "carrier_detail": None,
        "finalized": False,
        "is_return": bool(shipment and shipment["is_return"]),
        "public_url": f"https://track.easypost.com/{number}",
    }
    return world.db.put("tracker", tracker, owner=number)


class Carrier:
    """Takes parcels, moves them, and tells ``on_delivered`` when a parcel has arrived."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.on_delivered: Callable[[str], None] = lambda number: None
        world.agenda.on(STEP, self._step)
        world.agenda.on(DROP_OFF, lambda task: self.take(task.subject, task.due))

    def take(self, number: str, at: float | None = None) -> None:
        """Accept a parcel and let it move; a parcel already taken is left alone.

        Raises:
            Refusal: 404, there is no label of that number.
        """
        world = self._world
        parcel = world.db.row("SELECT * FROM parcel WHERE tracking_number = ?", number)
        if parcel is None:
            raise refuse(404, "NOT_FOUND", f"no parcel {number}")
        if parcel["handed_over_at"] is not None:
            return
        at = world.now() if at is None else at
        rule = world.faults.draw("carrier.move", _fields(parcel))
        fate = rule.kind if rule and rule.kind in JOURNEYS else None
        wait = rule.seconds if rule and fate == "delayed" else None
        sql = "UPDATE parcel SET handed_over_at = ?, fate = ? WHERE tracking_number = ?"
        world.db.run(sql, at, fate, number)
        world.agenda.add(STEP, number, at, wait=wait)

    def _step(self, task: Task) -> None:
        world = self._world
        parcel = world.db.row("SELECT * FROM parcel WHERE tracking_number = ?", task.subject)
        if parcel is None:
            return
        journey = JOURNEYS[parcel["fate"]]
        self.scan(task.subject, journey[parcel["scans"]], task.due)
        sql = "UPDATE parcel SET scans = scans + 1 WHERE tracking_number = ?"
        world.db.run(sql, task.subject)
        if parcel["scans"] + 1 < len(journey):
            step = world.settings.carrier_step_seconds
            wait = task.payload.get("wait")
            delayed = parcel["fate"] == "delayed" and parcel["scans"] == DELAY_AFTER
            pause = (5 * step if wait is None else float(wait)) if delayed else step
            world.agenda.add(STEP, task.subject, task.due + pause, wait=wait)

    def scan(self, number: str, scan: Scan, at: float) -> Json:
        """Write a scan, send its event (or not, or twice, or late), and return the tracker."""
        world = self._world
        row = world.db.row("SELECT id FROM object WHERE kind = 'tracker' AND owner = ?", number)
        tracker = world.db.get(row["id"], "tracker") if row else None
        if tracker is None:
            raise refuse(404, "NOT_FOUND", f"no tracker of {number}")
        before = str(tracker["status"])
        tracker["tracking_details"].append(_detail(tracker["carrier"], scan, at))
        tracker |= {"status": scan.status, "status_detail": scan.detail, "updated_at": iso(at)}
        if scan.status == "delivered":
            tracker |= {"signed_by": "J. Receiver", "finalized": True}
        world.db.put("tracker", tracker, owner=number)
        world.db.run("UPDATE parcel SET status = ? WHERE tracking_number = ?", scan.status, number)
        if scan.status == "delivered":
            sql = (
                "UPDATE parcel SET delivered_at = ?"
                " WHERE tracking_number = ? AND delivered_at IS NULL"
            )
            world.db.run(sql, at, number)
            self.on_delivered(number)
        self._tell(tracker, before)
        return tracker

    def _tell(self, tracker: Json, before: str) -> None:
        world = self._world
        sql = "SELECT * FROM parcel WHERE tracking_number = ?"
        parcel = world.db.row(sql, tracker["tracking_code"]) or {}
        rule = world.faults.draw("carrier.scan", _fields(parcel, status=tracker["status"]))
        if rule and rule.kind == "drop":
            return
        late = 0.0
        if rule and rule.kind in ("reorder", "delayed"):
            late = rule.seconds or 1.5 * world.settings.carrier_step_seconds
        easypost_event(world, "tracker.updated", tracker, before, late)
        if rule and rule.kind == "duplicate":
            easypost_event(world, "tracker.updated", tracker, before)


def _fields(parcel: Json, **more: object) -> Json:
    return {**parcel, "is_return": bool(parcel.get("is_return")), **more}


def _detail(carrier: str, scan: Scan, at: float) -> Json:
    nowhere = {"city": None, "state": None, "country": None, "zip": None}
    return {
        "object": "TrackingDetail",
        "message": scan.message,
        "description": None,
        "status": scan.status,
        "status_detail": scan.detail,
        "datetime": iso(at),
        "source": carrier,
        "carrier_code": None,
        "tracking_location": {"object": "TrackingLocation", **nowhere},
    }


def create_tracker(call: Call) -> Json:
    """Return the tracker of a number; an unknown number gets one that sees nothing."""
    number = str(call.params.get("tracking_code") or "")
    if not number:
        raise refuse(422, "PARAMETER.REQUIRED", "Missing required parameter: tracking_code")
    known = _by_number(call, number)
    return known or new_tracker(call.world, number, str(call.params.get("carrier") or ""), None)


def retrieve_tracker(call: Call) -> Json:
    """Show a tracker by its id or its tracking number."""
    known = _by_number(call, call.id)
    return known or stored(call, "tracker")


def list_trackers(call: Call) -> Json:
    """List trackers, of one number or carrier if asked."""
    number = str(call.params.get("tracking_code", ""))
    return page(call, "tracker", "trackers", owner=number, carrier=call.params.get("carrier"))


def _by_number(call: Call, number: str) -> Json | None:
    sql = "SELECT id FROM object WHERE kind = 'tracker' AND owner = ?"
    row = call.world.db.row(sql, number)
    return call.world.db.get(row["id"]) if row else None
