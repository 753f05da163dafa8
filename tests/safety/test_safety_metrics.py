"""Metrics: what is counted, by which labels, and the alarms."""

import asyncio
import itertools
import logging
import socket
import threading
import time

import httpx
import pytest

from adapters.telemetry.metrics import Metrics
from adapters.telemetry.watch import LoopWatch, TaskFailureAlarm


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
    metrics.loop_lag(0.25)
    metrics.loop_blocked(0.75, 2)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with metrics.served("127.0.0.1", port):
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
    assert "waybill_workflow_task_failures_total 1.0" in answer.text
    assert "waybill_loop_lag_seconds 0.25" in answer.text
    assert "waybill_loop_blocked_worst_seconds 0.75" in answer.text
    assert "waybill_loop_blocked_total 2.0" in answer.text
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
        logging.getLogger("temporalio.core").warning(
            "[worker] Failing workflow task {'failure': 'Nondeterminism', 'run_id': '0200'}"
        )
    finally:
        alarm.uninstall()
    assert told == ["order/shop-1", "run 0199", "run 0200"]
    assert b"waybill_workflow_task_failures_total 3.0" in metrics.render()


def test_an_alarm_that_fails_does_not_stop_the_worker() -> None:
    def broken(_: str) -> None:
        raise OSError("pager is away")

    metrics = Metrics()
    alarm = TaskFailureAlarm(metrics, broken).install()
    try:
        for _ in range(2):
            logging.getLogger("temporalio.x").warning("Failed activation on workflow X")
    finally:
        alarm.uninstall()
    assert b"waybill_workflow_task_failures_total 2.0" in metrics.render()


def test_telling_never_holds_up_whoever_logs() -> None:
    door, told = threading.Event(), list[str]()

    def slowly(workflow: str) -> None:
        assert door.wait(10)
        told.append(workflow)

    alarm = TaskFailureAlarm(Metrics(), slowly).install()
    logging.getLogger("temporalio.x").warning(
        "Failed activation on workflow Order with ID order/shop-1 and run ID 0199"
    )
    assert told == []
    door.set()
    alarm.uninstall()
    assert told == ["order/shop-1"]


async def test_a_blocked_loop_is_seen_and_stays_to_be_seen() -> None:
    metrics = Metrics()
    watch = LoopWatch(metrics, step=0.01)
    looking = asyncio.create_task(watch._watch(0.5))
    await asyncio.sleep(0.05)
    time.sleep(0.3)  # noqa: ASYNC251 - blocking is what is measured
    await looking
    assert watch.worst >= 0.2
    assert b"waybill_loop_blocked_total 1.0" in metrics.render()
    await watch._watch(0.05)
    text = metrics.render().decode()
    assert "waybill_loop_blocked_total 1.0" in text
    assert f"waybill_loop_blocked_worst_seconds {watch.worst}" in text


async def test_waiting_for_a_processor_is_not_blocking() -> None:
    waits = itertools.count(0, 10)
    watch = LoopWatch(Metrics(), step=0.01, waited=lambda: next(waits))
    await watch._watch(0.1)
    assert watch.worst == 0.0
