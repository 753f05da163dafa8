"""Whether the service lives, whether it can work, and what it counts."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from api.deps import Deps, World
from api.problems import document, refusals
from domain.errors import ProviderUnavailable
from domain.frozen import Wire

router = APIRouter(tags=["health"])


class Health(Wire):
    """The service answers."""

    status: str = "ok"


class Readiness(Wire):
    """What the service needs, and whether it answers."""

    database: bool
    temporal: bool


@router.get("/healthz", operation_id="health", summary="Is the process alive?")
async def health() -> Health:
    """Answer as long as the process runs; asks nobody."""
    return Health()


@router.get(
    "/readyz",
    operation_id="readiness",
    summary="Can it work?",
    response_model=Readiness,
    responses=refusals(503),
)
async def readiness(deps: World) -> Response | Readiness:
    """Ask the database and Temporal; 503 when the database is away.

    With Temporal away orders are still accepted, so that alone does not take the service out.
    """
    found = Readiness(database=await _database(deps), temporal=await deps.orders.ready())
    if found.database:
        return found
    return document(503, "unavailable", "Not ready.", {"Retry-After": "2"}, found.model_dump())


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Prometheus metrics",
    response_class=PlainTextResponse,
)
async def metrics(deps: World) -> Response:
    """Return what is counted; nothing personal."""
    return Response(deps.counts.render(), media_type=CONTENT_TYPE_LATEST)


async def _database(deps: Deps) -> bool:
    try:
        await run_in_threadpool(deps.store.policy)
    except ProviderUnavailable:
        return False
    return True
