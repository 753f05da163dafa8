"""What Temporal's UI shows of an order, and that nothing personal reaches Temporal."""

from typing import Any

import pytest
from temporalio.client import Client

from contracts.commands import Cancel, CancelAnswer, ChangeAddress, PlaceHold, RequestReturn
from domain.holds import HoldKind
from tests.workflows.scenes import at, on_hold, units
from tests.workflows.world import HOME, Running, World, order
from workflows import visibility

pytestmark = pytest.mark.asyncio(loop_scope="session")
METADATA = "__temporal_workflow_metadata"


async def found_by(running: Running) -> dict[str, Any]:
    """Return the search attributes of an order."""
    described = await running.handle.describe()
    keys = (visibility.STATUS, visibility.HOLD, visibility.LOCATION, visibility.GRADE)
    return {key.name: described.typed_search_attributes.get(key) for key in keys}


async def details(running: Running) -> str:
    """Return the Markdown page that the UI shows."""
    answer = await running.handle.query(METADATA)
    return str(answer.current_details)


async def test_a_running_order_is_found_by_status_place_and_grade(shop: World) -> None:
    running = await shop.start(order(("MUG", 2)), still=True)
    await running.hand_over()

    assert await found_by(running) == {
        "WaybillStatus": "shipped",
        "WaybillHold": None,
        "WaybillLocation": ["east"],
        "WaybillGrade": "accept",
    }
    page = (await details(running)).replace("\u00a0", "")
    tracking = (await running.progress()).shipments[0].tracking_number
    for part in ("**shipped**", "| captured | 2500 |", f"| {tracking} |", "| 1 | MUG |"):
        assert part in page


async def test_a_held_order_shows_why_it_waits_and_until_when(shop: World) -> None:
    running = await shop.start(
        order(("MUG", 1), ship_to=HOME.model_copy(update={"postal_code": "nowhere"})), still=True
    )
    progress = await on_hold(running, HoldKind.ADDRESS)
    attributes = await found_by(running)
    assert (attributes["WaybillStatus"], attributes["WaybillHold"]) == ("on_hold", ["address"])
    hold = progress.holds[0]
    page = (await details(running)).replace("\u00a0", "")
    for part in (f"address ({hold.hold_id})", hold.reason, f"{hold.expires_at:%Y-%m-%d %H:%M}Z"):
        assert part in page


async def test_nothing_personal_reaches_temporal_in_the_clear(shop: World) -> None:
    running = await shop.start(order(("MUG", 2)), still=True)
    held = await running.ask("place_hold", PlaceHold(reason="ask Ada Marker"))
    await running.ask("change_address", ChangeAddress(address=HOME, reason="Ada Marker moved"))
    await running.ask("release_hold", {"hold_id": held["hold_id"]})
    await running.deliver()
    await at(running, 1, "delivered")
    await running.ask("request_return", RequestReturn(lines=(units("1", 1),), reason="Ada Marker"))
    await running.ask("cancel", Cancel(reason="marker.example"), CancelAnswer)

    raw = await shop.client.service_client.workflow_service.get_workflow_execution_history(
        _history_of(shop.client, running)
    )
    described = (await running.handle.describe()).raw_description
    stored = raw.SerializeToString() + described.SerializeToString()
    for word in (b"marker", b"ada ma", b"500 main", b"75201", b"pm_card"):
        assert word not in stored.lower(), word


def _history_of(client: Client, running: Running) -> Any:
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest

    return GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=running.handle.id),
        maximum_page_size=1000,
    )
