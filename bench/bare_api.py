"""``uvicorn bench.bare_api:app``: an endpoint that starts a bare workflow and does nothing else."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.bare import QUEUE, Bare, Load

BEFORE_GRACE = Load(calls=2, timers=1, seconds=1800)
"""What our order does until it waits out its grace period, which it does when nobody acts."""


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[None]:
    """Connect once, as our API does."""
    app.state.client = await Client.connect(
        os.environ["BENCH_TEMPORAL"], data_converter=pydantic_data_converter
    )
    yield


app = FastAPI(lifespan=connected)


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """Say that it runs."""
    return {"status": "ready"}


@app.post("/orders", status_code=202)
async def start(order: dict[str, Any]) -> dict[str, str]:
    """Start a bare workflow under an id of its own."""
    order_id = f"{order['external_id']}-{uuid4().hex}"
    await app.state.client.start_workflow(Bare.run, BEFORE_GRACE, id=order_id, task_queue=QUEUE)
    return {"order_id": order_id, "status_url": f"/orders/{order_id}"}
