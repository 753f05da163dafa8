"""Commands on a running order: each is an update of its process, answered in one step.

The ``Idempotency-Key`` is the update's id: a repeat gets the first answer, and an answer that was
lost on the way can be asked for again.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from api.access import Writer
from api.bodies import (
    AddressBody,
    CancelBody,
    HoldBody,
    LinesBody,
    MethodBody,
    ReasonBody,
    ReviewBody,
    ScheduleBody,
    units_of,
)
from api.commands import AtDesk
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.moving import move
from api.problems import Problem, refusals
from api.views import progress_of
from contracts.commands import (
    AddedLine,
    Cancel,
    CancelAnswer,
    CancelOutcome,
    ChangeLines,
    Done,
    HoldAnswer,
    NewMethod,
    PlaceHold,
    ReleaseHold,
    Reschedule,
    Review,
    ShipNow,
)
from domain.errors import ProviderUnavailable
from domain.frozen import Wire
from domain.money import Money
from domain.progress import TERMINAL, LineUnits, OrderStatus
from ports.stores import StoredOrder

router = APIRouter(
    prefix="/orders/{order_id}",
    tags=["commands"],
    route_class=IdempotentRoute,
    responses=refusals(400, 401, 403, 404, 409, 422, 429, 503),
)
KEY = {"parameters": [KEY_PARAMETER]}


class Cancelled(Wire):
    """The answer to a cancel. ``refunded`` is what is given back or will not be taken."""

    outcome: CancelOutcome
    cancelled: tuple[LineUnits, ...] = ()
    refunded: Money
    may_return: bool = False


@router.post(
    "/cancel",
    operation_id="cancel_order",
    summary="Cancel units, or the whole order",
    openapi_extra=KEY,
    responses={
        202: {
            "model": Cancelled,
            "description": "Not decided yet; ask again, same key.",
            "headers": {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
        }
    },
)
async def cancel(
    order_id: str, body: CancelBody, caller: Writer, desk: AtDesk, response: Response
) -> Cancelled:
    """Cancel; once answered "cancelled", nothing ships and nothing stays captured."""
    stored = await desk.order(order_id)
    currency = stored.order.currency
    asked = Cancel(actor=caller.actor, reason=body.reason, lines=units_of(body.lines))
    try:
        answer = await desk.command(order_id, "cancel", asked, CancelAnswer)
    except ProviderUnavailable:
        response.status_code, response.headers["Retry-After"] = 202, "2"
        answer = CancelAnswer(outcome=CancelOutcome.REQUESTED)
    except Problem as refused:
        answer = _answer_of_ended(await desk.order(order_id), refused)
    return Cancelled(
        **answer.model_dump(exclude={"refunded"}),
        refunded=Money(amount=answer.refunded, currency=currency),
    )


def _answer_of_ended(stored: StoredOrder, refused: Problem) -> CancelAnswer:
    """Answer for an order whose process is gone, from what the database says became of it."""
    progress = progress_of(stored)
    if progress.status not in TERMINAL or progress.status is OrderStatus.REJECTED:
        raise refused
    if progress.status is OrderStatus.COMPLETED:
        return CancelAnswer(outcome=CancelOutcome.TOO_LATE)
    lines = tuple(
        LineUnits(line_id=line.line_id, quantity=line.units.cancelled)
        for line in progress.lines
        if line.units.cancelled
    )
    return CancelAnswer(
        outcome=CancelOutcome.CANCELLED, cancelled=lines, refunded=progress.money.refunded
    )


@router.patch("/address", operation_id="change_address", summary="Change where it goes")
async def change_address(
    order_id: str,
    body: AddressBody,
    caller: Writer,
    desk: AtDesk,
    _: Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)] = None,
) -> Done:
    """Send the order elsewhere, as long as nothing of it is released to a warehouse."""
    await desk.order(order_id)
    return await move(desk.deps, order_id, body.address, caller.actor, body.reason, desk.key)


@router.post("/lines", operation_id="change_lines", summary="Change lines", openapi_extra=KEY)
async def change_lines(order_id: str, body: LinesBody, caller: Writer, desk: AtDesk) -> Done:
    """Lower quantities (0 removes a line) and add lines, before anything is released."""
    asked = ChangeLines(
        actor=caller.actor,
        reason=body.reason,
        set=tuple(LineUnits(line_id=one.line_id, quantity=one.quantity) for one in body.set),
        add=tuple(AddedLine(**one.model_dump()) for one in body.add),
    )
    return await desk.command(order_id, "change_lines", asked, Done)


@router.post(
    "/holds", status_code=201, operation_id="place_hold", summary="Hold", openapi_extra=KEY
)
async def place_hold(order_id: str, body: HoldBody, caller: Writer, desk: AtDesk) -> HoldAnswer:
    """Hold the order; nothing waits without a deadline."""
    asked = PlaceHold(
        actor=caller.actor, reason=body.reason, expires_at=body.expires_at, expiry=body.on_expiry
    )
    return await desk.command(order_id, "place_hold", asked, HoldAnswer)


@router.delete("/holds/{hold_id}", operation_id="release_hold", summary="Lift a hold")
async def release_hold(order_id: str, hold_id: str, caller: Writer, desk: AtDesk) -> Done:
    """Lift one hold; the order goes on when it was the last.

    Lifting a ``data`` hold checks the order again: what is not mended is held again, under a new
    hold id.
    """
    asked = ReleaseHold(actor=caller.actor, hold_id=hold_id)
    return await desk.command(order_id, "release_hold", asked, Done)


@router.post("/review", operation_id="review_order", summary="Decide a review", openapi_extra=KEY)
async def review(order_id: str, body: ReviewBody, caller: Writer, desk: AtDesk) -> Done:
    """Accept or reject an order that waits for a fraud review."""
    asked = Review(actor=caller.actor, reason=body.reason, decision=body.decision)
    return await desk.command(order_id, "review", asked, Done)


@router.post("/ship-now", operation_id="ship_now", summary="Ship now", openapi_extra=KEY)
async def ship_now(
    order_id: str, caller: Writer, desk: AtDesk, body: ReasonBody | None = None
) -> Done:
    """End the grace period, and a schedule, at once."""
    asked = ShipNow(actor=caller.actor, reason=body.reason if body else "")
    return await desk.command(order_id, "ship_now", asked, Done)


@router.post(
    "/payment-method", operation_id="new_payment_method", summary="Pay anew", openapi_extra=KEY
)
async def payment_method(order_id: str, body: MethodBody, caller: Writer, desk: AtDesk) -> Done:
    """Pay by another method after a decline."""
    asked = NewMethod(
        actor=caller.actor, reason=body.reason, method=body.method, customer=body.customer
    )
    return await desk.command(order_id, "payment_method", asked, Done)


@router.post("/reschedule", operation_id="reschedule", summary="Reschedule", openapi_extra=KEY)
async def reschedule(order_id: str, body: ScheduleBody, caller: Writer, desk: AtDesk) -> Done:
    """Move the delivery date."""
    asked = Reschedule(actor=caller.actor, reason=body.reason, deliver_on=body.deliver_on)
    return await desk.command(order_id, "reschedule", asked, Done)
