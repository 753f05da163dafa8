"""What storefronts, carriers and payment providers send; in any order, any number of times."""

import asyncio
import gzip
import json
from datetime import timedelta

import httpx
from api_world import CARD, NOON, World, deps_of, event, new_order, picture, signature

from api.sweeper import Sweeper
from contracts.commands import CancelAnswer, CancelOutcome, MilestoneKind
from domain.progress import ShipmentStatus
from ports.carriers import Scan, TrackingState, TrackingUpdate
from ports.payments import PaymentEvent

CREATED = event("order.created", new_order())
CANCEL = event("order.cancelled", {"external_id": "1001", "reason": "changed my mind"})


async def send(
    client: httpx.AsyncClient, body: bytes, delivery_id: str = "d-1", **headers: str
) -> httpx.Response:
    signed = signature(body, delivery_id) | headers
    return await client.post("/webhooks/shop", content=body, headers=signed)


async def test_two_hundred_equal_deliveries_make_one_order_and_two_hundred_2xx(
    client: httpx.AsyncClient, world: World
) -> None:
    answers = await asyncio.gather(*(send(client, CREATED) for _ in range(200)))
    assert {answer.status_code for answer in answers} == {200, 202}
    assert {answer.text for answer in answers} == {answers[0].text}
    assert answers[0].json() == {"order_id": "shop-1001", "status": "received"}
    assert world.orders.starts == 1


async def test_forged_stale_and_unknown_deliveries_store_nothing(
    client: httpx.AsyncClient, world: World
) -> None:
    stale = signature(CREATED, at=NOON - timedelta(seconds=301))
    forged = signature(CREATED) | {"webhook-signature": "v1,Zm9yZ2Vk"}
    unsigned: dict[str, str] = {}
    for headers in (stale, forged, unsigned):
        answer = await client.post("/webhooks/shop", content=CREATED, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    for channel in ("nobody", "off"):
        answer = await client.post(f"/webhooks/{channel}", content=CREATED)
        assert answer.status_code == 404
    truncated = await client.post(
        "/webhooks/shop", content=CREATED[:-5], headers=signature(CREATED)
    )
    assert truncated.status_code == 401
    assert world.store.get("shop-1001") is None
    assert world.store.unstarted(NOON + timedelta(days=1)) == []


async def test_oversized_compressed_and_deep_bodies_are_refused_at_the_door(
    client: httpx.AsyncClient,
) -> None:
    big = await send(client, b" " * (1024 * 1024 + 1))
    packed = await client.post(
        "/webhooks/shop", content=gzip.compress(CREATED), headers={"content-encoding": "gzip"}
    )
    deep = await send(client, b"[" * 1000)
    codes = [(answer.status_code, answer.json()["code"]) for answer in (big, packed, deep)]
    assert codes == [(413, "too_large"), (415, "content_encoding"), (400, "too_deep")]


async def test_an_unreadable_order_is_refused_by_field_and_only_the_inbox_knows(
    client: httpx.AsyncClient, world: World
) -> None:
    body = event("order.created", new_order(lines=[]))
    answer = await send(client, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_order")
    assert [error["field"] for error in answer.json()["errors"]] == ["data.lines"]
    card = await send(client, event("order.created", new_order(note=CARD)), "d-2")
    assert card.status_code == 422
    assert "4111" not in card.text
    assert world.orders.starts == 0


async def test_other_content_under_a_known_order_is_refused_and_alerted(
    client: httpx.AsyncClient, world: World
) -> None:
    await send(client, CREATED)
    answer = await send(client, event("order.created", new_order(note="other")), "d-2")
    assert (answer.status_code, answer.json()["code"]) == (409, "order_conflict")
    assert len(world.store.alerts()) == 1


async def test_an_unknown_topic_is_kept(client: httpx.AsyncClient) -> None:
    answer = await send(client, event("order.printed", {}))
    assert (answer.status_code, answer.json()["status"]) == (202, "ignored")


async def test_a_cancel_before_its_order_meets_it(client: httpx.AsyncClient, world: World) -> None:
    parked = await send(client, CANCEL)
    assert (parked.status_code, parked.json()["status"]) == (202, "parked")
    await send(client, CREATED, "d-2")
    assert world.orders.started["shop-1001"].cancel_reason == "changed my mind"


async def test_a_parked_cancel_survives_temporal_being_away(
    client: httpx.AsyncClient, world: World
) -> None:
    await send(client, CANCEL)
    world.orders.away = True
    assert (await send(client, CREATED, "d-2")).status_code == 202
    world.orders.away = False
    world.clock.forward(minutes=10)
    await Sweeper(deps_of(client)).sweep()
    assert world.orders.started["shop-1001"].cancel_reason == "changed my mind"
    await Sweeper(deps_of(client)).sweep()
    assert world.orders.starts == 1


async def test_a_cancel_whose_order_never_comes_is_reported(
    client: httpx.AsyncClient, world: World
) -> None:
    await send(client, CANCEL)
    world.clock.forward(days=8)
    await Sweeper(deps_of(client)).sweep()
    assert [alert["kind"] for alert in world.store.alerts()] == ["parked_cancel"]


async def test_a_cancel_of_a_known_order_is_asked_once_and_again_when_nobody_answered(
    client: httpx.AsyncClient, world: World
) -> None:
    await send(client, CREATED)
    world.orders.answers["cancel"] = CancelAnswer(outcome=CancelOutcome.TOO_LATE)
    world.orders.workers = False
    assert (await send(client, CANCEL, "d-2")).status_code == 503
    world.orders.workers = True
    for _ in range(2):
        answer = await send(client, CANCEL, "d-2")
        assert (answer.status_code, answer.json()["status"]) == (202, "too_late")
    assert len(world.orders.asked) == 1
    assert [alert["kind"] for alert in world.store.alerts()] == ["storefront_cancel"]


def scans(*found: tuple[TrackingState, int]) -> bytes:
    return (
        TrackingUpdate(
            event_id="e1",
            carrier="TestPost",
            tracking_number="TP1",
            scans=tuple(
                Scan(state=state, code=state, at=NOON + timedelta(hours=hour))
                for state, hour in found
            ),
        )
        .model_dump_json()
        .encode()
    )


async def test_only_new_milestones_of_a_parcel_reach_its_order(
    client: httpx.AsyncClient, world: World
) -> None:
    await send(client, CREATED)
    world.project(picture("shop-1001", shipment=ShipmentStatus.HANDED_OVER))
    world.store.save_label("shop-1001-s1", "shop-1001", "TP1", b"%PDF-1.4")
    moving, trouble, there = (
        TrackingState.IN_TRANSIT,
        TrackingState.EXCEPTION,
        TrackingState.DELIVERED,
    )
    for body in (scans((moving, 1)), scans((there, 9), (trouble, 3), (moving, 1))) * 2:
        answer = await client.post(
            "/webhooks/carriers/testpost", content=body, headers={"x-secret": "carrier-secret"}
        )
        assert answer.json() == {"order_id": "shop-1001", "status": "recorded"}
    assert [told.kind for _, told in world.orders.told] == [MilestoneKind.DELIVERED]
    assert len(world.store.scans("TP1")) == 3
    forged = await client.post("/webhooks/carriers/testpost", content=scans((there, 1)))
    assert forged.status_code == 401


async def test_a_milestone_that_could_not_be_told_is_told_at_the_next_delivery(
    client: httpx.AsyncClient, world: World
) -> None:
    await send(client, CREATED)
    world.store.save_label("shop-1001-s1", "shop-1001", "TP1", b"%PDF-1.4")
    body, headers = scans((TrackingState.DELIVERED, 1)), {"x-secret": "carrier-secret"}
    world.orders.away = True
    away = await client.post("/webhooks/carriers/testpost", content=body, headers=headers)
    assert away.status_code == 503
    world.orders.away = False
    await client.post("/webhooks/carriers/testpost", content=body, headers=headers)
    assert len(world.orders.told) == 1


async def test_a_dispute_is_told_and_alerted_once(client: httpx.AsyncClient, world: World) -> None:
    paid = {"form": "captured", "provider": "testpay", "reference": "pi_1"}
    await send(client, event("order.created", new_order(payment=paid)))
    disputed = PaymentEvent(
        event_id="evt_1", kind="disputed", reference="pi_1", amount=3750, currency="EUR"
    )
    body = disputed.model_dump_json().encode()
    world.orders.away = True
    headers = {"x-secret": "pay-secret"}
    statuses = []
    for away in (True, False, False):
        world.orders.away = away
        answer = await client.post("/webhooks/payments/testpay", content=body, headers=headers)
        statuses.append((answer.status_code, answer.json().get("status")))
    assert statuses == [(503, 503), (202, "recorded"), (202, "repeat")]
    assert [told.kind for _, told in world.orders.told] == [MilestoneKind.DISPUTED]
    assert {alert["kind"] for alert in world.store.alerts()} == {"dispute"}
    assert json.loads(body)["event_id"] == world.orders.told[0][1].detail
