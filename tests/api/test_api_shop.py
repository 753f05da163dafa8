"""Warehouse call-backs, documents, stock, what may be promised, and the policy."""

from io import BytesIO

import httpx
import pypdfium2
from api_world import NOON, PARCEL, World, new_order, picture

from contracts.commands import MilestoneKind
from contracts.orders import OrderRef
from domain.policy import Policy
from domain.progress import MoneyProgress, OrderProgress, OrderStatus, ShipmentStatus
from domain.stock import Queued

SHIPMENT = "/shipments/api-1001-s1"


async def order_with(
    client: httpx.AsyncClient, world: World, status: ShipmentStatus, version: int = 1
) -> None:
    await client.post("/orders", json=new_order())
    world.project(picture(shipment=status, version=version))


async def test_the_label_is_given_out_only_when_it_is_paid_for(
    client: httpx.AsyncClient, world: World
) -> None:
    await order_with(client, world, ShipmentStatus.PACKED)
    world.store.save_label("api-1001-s1", "api-1001", "TP1", b"%PDF-1.4 label")
    early = await client.get(f"{SHIPMENT}/label.pdf")
    assert (early.status_code, early.headers["retry-after"]) == (409, "1")
    await order_with(client, world, ShipmentStatus.LABELLED, version=2)
    label = await client.get(f"{SHIPMENT}/label.pdf")
    assert (label.content, label.headers["x-tracking-number"]) == (b"%PDF-1.4 label", "TP1")
    assert label.headers["content-disposition"].startswith("attachment")
    await order_with(client, world, ShipmentStatus.CANCELLED, version=3)
    assert (await client.get(f"{SHIPMENT}/label.pdf")).status_code == 410


async def test_the_packing_slip_prints_any_text_as_text(
    client: httpx.AsyncClient, world: World
) -> None:
    title = "<img src='file:///etc/passwd'> Größe Ω & co"
    line = {"line_id": "l1", "sku": "MUG", "title": title, "quantity": 3, "unit_price": 1250}
    await client.post("/orders", json=new_order(lines=[line]))
    world.project(picture(shipment=ShipmentStatus.RELEASED))
    slip = await client.get(f"{SHIPMENT}/packing-slip.pdf")
    assert slip.headers["content-type"] == "application/pdf"
    text = pypdfium2.PdfDocument(BytesIO(slip.content))[0].get_textpage().get_text_range()
    assert "file:///etc/passwd" in text.replace("\r\n", "")
    assert "Ann Lee" in text


async def test_a_warehouse_that_is_quicker_than_our_own_record_is_asked_to_come_again(
    client: httpx.AsyncClient, world: World
) -> None:
    await client.post("/orders", json=new_order())
    asked = [
        ("POST", f"{SHIPMENT}/picked"),
        ("GET", f"{SHIPMENT}/label.pdf"),
        ("POST", "/returns/api-1001-r1/receive"),
    ]
    for method, path in asked:
        early = await client.request(method, path, headers={"Idempotency-Key": path})
        assert (early.status_code, early.json()["code"]) == (409, "not_written_yet"), path
        assert early.headers["retry-after"] == "1"
    world.project(picture(shipment=ShipmentStatus.RELEASED))
    key = {"Idempotency-Key": f"{SHIPMENT}/picked"}
    assert (await client.post(f"{SHIPMENT}/picked", headers=key)).status_code == 202
    world.project(picture(status=OrderStatus.CANCELLED, version=2))
    for path in (f"{SHIPMENT}/packed", "/returns/api-1001-r1/receive"):
        never = await client.post(path, json=PARCEL if "packed" in path else None)
        assert never.status_code == 404
    assert (await client.post("/shipments/api-1002-s1/picked")).status_code == 404


async def test_warehouse_call_backs_become_milestones(
    client: httpx.AsyncClient, world: World
) -> None:
    await order_with(client, world, ShipmentStatus.RELEASED)
    early = await client.post(f"{SHIPMENT}/handed-over")
    assert (early.status_code, early.json()["code"]) == (409, "no_label")
    found = {"lines": [{"line_id": "l1", "quantity": 2}]}
    for call, body in (("picked", None), ("short-picked", found), ("packed", PARCEL)):
        answer = await client.post(f"{SHIPMENT}/{call}", json=body)
        assert answer.status_code == 202
        assert answer.json()["label_url"] == f"{SHIPMENT}/label.pdf"
    await order_with(client, world, ShipmentStatus.LABELLED, version=2)
    assert (await client.post(f"{SHIPMENT}/handed-over")).status_code == 202
    kinds = [told.kind for _, told in world.orders.told]
    assert kinds == [
        MilestoneKind.PICKED,
        MilestoneKind.SHORT_PICKED,
        MilestoneKind.PACKED,
        MilestoneKind.HANDED_OVER,
    ]
    assert world.orders.told[2][1].parcel is not None
    await order_with(client, world, ShipmentStatus.CANCELLED, version=3)
    late = await client.post(f"{SHIPMENT}/packed", json=PARCEL)
    assert (late.status_code, late.json()["code"]) == (409, "shipment_cancelled")


async def stocked(client: httpx.AsyncClient) -> None:
    await client.post("/locations", json={"code": "berlin", "name": "Berlin"})
    await client.post("/products", json={"sku": "MUG", "title": "Blue mug"})


async def test_a_receipt_tells_the_longest_waiting_orders_until_it_is_spoken_for(
    client: httpx.AsyncClient, world: World
) -> None:
    await stocked(client)
    for number, priority in (("1", 100), ("2", 50), ("3", 100)):
        await client.post("/orders", json=new_order(number))
        order_id = f"api-{number}"
        waiting = Queued(
            order_id=order_id, line_id="l1", sku="MUG", quantity=3, priority=priority, since=NOON
        )
        progress = OrderProgress(order_id=order_id, version=1, money=MoneyProgress(currency="EUR"))
        world.store.project(progress, queue=[waiting])
        world.orders.started[order_id] = OrderRef(order_id=order_id)
    receipt = {"sku": "MUG", "location": "berlin", "quantity": 4}
    key = {"Idempotency-Key": "receipt-1"}
    answer = await client.post("/stock/receipts", json=receipt, headers=key)
    assert (answer.status_code, answer.json()["told"]) == (201, ["api-2", "api-1"])
    await client.post("/stock/receipts", json=receipt, headers=key)
    stock = (await client.get("/stock/MUG")).json()
    assert (stock["available"], stock["waiting"]) == (4, 9)


async def test_stock_is_counted_and_corrected_never_below_what_is_reserved(
    client: httpx.AsyncClient,
) -> None:
    await stocked(client)
    counted = await client.put("/stock/MUG", json={"location": "berlin", "on_hand": 7})
    assert counted.json()["level"]["on_hand"] == 7
    lost = {"sku": "MUG", "location": "berlin", "quantity": -8}
    assert (await client.post("/stock/adjustments", json=lost)).status_code == 409
    nowhere = {"sku": "MUG", "location": "mars", "quantity": 1}
    answer = await client.post("/stock/receipts", json=nowhere)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_location")
    assert (await client.get("/stock/NOPE")).status_code == 404


async def test_availability_says_how_many_and_by_when(client: httpx.AsyncClient) -> None:
    await stocked(client)
    receipt = {"sku": "MUG", "location": "berlin", "quantity": 5}
    await client.post("/stock/receipts", json=receipt)
    found = (await client.get("/availability?sku=MUG&country=DE&method=express")).json()
    assert (found["available"], found["promise"]) == (5, "2026-03-04")
    kit = {"sku": "KIT", "components": [{"sku": "MUG", "quantity": 2}]}
    await client.post("/products", json=kit)
    assert (await client.get("/availability?sku=KIT")).json()["available"] == 2


async def test_locations_and_products_are_kept(client: httpx.AsyncClient) -> None:
    await stocked(client)
    assert (await client.post("/locations", json={"code": "berlin"})).status_code == 409
    assert (await client.delete("/locations/berlin")).status_code == 204
    assert (await client.get("/locations/berlin")).json()["active"] is False
    assert (await client.put("/products/MUG", json={"sku": "MUG", "grams": 350})).is_success
    rows = (await client.get("/products")).json()["rows"]
    assert [(row["sku"], row["grams"]) for row in rows] == [("MUG", 350)]


async def test_a_policy_whose_rules_do_not_compile_is_not_saved(
    client: httpx.AsyncClient,
) -> None:
    draft = Policy().model_dump(mode="json")
    draft["grading"]["rules"][0]["when"] = "total >"
    refused = await client.put("/policy", json=draft)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_policy")
    error = refused.json()["errors"][0]
    assert error["field"] == "grading.rules.0.when"
    assert (error["line"], error["column"] > 0) == (1, True)
    assert (await client.get("/policy")).json()["version"] == 0


async def test_a_draft_policy_shows_whom_it_would_grade_otherwise(
    client: httpx.AsyncClient,
) -> None:
    await client.post("/orders", json=new_order())
    draft = Policy().model_dump(mode="json")
    draft["grading"]["rules"] = [{"name": "all", "when": "total > 0", "verdict": "review"}]
    trial = (await client.post("/policy/check", json=draft)).json()
    assert trial["changes"] == [{"order_id": "api-1001", "before": "accept", "after": "review"}]
    saved = await client.put("/policy", json=draft, headers={"If-Match": '"0"'})
    assert saved.json()["version"] == 1
    stale = await client.put("/policy", json=draft, headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "policy_changed")
