"""Counters and clocks for Prometheus. Labels come from closed sets, so that none is ever personal
and none can be made up by a caller: what is not in the set counts as ``other``."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

OTHER = "other"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WEBHOOK_OUTCOMES = _words(
    "new repeat conflict parked ignored unauthentic invalid too_large unavailable"
)
COMMANDS = _words(
    "cancel change_address change_lines place_hold release_hold review ship_now payment_method"
    " reschedule request_return receive_return inspect_return picked short_picked packed"
    " handed_over stock"
)
COMMAND_OUTCOMES = _words(
    "done cancelled partly_cancelled too_late requested refused not_found unavailable"
)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What one process counts.

    Args:
        channels: names of the configured channels.
        routes: path templates of the API (``/orders/{order_id}``), never paths.
    """

    def __init__(self, channels: Iterable[str] = (), routes: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        self._channels, self._routes = frozenset(channels), frozenset(routes)
        self._orders = self._counter("orders_accepted", "Orders accepted", "channel")
        self._webhooks = self._counter("webhooks", "Webhooks by outcome", "channel", "outcome")
        self._requests = self._counter("http_requests", "Requests answered", "route", "status")
        self._seconds = Histogram(
            "waybill_http_request_seconds",
            "Time to answer",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._commands = self._counter("commands", "Commands by outcome", "command", "outcome")
        self._task_failures = self._counter(
            "workflow_task_failures", "Workflow tasks that failed: a programming error"
        )
        self._lag = self._gauge("loop_lag", "Longest wait of the event loop in the last second")
        self._worst = self._gauge(
            "loop_blocked_worst", "Longest time one call has held the event loop, so far"
        )
        self._blocked = self._counter("loop_blocked", "Times a call held the event loop too long")

    def order_accepted(self, channel: str) -> None:
        """Count an order taken in."""
        self._orders.labels(_one_of(channel, self._channels)).inc()

    def webhook(self, channel: str, outcome: str) -> None:
        """Count a webhook (``WEBHOOK_OUTCOMES``)."""
        self._webhooks.labels(
            _one_of(channel, self._channels), _one_of(outcome, WEBHOOK_OUTCOMES)
        ).inc()

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request by its route's template."""
        route = _one_of(route, self._routes)
        self._requests.labels(route, str(status) if 100 <= status <= 599 else OTHER).inc()
        self._seconds.labels(route).observe(seconds)

    def command(self, command: str, outcome: str) -> None:
        """Count a command (``COMMANDS``) by what it came to (``COMMAND_OUTCOMES``)."""
        self._commands.labels(_one_of(command, COMMANDS), _one_of(outcome, COMMAND_OUTCOMES)).inc()

    def workflow_task_failed(self) -> None:
        """Count a failed workflow task."""
        self._task_failures.inc()

    def loop_lag(self, seconds: float) -> None:
        """Show how late the event loop came back, at worst, in the last second."""
        self._lag.set(seconds)

    def loop_blocked(self, worst: float, times: int) -> None:
        """Show how long one call has held the loop at worst, and add how often it was too long."""
        self._worst.set(worst)
        self._blocked.inc(times)

    def render(self) -> bytes:
        """Return the text that Prometheus scrapes."""
        return generate_latest(self.registry)

    @contextmanager
    def served(self, host: str, port: int) -> Iterator[None]:
        """Answer at ``http://host:port/metrics`` from a thread of its own; port 0 is off.

        Raises:
            OSError: the port is taken.
        """
        if port == 0:
            yield
            return
        server, thread = start_http_server(port, host, self.registry)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"waybill_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"waybill_{name}_seconds", text, registry=self.registry)


def _one_of(value: str, allowed: frozenset[str]) -> str:
    return value if value in allowed else OTHER


@lru_cache(maxsize=1)
def temporal_runtime(metrics_address: str = "") -> Runtime:
    """Return the process's one Temporal runtime; the SDK has room for one only.

    Args:
        metrics_address: where Prometheus scrapes the SDK's own metrics (``127.0.0.1:9464``).
    """
    logging_config = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
        forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")),
    )
    metrics = PrometheusConfig(bind_address=metrics_address) if metrics_address else None
    return Runtime(telemetry=TelemetryConfig(logging=logging_config, metrics=metrics))
