"""What a warehouse tells about a shipment: picked, short, packed, handed over."""

from datetime import UTC

from fastapi import APIRouter

from api.access import Warehouse
from api.bodies import HandedOverBody, PackedBody, PickedBody, ShortPickBody, units_of
from api.commands import AtDesk, Desk
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.problems import Problem, refusals
from api.views import HAS_LABEL
from contracts.commands import Milestone, MilestoneKind
from domain.frozen import Wire
from domain.parcel import Parcel
from domain.progress import LineUnits, ShipmentProgress, ShipmentStatus

router = APIRouter(
    prefix="/shipments/{shipment_id}",
    tags=["warehouse"],
    route_class=IdempotentRoute,
    responses=refusals(400, 401, 403, 404, 409, 422, 429, 503),
)
KEY = {"parameters": [KEY_PARAMETER]}


class Noted(Wire):
    """The milestone was passed on. ``label_url`` answers 409 until the label is ready."""

    shipment_id: str
    status: str
    label_url: str


@router.post("/picked", status_code=202, operation_id="picked", summary="Picked", openapi_extra=KEY)
async def picked(
    shipment_id: str, _: Warehouse, desk: AtDesk, body: PickedBody | None = None
) -> Noted:
    """All units are in the box."""
    return await _note(desk, shipment_id, MilestoneKind.PICKED, detail=body.reason if body else "")


@router.post(
    "/short-picked",
    status_code=202,
    operation_id="short_picked",
    summary="Too few found",
    openapi_extra=KEY,
)
async def short_picked(shipment_id: str, body: ShortPickBody, _: Warehouse, desk: AtDesk) -> Noted:
    """Some units were not found; the rest is placed elsewhere."""
    return await _note(
        desk,
        shipment_id,
        MilestoneKind.SHORT_PICKED,
        lines=units_of(body.lines),
        detail=body.reason,
    )


@router.post("/packed", status_code=202, operation_id="packed", summary="Packed", openapi_extra=KEY)
async def packed(shipment_id: str, body: PackedBody, _: Warehouse, desk: AtDesk) -> Noted:
    """The parcel is closed and weighed; its label is bought now."""
    return await _note(
        desk, shipment_id, MilestoneKind.PACKED, parcel=Parcel(**body.parcel.model_dump())
    )


@router.post(
    "/handed-over",
    status_code=202,
    operation_id="handed_over",
    summary="With the carrier",
    openapi_extra=KEY,
)
async def handed_over(
    shipment_id: str, _: Warehouse, desk: AtDesk, body: HandedOverBody | None = None
) -> Noted:
    """The carrier has the parcel; refused while it has no label."""
    _order, shipment = await desk.shipment(shipment_id)
    _refuse_cancelled(shipment)
    if shipment.status not in HAS_LABEL:
        raise Problem(409, "no_label", "The parcel has no label yet; it must not leave.")
    said = body or HandedOverBody()
    return await _note(
        desk,
        shipment_id,
        MilestoneKind.HANDED_OVER,
        tracking_number=said.tracking_number or shipment.tracking_number,
        detail=said.reason,
    )


async def _note(
    desk: Desk,
    shipment_id: str,
    kind: MilestoneKind,
    *,
    lines: tuple[LineUnits, ...] = (),
    parcel: Parcel | None = None,
    tracking_number: str = "",
    detail: str = "",
) -> Noted:
    stored, shipment = await desk.shipment(shipment_id)
    _refuse_cancelled(shipment)
    milestone = Milestone(
        kind=kind,
        subject=shipment_id,
        at=desk.deps.now().astimezone(UTC),
        lines=lines,
        parcel=parcel,
        tracking_number=tracking_number,
        detail=detail,
    )
    await desk.tell(stored.order.order_id, milestone)
    return Noted(
        shipment_id=shipment_id, status=kind, label_url=f"/shipments/{shipment_id}/label.pdf"
    )


def _refuse_cancelled(shipment: ShipmentProgress) -> None:
    if shipment.status is ShipmentStatus.CANCELLED:
        raise Problem(409, "shipment_cancelled", "This shipment is cancelled; put it back.")
