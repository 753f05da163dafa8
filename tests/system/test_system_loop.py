"""Under load no call holds an event loop for long: it would stop every order of the worker, and
every request of the API (TEMPORAL.md T14)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest

from cli.scenarios import EXAMPLES
from cli.storefront import read_payload
from tests.system.conftest import Running, wait_for

pytestmark = pytest.mark.serial

ORDERS, AT_ONCE = 24, 8
SETTLED = ("delivered", "completed", "cancelled", "backordered", "on_hold")
PARTS = ("api", "worker")
BLOCKED, WORST = "waybill_loop_blocked_total", "waybill_loop_blocked_worst_seconds"
LONGEST = 0.2
"""Seconds that one call may hold a loop."""


@contextmanager
def never_blocked(running: Running) -> Iterator[None]:
    """Look at the watch that both parts keep over their loops, before and after."""
    before = {part: running.metric(part, BLOCKED) for part in PARTS}
    yield
    blocked = {part: running.metric(part, BLOCKED) - before[part] for part in PARTS}
    worst = {part: round(running.metric(part, WORST), 3) for part in PARTS}
    print(f"longest time that one call held a loop: {worst}")
    assert blocked == dict.fromkeys(PARTS, 0), f"calls held a loop over {LONGEST} s: {worst}"


def one_order(running: Running, number: int) -> str:
    """Let a shop send an order twice, and people look at it and steer it; return its id."""
    payload = read_payload(EXAMPLES / "generic-grace-cancel.json").dated(datetime.now(UTC))
    payload.body["data"]["external_id"] = f"load-{number}-{uuid4().hex[:6]}"
    order_id = running.storefront.send(payload)
    assert running.storefront.send(payload) == order_id
    key = {"Idempotency-Key": uuid4().hex}
    steer = "cancel" if number % 4 == 0 else "ship-now"
    answers = [
        running.api("GET", "/orders", params={"q": "load"}),
        running.api("GET", f"/orders/{order_id}"),
        running.api("GET", "/availability", params={"sku": "KETTLE-1L"}),
        running.api("POST", f"/orders/{order_id}/{steer}", headers=key, json={}),
        running.api("GET", f"/orders/{order_id}"),
    ]
    assert all(answer.status_code < 500 for answer in answers), [a.text for a in answers]
    return order_id


def settled(running: Running, order_id: str) -> str | None:
    """Return the status of an order that is delivered, cancelled or waits for a person."""
    status = str(running.api("GET", f"/orders/{order_id}").json()["status"])
    return status if status in SETTLED else None


def test_no_call_holds_the_loop_of_api_or_worker_under_load(running: Running) -> None:
    with never_blocked(running):
        with ThreadPoolExecutor(AT_ONCE) as crowd:
            ids = list(crowd.map(lambda number: one_order(running, number), range(ORDERS)))
        for order_id in ids:
            wait_for(partial(settled, running, order_id))
