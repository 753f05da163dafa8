"""The API before a world's orders: the storefront's webhooks, and the customer's own cancel."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import httpx
from temporalio.client import Client

from adapters.security.api_keys import Scope, create
from api.app import create_app
from api.deps import Deps
from api.orders_client import TemporalOrders
from api.sweeper import Sweeper
from contracts.orders import OrderResult, workflow_id
from tests.api.api_world import Clock, event, new_order, signature
from tests.api.api_world import World as Api
from tests.races.forcing import Answer
from tests.workflows.world import Running, World, now

CHANNEL = "shop"
PATIENCE = timedelta(seconds=30)


class Door:
    """What storefront and customer send, and the sweeper that catches up."""

    def __init__(self, world: World, patience: timedelta) -> None:
        self.temporal_is_away = False
        self.external_id = uuid4().hex[:12]
        self.order_id = f"{CHANNEL}-{self.external_id}"
        self._world = world
        self._clock = Clock(now())
        orders = TemporalOrders(self._connect, patience=patience)
        self.deps: Deps = Api(world.store, orders, self._clock).deps()
        made = create("customer's shop", [Scope.ADMIN])
        world.store.add_key(made.key, made.key_hash)
        self.key_id = made.key.key_id
        self._key = {"Authorization": f"Bearer {made.secret}"}
        transport = httpx.ASGITransport(app=create_app(self.deps))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://api", timeout=60)

    async def _connect(self) -> Client:
        if self.temporal_is_away:
            raise RuntimeError("nobody listens")
        return self._world.still_client

    async def close(self) -> None:
        """Let go of the client, when what was begun is done."""
        await self.deps.starts.all_settled()
        await self._client.aclose()

    async def order_comes(self) -> httpx.Response:
        """Let the storefront send the order; returns when its start has been tried."""
        paid = {"form": "method", "provider": "fake", "method": "pm_card_visa"}
        body = new_order(
            self.external_id, payment=paid, currency="USD", placed_at=now().isoformat()
        )
        body["ship_to"] |= {"city": "Dallas", "region": "TX", "country": "US"}
        body["ship_to"] |= {"postal_code": "75201"}
        answer = await self._webhook(event("order.created", body), "created")
        await self.deps.starts.all_settled()
        return answer

    def running(self) -> Running:
        """Return the order's process, once somebody has started it."""
        handle = self._world.still_client.get_workflow_handle(
            workflow_id(self.order_id), result_type=OrderResult
        )
        self._world.running.append(Running(self._world, handle, self.order_id))
        return self._world.running[-1]

    async def storefront_cancels(self, delivery_id: str) -> httpx.Response:
        """Deliver the storefront's cancel; once more under the same id is a repeat."""
        data = {"external_id": self.external_id, "reason": "changed my mind"}
        return await self._webhook(event("order.cancelled", data), delivery_id)

    async def customer_cancels(self, key: str) -> httpx.Response:
        """Ask for the cancel, as the customer's shop does for them."""
        headers = self._key | {"Idempotency-Key": key}
        path = f"/orders/{self.order_id}/cancel"
        return await self._client.post(path, json={"reason": "not any more"}, headers=headers)

    async def sweep(self) -> None:
        """Let time pass, and the API catch up on what it could not do."""
        self._clock.forward(minutes=1)
        await Sweeper(self.deps).sweep()

    async def _webhook(self, body: bytes, delivery_id: str) -> httpx.Response:
        signed = signature(body, delivery_id, self._clock.now)
        return await self._client.post(f"/webhooks/{CHANNEL}", content=body, headers=signed)


@asynccontextmanager
async def at_the_door(world: World, patience: timedelta = PATIENCE) -> AsyncIterator[Door]:
    """Open the API before a world."""
    door = Door(world, patience)
    try:
        yield door
    finally:
        await door.close()


@dataclass(frozen=True)
class Webhook:
    """The storefront's cancel, as ``forcing.Asked``: the answer is its status and what it says."""

    door: Door
    delivery_id: str

    @property
    def key(self) -> str:
        """The id of the update that it becomes."""
        return f"{CHANNEL}:{self.delivery_id}"

    async def send(self, running: Running) -> Answer:
        """Deliver it."""
        answer = await self.door.storefront_cancels(self.delivery_id)
        return answer.status_code, answer.json()["status"]


@dataclass(frozen=True)
class Customer:
    """The customer's cancel, as ``forcing.Asked``: the answer is its status and the outcome."""

    door: Door
    request: str

    @property
    def key(self) -> str:
        """The id of the update that it becomes."""
        return f"{self.door.key_id}:{self.request}"

    async def send(self, running: Running) -> Answer:
        """Ask."""
        answer = await self.door.customer_cancels(self.request)
        said = json.loads(answer.text)
        return answer.status_code, said.get("outcome") or said["code"]
