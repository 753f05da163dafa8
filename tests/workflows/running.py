"""One running order of a workflow test, and what may happen to it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from temporalio.client import WorkflowHandle
from temporalio.testing import TimeSkippingConfig

from contracts.commands import Milestone, MilestoneKind
from contracts.orders import OrderResult
from domain.parcel import Parcel
from domain.progress import OrderProgress
from tests.workflows.orders import now

if TYPE_CHECKING:
    from tests.workflows.world import World


class Running:
    """One running order, and what may happen to it."""

    def __init__(self, world: "World", handle: WorkflowHandle[Any, Any], order_id: str) -> None:
        self.world = world
        self.handle = handle
        self.order_id = order_id

    async def progress(self) -> OrderProgress:
        """Ask the workflow for the whole picture."""
        return await self.handle.query("progress", result_type=OrderProgress)

    async def until(
        self, reached: Callable[[OrderProgress], bool], seconds: float = 20
    ) -> OrderProgress:
        """Wait until the order's picture is as wished."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            progress = await self.progress()
            if reached(progress):
                return progress
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"never reached: {progress.model_dump_json(indent=1)}")
            await asyncio.sleep(0.05)

    async def tell(self, kind: MilestoneKind, subject: str, **more: Any) -> None:
        """Send a milestone, as the API does."""
        milestone = Milestone(kind=kind, subject=subject, at=now(), **more)
        await self.handle.signal("milestone", milestone)

    async def skip(self, duration: timedelta | None = None) -> None:
        """Move the order's clock forward and let it stand; or skip all waiting from now on."""
        if duration is not None:
            await self.world.time.fast_forward(self.handle, duration)
            return
        await self.world.time._update_time_skipping_config(self.handle, TimeSkippingConfig())

    async def ask(self, command: str, model: Any, result: Any = None, key: str = "") -> Any:
        """Send an update and wait for its answer."""
        return await self.handle.execute_update(
            command, model, id=key or uuid4().hex, result_type=result
        )

    async def pack(self, n: int = 1) -> str:
        """Wait for a shipment to be released, and pack it."""
        shipment = f"{self.order_id}-s{n}"
        await self.until(
            lambda p: (
                _status(p, shipment) in ("released", "picked")
                and shipment in self.world.warehouse.floor
            )
        )
        self.world.warehouse.pack(shipment)
        await self.tell(MilestoneKind.PACKED, shipment, parcel=Parcel(weight_grams=700))
        return shipment

    async def hand_over(self, n: int = 1) -> str:
        """Pack a shipment and give it to the carrier."""
        await self.pack(n)
        return await self.leave(n)

    async def leave(self, n: int = 1) -> str:
        """Give a packed shipment to the carrier."""
        shipment = f"{self.order_id}-s{n}"
        await self.until(lambda p: _status(p, shipment) == "labelled")
        await self.tell(MilestoneKind.HANDED_OVER, shipment)
        await self.until(lambda p: _status(p, shipment) == "handed_over")
        return shipment

    async def deliver(self, n: int = 1) -> str:
        """Bring a shipment to the customer."""
        shipment = await self.hand_over(n)
        await self.tell(MilestoneKind.DELIVERED, shipment, signed_by="A. Marker")
        return shipment

    async def result(self) -> OrderResult:
        """Wait for the end."""
        return await asyncio.wait_for(self.handle.result(), 60)


def _status(progress: OrderProgress, shipment: str) -> str:
    return next((s.status.value for s in progress.shipments if s.shipment_id == shipment), "")
