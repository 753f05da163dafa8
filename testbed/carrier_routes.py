"""The routes below ``/easypost/v2``, and the label files."""

from fastapi import APIRouter, Response

from testbed import carrier as shipments
from testbed import carrier_tracking as trackers
from testbed.carrier_labels import pdf_label, png_label
from testbed.carrier_wire import EasyPostWire
from testbed.operations import Desk
from testbed.world import World


def carrier_desk(world: World) -> Desk:
    """Return the carrier's counter."""
    desk = Desk(world, EasyPostWire(), APIRouter(prefix="/easypost/v2"))
    desk.serve("POST", "/shipments", "shipments.create", shipments.create_shipment, status=201)
    desk.serve("GET", "/shipments", "shipments.list", shipments.list_shipments)
    desk.serve("GET", "/shipments/{id:path}/label", "shipments.label", shipments.convert_label)
    desk.serve("GET", "/shipments/{id:path}", "shipments.retrieve", shipments.retrieve_shipment)
    desk.serve("POST", "/shipments/{id:path}/buy", "shipments.buy", shipments.buy_shipment)
    desk.serve("POST", "/shipments/{id:path}/refund", "shipments.refund", shipments.refund_shipment)
    desk.serve("POST", "/trackers", "trackers.create", trackers.create_tracker, status=201)
    desk.serve("GET", "/trackers", "trackers.list", trackers.list_trackers)
    desk.serve("GET", "/trackers/{id}", "trackers.retrieve", trackers.retrieve_tracker)
    return desk


def label_files(world: World) -> APIRouter:
    """Return the routes that serve labels; like EasyPost's file store they ask for no key."""
    router = APIRouter(prefix="/easypost/labels")

    @router.get("/{number}.{kind}")
    async def label(number: str, kind: str) -> Response:
        sql = "SELECT shipment_id FROM parcel WHERE tracking_number = ?"
        row = world.db.row(sql, number)
        shipment = world.db.get(row["shipment_id"], "shipment") if row else None
        if shipment is None or kind not in ("pdf", "png"):
            return Response(status_code=404)
        if kind == "pdf":
            return Response(pdf_label(shipment), media_type="application/pdf")
        return Response(png_label(shipment), media_type="image/png")

    return router
