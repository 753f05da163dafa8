"""Returns: asked for by unit, received, inspected, refunded."""

from fastapi import APIRouter

from api.access import DocumentReader, Refunder, Writer
from api.bodies import ApprovalBody, InspectBody, ReasonBody, ReceiveBody, ReturnBody, units_of
from api.commands import AtDesk, Desk, named_by, unwritten
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.problems import refusals
from api.views import ReturnView, progress_of, return_view
from contracts.commands import (
    AuthoriseReturn,
    CancelReturn,
    Done,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
    RequestReturn,
    ReturnAnswer,
)
from domain.frozen import Wire
from domain.progress import ReturnProgress

router = APIRouter(
    tags=["returns"],
    route_class=IdempotentRoute,
    responses=refusals(400, 401, 403, 404, 409, 422, 429, 503),
)
KEY = {"parameters": [KEY_PARAMETER]}


class ReturnOpened(Wire):
    """The return that was opened; its label is ready once it was bought."""

    return_id: str
    status: str
    status_url: str
    label_url: str


@router.post(
    "/orders/{order_id}/returns",
    status_code=201,
    operation_id="request_return",
    summary="Ask to return units",
    openapi_extra=KEY,
)
async def request_return(
    order_id: str, body: ReturnBody, caller: Writer, desk: AtDesk
) -> ReturnOpened:
    """Open a return of delivered units; counted by unit, so nothing goes back twice."""
    asked = RequestReturn(
        actor=caller.actor,
        reason=body.reason,
        lines=units_of(body.lines),
        resolution=body.resolution,
    )
    answer = await desk.command(order_id, "request_return", asked, ReturnAnswer)
    path = f"/returns/{answer.return_id}"
    return ReturnOpened(
        return_id=answer.return_id,
        status=answer.status,
        status_url=path,
        label_url=f"{path}/label.pdf",
    )


@router.get("/returns/{return_id}", operation_id="get_return", summary="One return")
async def get_return(return_id: str, _: DocumentReader, desk: AtDesk) -> ReturnView:
    """Return where a return is and what was given back."""
    order_id, one = await find_return(desk, return_id)
    return return_view(order_id, one)


@router.post(
    "/returns/{return_id}/receive",
    operation_id="receive_return",
    summary="A return has arrived",
    openapi_extra=KEY,
)
async def receive(
    return_id: str, caller: Refunder, desk: AtDesk, body: ReceiveBody | None = None
) -> Done:
    """Note what has arrived."""
    order_id, _ = await find_return(desk, return_id)
    said = body or ReceiveBody()
    asked = ReceiveReturn(
        actor=caller.actor, reason=said.reason, return_id=return_id, lines=units_of(said.lines)
    )
    return await desk.command(order_id, "receive_return", asked, Done)


@router.post(
    "/returns/{return_id}/inspect",
    operation_id="inspect_return",
    summary="A return was inspected",
    openapi_extra=KEY,
)
async def inspect(
    return_id: str, caller: Refunder, desk: AtDesk, body: InspectBody | None = None
) -> Done:
    """Decide by unit: restocked and damaged units are refunded, rejected ones are not."""
    order_id, _ = await find_return(desk, return_id)
    said = body or InspectBody()
    asked = InspectReturn(
        actor=caller.actor,
        reason=said.reason,
        return_id=return_id,
        lines=tuple(InspectedLine(**line.model_dump()) for line in said.lines),
    )
    return await desk.command(order_id, "inspect_return", asked, Done)


@router.post(
    "/returns/{return_id}/authorise",
    operation_id="authorise_return",
    summary="Allow or refuse a return",
    openapi_extra=KEY,
)
async def authorise(return_id: str, body: ApprovalBody, caller: Writer, desk: AtDesk) -> Done:
    """Decide a return that waits for a person."""
    order_id, _ = await find_return(desk, return_id)
    asked = AuthoriseReturn(
        actor=caller.actor, reason=body.reason, return_id=return_id, approve=body.approve
    )
    return await desk.command(order_id, "authorise_return", asked, Done)


@router.post(
    "/returns/{return_id}/cancel",
    operation_id="cancel_return",
    summary="Call a return off",
    openapi_extra=KEY,
)
async def cancel(
    return_id: str, caller: Writer, desk: AtDesk, body: ReasonBody | None = None
) -> Done:
    """Call off a return whose parcel has not come; its label is voided."""
    order_id, _ = await find_return(desk, return_id)
    reason = body.reason if body else ""
    asked = CancelReturn(actor=caller.actor, reason=reason, return_id=return_id)
    return await desk.command(order_id, "cancel_return", asked, Done)


async def find_return(desk: Desk, return_id: str) -> tuple[str, ReturnProgress]:
    """Return a return with its order's id; 404 for an unknown and a foreign one alike."""
    order_id = await desk.stored(desk.deps.store.order_of_return, return_id)
    stored = await desk.order(order_id or named_by(return_id))
    for one in progress_of(stored).returns:
        if one.return_id == return_id:
            return stored.order.order_id, one
    raise unwritten(stored, "return")
