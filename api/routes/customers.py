"""Forgetting a customer who asks for it."""

import logging
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from api.access import Overseer
from api.commands import AtDesk
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.problems import refusals
from domain.frozen import Frozen
from ports.operators import Erased

log = logging.getLogger(__name__)

router = APIRouter(
    prefix="/customers",
    tags=["operators"],
    route_class=IdempotentRoute,
    responses=refusals(400, 401, 403, 422, 429, 503),
)


class EraseBody(Frozen):
    """Whom to forget."""

    email: Annotated[
        str, StringConstraints(min_length=3, max_length=320, strip_whitespace=True, pattern="@")
    ]


@router.post(
    "/erase",
    operation_id="erase_customer",
    summary="Forget a customer",
    openapi_extra={"parameters": [KEY_PARAMETER]},
)
async def erase_customer(body: EraseBody, caller: Overseer, desk: AtDesk) -> Erased:
    """Remove what names or finds a person from all their orders that have ended.

    Money and stock rows stay. ``still_open`` names orders that need the address: ask again when
    they have ended.
    """
    erased = await desk.stored(desk.deps.store.erase_customer, body.email, desk.deps.now())
    log.info("%d orders erased by key %s", len(erased.erased), caller.key_id)
    return erased
