"""A request of which only a part arrived is not carried out as if that were all."""

from typing import Any

import pytest
from api_world import World, new_order, picture

from api.app import create_app
from domain.progress import ShipmentStatus


async def post(world: World, path: str, *arrives: dict[str, Any]) -> int | None:
    """Post to the API as its server does, message by message; returns the answer's status."""
    messages, sent = list(arrives), list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {**world.keys, "Idempotency-Key": "k1", "Content-Type": "application/json"}
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
        "query_string": b"", "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await create_app(world.deps())(scope, receive, send)
    return next((one["status"] for one in sent if "status" in one), None)


@pytest.mark.parametrize("came", [b"", b'{"tracking_nu'])
async def test_a_call_back_that_was_cut_off_changes_nothing_and_may_be_sent_again(
    world: World, client: Any, came: bytes
) -> None:
    await client.post("/orders", json=new_order())
    world.project(picture(shipment=ShipmentStatus.LABELLED))
    path = "/shipments/api-1001-s1/handed-over"
    first = {"type": "http.request", "body": came, "more_body": True}
    arrives = [first, {"type": "http.disconnect"}] if came else [{"type": "http.disconnect"}]
    assert await post(world, path, *arrives) == 400
    assert world.orders.told == []
    whole = {"type": "http.request", "body": b'{"tracking_number": "TP1"}', "more_body": False}
    assert await post(world, path, whole) == 202
    assert len(world.orders.told) == 1
