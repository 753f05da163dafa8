"""What the operators must be told: alerts, open until somebody has dealt with them."""

import logging
from typing import Annotated

from fastapi import APIRouter, Query

from api.access import Overseer
from api.commands import AtDesk
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.problems import not_found, refusals
from domain.frozen import Wire
from ports.operators import Alert

log = logging.getLogger(__name__)

router = APIRouter(
    prefix="/alerts",
    tags=["operators"],
    route_class=IdempotentRoute,
    responses=refusals(400, 401, 403, 404, 422, 429, 503),
)


class Alerts(Wire):
    """A page of open alerts, the latest first."""

    rows: tuple[Alert, ...]
    next_cursor: str = ""


class Closed(Wire):
    """The alert is closed; the next one of its kind opens a new row."""

    alert_id: int


@router.get("", operation_id="list_alerts", summary="Open alerts")
async def list_alerts(
    _: Overseer,
    desk: AtDesk,
    cursor: Annotated[str, Query(max_length=500)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Alerts:
    """Return what nobody has dealt with yet, the latest first."""
    rows, following = await desk.stored(desk.deps.store.list_alerts, cursor, limit)
    return Alerts(rows=tuple(rows), next_cursor=following)


@router.post(
    "/{alert_id}/close",
    operation_id="close_alert",
    summary="Dealt with",
    openapi_extra={"parameters": [KEY_PARAMETER]},
)
async def close_alert(alert_id: int, caller: Overseer, desk: AtDesk) -> Closed:
    """Close an alert that was dealt with; 404 when it is not open."""
    if not await desk.stored(desk.deps.store.close_alert, alert_id, desk.deps.now()):
        raise not_found("open alert")
    log.info("alert %d closed by key %s", alert_id, caller.key_id)
    return Closed(alert_id=alert_id)
