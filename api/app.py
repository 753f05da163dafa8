"""The application, put together from what it is given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api import problems
from api.deps import Deps
from api.door import Door
from api.openapi import describe
from api.pages import customer
from api.routes import (
    alerts,
    availability,
    catalogue,
    customers,
    documents,
    health,
    hooks,
    orders,
    policy,
    returns,
    shipments,
    steering,
    stock,
    webhooks,
)
from api.sweeper import sweep_for_ever
from domain.errors import ProviderUnavailable

STATIC = Path(__file__).parent / "static"

ROUTERS = (
    webhooks.router,
    hooks.router,
    orders.router,
    steering.router,
    returns.router,
    shipments.router,
    documents.router,
    availability.router,
    stock.router,
    catalogue.router,
    policy.router,
    alerts.router,
    customers.router,
    health.router,
    customer.router,
)


def create_app(deps: Deps) -> FastAPI:
    """Return the API over ``deps``; connects to nothing by itself."""

    @asynccontextmanager
    async def beside(_: FastAPI) -> AsyncIterator[None]:
        jobs = [sweep_for_ever(deps)] if deps.sweep_seconds else []
        jobs += [start() for start in deps.background]
        tasks = [asyncio.create_task(job) for job in jobs]
        yield
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        with suppress(ProviderUnavailable):
            await deps.starts.all_settled()
            await deps.starts.note(deps)

    app = FastAPI(title="Waybill", version="0.1.0", lifespan=beside, docs_url=None, redoc_url=None)
    app.state.deps = deps
    problems.install(app)
    for router in (*ROUTERS, *deps.routers):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Door, deps=deps)
    describe(app, deps)
    return app
