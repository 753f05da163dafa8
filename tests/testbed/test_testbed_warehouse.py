"""The warehouse against a listener that stands in for Waybill; mail; the fault plan over HTTP."""

import json
import smtplib
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from fastapi import Response
from test_testbed_carrier import bought
from testbed_running import Box, Waybill, until


def pick_order(shipment_id: str, **more: Any) -> dict[str, Any]:
    lines = [
        {"line_id": "1", "sku": "MUG", "quantity": 2},
        {"line_id": "2", "sku": "CUP", "quantity": 1},
    ]
    order = {"shipment_id": shipment_id, "order_id": "o-1", "location": "MUC", "lines": lines}
    return {**order, "ship_to": {"name": "Ada"}, **more}


def label_answer(number: str) -> Response:
    headers = {"X-Tracking-Number": number}
    return Response(b"%PDF-1.7", media_type="application/pdf", headers=headers)


def shipment_row(box: Box, shipment_id: str) -> Any:
    return box.wms.get(f"/shipments/{shipment_id}").json()


def test_a_shipment_is_picked_packed_labelled_and_handed_to_the_carrier(
    box: Box, waybill: Waybill
) -> None:
    number = bought(box, "S1").tracking_code
    waybill.answers["/label.pdf"] = [Response(status_code=409), label_answer(number)]
    waybill.answers["/packed"] = [Response(status_code=503)]
    assert box.wms.post("/shipments", json=pick_order("S1")).status_code == 202
    assert box.wms.post("/shipments", json=pick_order("S1")).json()["accepted"] is True
    assert box.wms.post("/shipments", json=pick_order("S1", note="x")).status_code == 409
    until(lambda: shipment_row(box, "S1")["status"] == "handed_over")
    steps = ["picked", "packed", "packed", "label.pdf", "label.pdf", "handed-over"]
    assert waybill.paths() == [f"/shipments/S1/{step}" for step in steps]
    keys = [headers.get("idempotency-key") for _, headers, _ in waybill.calls if headers]
    assert keys.count("wms-S1-packed") == 2
    assert json.loads(waybill.bodies("/handed-over")[0]) == {"tracking_number": number}
    until(lambda: box.ledger("o-1")["parcels"][0]["delivered_at"])


def test_a_refused_hand_over_keeps_the_parcel_in_the_warehouse(box: Box, waybill: Waybill) -> None:
    number = bought(box, "S1").tracking_code
    waybill.answers["/label.pdf"] = [label_answer(number)]
    waybill.answers["/handed-over"] = [Response(status_code=409)]
    box.wms.post("/shipments", json=pick_order("S1"))
    until(lambda: shipment_row(box, "S1")["status"] == "stopped")
    assert box.ledger("o-1")["parcels"][0]["handed_over_at"] is None


def test_the_fault_plan_refuses_picks_short_and_is_too_late(box: Box, waybill: Waybill) -> None:
    box.fault("warehouse.accept", "refuse", where={"shipment_id": "S1"}, code="flooded")
    box.fault("warehouse.pick", "short_pick", where={"sku": "MUG"}, quantity=1)
    refused = box.wms.post("/shipments", json=pick_order("S1"))
    assert (refused.status_code, refused.json()["reason"]) == (422, "flooded")
    box.wms.post("/shipments", json=pick_order("S2"))
    [told] = until(lambda: waybill.bodies("/short-picked"))
    assert json.loads(told)["lines"][0] == {"line_id": "1", "quantity": 1, "missing": 1}
    box.control("PUT", "/settings", {"warehouse_step_seconds": 600})
    box.wms.post("/shipments", json=pick_order("S3"))
    box.fault("warehouse.cancel", "too_late", times=1)
    assert box.wms.post("/shipments/S3/cancel", json={}).json()["outcome"] == "too_late"
    some = {"lines": [{"line_id": "1", "quantity": 2}]}
    assert box.wms.post("/shipments/S3/cancel", json=some).json()["outcome"] == "cancelled"
    assert [line["line_id"] for line in shipment_row(box, "S3")["lines"]] == ["2"]
    assert box.wms.post("/shipments/S3/cancel", json={}).json()["outcome"] == "cancelled"


def test_a_return_the_customer_drops_off_is_received_and_inspected(
    box: Box, waybill: Waybill
) -> None:
    number = bought(box, "R1", is_return=True).tracking_code
    box.fault("warehouse.inspect", "damaged", where={"sku": "CUP"})
    expected = pick_order("-")
    expected |= {"return_id": "R1", "tracking_number": number}
    assert box.wms.post("/returns", json=expected).status_code == 202
    box.control("POST", f"/parcels/{number}/drop-off")
    [told] = until(lambda: waybill.bodies("/inspect"))
    assert waybill.paths() == ["/returns/R1/receive", "/returns/R1/inspect"]
    assert json.loads(told)["lines"] == [
        {"line_id": "1", "quantity": 2, "disposition": "restock"},
        {"line_id": "2", "quantity": 1, "disposition": "damaged"},
    ]


def send(box: Box, subject: str, html: str = "<p>Hello</p>") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", "ada@example.com", subject
    mail["X-Order-Id"] = "o-1"
    mail.set_content("Hello")
    mail.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", box.smtp_port) as server:
        server.send_message(mail)


def test_mail_is_caught_found_and_shown_without_running_it(box: Box) -> None:
    send(box, "Größe <b>", "<script>alert(1)</script>")
    found = box.http.get("/mail/messages", params={"to": "ada@", "subject": "größe"}).json()
    assert found["messages"][0]["subject"] == "Größe <b>"
    page = box.http.get("/mail", params={"read": found["messages"][0]["id"]}).text
    assert "<script" not in page
    assert "Größe &lt;b&gt;" in page
    assert box.ledger("o-1")["messages"][0]["recipients"] == ["ada@example.com"]


def test_a_mail_taken_before_the_line_broke_is_kept(box: Box) -> None:
    box.fault("mail.accept", "fail_after", where={"subject": "Shipped"}, how="drop", times=1)
    with pytest.raises((smtplib.SMTPException, OSError)):
        send(box, "Shipped")
    assert len(box.ledger("o-1")["messages"]) == 1


def test_a_status_fault_tells_when_to_come_back(box: Box) -> None:
    box.fault("shipments.*", "status", status=429, seconds=3, times=1)
    box.fault("warehouse.accept", "fail_before", how="drop", times=1)
    headers = {"Authorization": "Bearer EZTK1"}
    answer = box.http.get("/easypost/v2/shipments", headers=headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    with pytest.raises(httpx.RemoteProtocolError):
        box.wms.post("/shipments", json=pick_order("S1"))
    assert box.ledger("o-1")["warehouse"]["shipments"] == []
    assert [rule["hits"] for rule in box.control("GET", "/faults")["rules"]] == [1, 1]
