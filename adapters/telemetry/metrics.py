"""Counters and clocks for Prometheus. Labels come from closed sets, so that none is ever personal
and none can be made up by a caller: what is not in the set counts as ``other``."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from time import perf_counter

import structlog
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
log = structlog.get_logger(__name__)


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
        self.loop_lag = Gauge(
            "waybill_loop_lag_seconds",
            "Longest wait of the event loop in the last second",
            registry=self.registry,
        )

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


def _one_of(value: str, allowed: frozenset[str]) -> str:
    return value if value in allowed else OTHER


class TaskFailureAlarm(logging.Handler):
    """Tell somebody when a workflow task fails: the order stays open and is retried for ever, and
    nobody else would say so (TEMPORAL.md T10). ``tell`` gets the workflow id, "" when unknown."""

    _SAYS = re.compile(
        r"Failed (?:handling |converting )?activation|Failed encoding completion"
        r"|Failing workflow task"
    )
    _WHICH = re.compile(r"with ID (\S+) and run ID")

    def __init__(self, metrics: Metrics, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._metrics, self._tell = metrics, tell

    def install(self) -> "TaskFailureAlarm":
        """Listen to the SDK; after ``logs.configure``. Remove with ``uninstall``."""
        logging.getLogger("temporalio").addHandler(self)
        return self

    def uninstall(self) -> None:
        """Stop listening."""
        logging.getLogger("temporalio").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count and tell; a record of something else is let pass."""
        message = record.getMessage()
        if not self._SAYS.search(message):
            return
        self._metrics.workflow_task_failed()
        which = self._WHICH.search(message)
        try:
            self._tell(which[1] if which else "")
        except Exception:
            self.handleError(record)


class LoopWatch:
    """Measure how late the event loop comes back: one blocking call stops every order of a worker
    (TEMPORAL.md T14)."""

    def __init__(self, lag: Gauge, *, step: float = 0.05, warn_above: float = 0.2) -> None:
        self._lag, self._step, self._warn_above = lag, step, warn_above
        self.worst = 0.0

    async def run(self) -> None:
        """Watch until cancelled; the gauge shows the worst of each second."""
        while True:
            self._lag.set(await self._worst_of(1.0))

    async def _worst_of(self, seconds: float) -> float:
        worst, until = 0.0, perf_counter() + seconds
        while perf_counter() < until:
            before = perf_counter()
            await asyncio.sleep(self._step)
            worst = max(worst, perf_counter() - before - self._step)
            self.worst = max(self.worst, worst)
        if worst > self._warn_above:
            log.warning("loop.blocked", seconds=round(worst, 3))
        return worst


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
