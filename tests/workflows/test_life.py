"""The life of an order, from acceptance to the end of its return window."""

import pytest

from tests.workflows.world import World, order

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_simple_order_is_charged_shipped_delivered_and_completed(world: World) -> None:
    running = await world.start(order(("MUG", 2)))
    await running.deliver()
    result = await running.result()

    assert (result.status, result.captured, result.refunded) == ("completed", 2500, 0)
    assert world.payments.ledger.total("capture", running.order_id) == 2500
