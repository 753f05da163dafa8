"""Documents: labels as the carrier made them, packing slips as we write them."""

from typing import Any

from fastapi import APIRouter, Response

from api.access import DocumentReader
from api.commands import AtDesk, Desk
from api.packing_slip import packing_slip
from api.problems import Problem, ask_again, not_found, refusals
from api.routes.returns import find_return
from api.views import HAS_LABEL
from domain.progress import ReturnStatus, ShipmentStatus

router = APIRouter(tags=["documents"], responses=refusals(401, 403, 404, 409, 410, 429, 503))

PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/pdf": {}},
        "description": "The document.",
        "headers": {"Content-Disposition": {"required": True, "schema": {"type": "string"}}},
    }
}
PLANNED = frozenset({ReturnStatus.REQUESTED, ReturnStatus.AUTHORISED})


@router.get(
    "/shipments/{shipment_id}/label.pdf",
    operation_id="shipment_label",
    summary="A parcel's label",
    response_class=Response,
    responses=PDF,
)
async def shipment_label(shipment_id: str, _: DocumentReader, desk: AtDesk) -> Response:
    """Return the label, once it is bought *and* the money for the parcel is taken."""
    _order, shipment = await desk.shipment(shipment_id)
    if shipment.status is ShipmentStatus.CANCELLED:
        raise Problem(410, "shipment_cancelled", "This shipment is cancelled; put it back.")
    if shipment.status not in HAS_LABEL:
        raise ask_again(409, "label_not_ready", "The label is not ready yet.")
    return await label_response(desk, shipment_id)


@router.get(
    "/returns/{return_id}/label.pdf",
    operation_id="return_label",
    summary="A return's label",
    response_class=Response,
    responses=PDF,
)
async def return_label(return_id: str, _: DocumentReader, desk: AtDesk) -> Response:
    """Return the label that the customer sticks on the parcel."""
    _order, one = await find_return(desk, return_id)
    if one.status in (ReturnStatus.CANCELLED, ReturnStatus.EXPIRED, ReturnStatus.REJECTED):
        raise Problem(410, "return_closed", f"This return is {one.status}.")
    if one.status in PLANNED and not one.label_id:
        raise ask_again(409, "label_not_ready", "The label is not ready yet.")
    return await label_response(desk, return_id)


@router.get(
    "/shipments/{shipment_id}/packing-slip.pdf",
    operation_id="packing_slip",
    summary="A parcel's packing slip",
    response_class=Response,
    responses=PDF,
)
async def slip(shipment_id: str, _: DocumentReader, desk: AtDesk) -> Response:
    """Return what is in the parcel, to be put into it."""
    stored, shipment = await desk.shipment(shipment_id)
    if shipment.status is ShipmentStatus.CANCELLED:
        raise Problem(410, "shipment_cancelled", "This shipment is cancelled; put it back.")
    _version, policy = await desk.stored(desk.deps.store.policy, stored.policy_version)
    document = await desk.stored(packing_slip, stored, shipment, policy.messages.shop_name)
    return attachment(document, f"packing-slip-{shipment_id}.pdf")


async def label_response(desk: Desk, subject: str) -> Response:
    """Return a stored label; the bytes are the carrier's, never read by us."""
    found = await desk.stored(desk.deps.store.label, subject)
    if found is None:
        raise not_found("label")
    tracking_number, document = found
    return attachment(document, f"label-{subject}.pdf", {"X-Tracking-Number": tracking_number})


def attachment(document: bytes, name: str, headers: dict[str, str] | None = None) -> Response:
    """Return a PDF to be saved, not shown."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    disposition = {"Content-Disposition": f'attachment; filename="{safe}"'}
    return Response(
        document, headers={**disposition, **(headers or {})}, media_type="application/pdf"
    )
