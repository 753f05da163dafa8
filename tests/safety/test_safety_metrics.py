"""Metrics: what is counted, by which labels, and the alarms."""

import asyncio
import logging
import socket
import threading
import time
from contextlib import suppress

import httpx
import pytest

from adapters.telemetry.metrics import LoopWatch, Metrics, TaskFailureAlarm


def test_labels_come_from_closed_sets() -> None:
    metrics = Metrics(channels=["shop"], routes=["/orders/{order_id}"])
    for channel in ("shop", "jane@example.com"):
        metrics.order_accepted(channel)
        metrics.webhook(channel, "new")
        metrics.webhook(channel, "Jane Doe")
    metrics.request("/orders/{order_id}", 200, 0.01)
    metrics.request("/o/secret-token", 99_999, 0.01)
    metrics.command("cancel", "too_late")
    metrics.command("Jane", "Doe")
    text = metrics.render().decode()
    assert not any(word in text for word in ("jane", "Jane", "secret-token", "99999"))
    assert 'waybill_orders_accepted_total{channel="shop"} 1.0' in text
    assert 'waybill_orders_accepted_total{channel="other"} 1.0' in text
    assert 'waybill_commands_total{command="cancel",outcome="too_late"} 1.0' in text
    assert 'waybill_http_requests_total{route="other",status="other"} 1.0' in text


def test_two_processes_in_one_do_not_collide() -> None:
    Metrics().order_accepted("x")
    assert b'channel="other"} 1.0' not in Metrics().render()


def test_a_worker_serves_what_it_counts() -> None:
    metrics = Metrics()
    metrics.workflow_task_failed()
    metrics.loop_lag.set(0.25)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with metrics.served("127.0.0.1", port):
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
    assert "waybill_workflow_task_failures_total 1.0" in answer.text
    assert "waybill_loop_lag_seconds 0.25" in answer.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)


def test_port_0_serves_nothing() -> None:
    before = threading.active_count()
    with Metrics().served("127.0.0.1", 0):
        assert threading.active_count() == before


def test_a_failed_workflow_task_rings() -> None:
    metrics = Metrics()
    told: list[str] = []
    alarm = TaskFailureAlarm(metrics, told.append).install()
    try:
        sdk = logging.getLogger("temporalio.worker._workflow_instance")
        sdk.warning("Failed activation on workflow Order with ID order/shop-1 and run ID 0199")
        sdk.warning("Something else")
        logging.getLogger("temporalio.worker._workflow").error(
            "Failed handling activation on workflow with run ID %s", "0199"
        )
    finally:
        alarm.uninstall()
    assert told == ["order/shop-1", ""]
    assert b"waybill_workflow_task_failures_total 2.0" in metrics.render()


def test_an_alarm_that_fails_does_not_stop_the_worker() -> None:
    def broken(_: str) -> None:
        raise OSError("pager is away")

    metrics, before = Metrics(), logging.raiseExceptions
    alarm = TaskFailureAlarm(metrics, broken).install()
    logging.raiseExceptions = False
    try:
        logging.getLogger("temporalio.x").warning("Failed activation on workflow X")
    finally:
        logging.raiseExceptions = before
        alarm.uninstall()
    assert b"waybill_workflow_task_failures_total 1.0" in metrics.render()


async def test_a_blocked_loop_is_seen() -> None:
    watch = LoopWatch(Metrics().loop_lag, step=0.01)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0.05)
    time.sleep(0.3)  # noqa: ASYNC251 - blocking is what is measured
    await asyncio.sleep(0.05)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert watch.worst >= 0.2
