"""What nobody else would notice: an order held by a programming error, a loop held by one call."""

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import structlog

from adapters.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


class TaskFailureAlarm(logging.Handler):
    """Tell somebody when a workflow task fails: the order stays open and is retried for ever, and
    nobody else would say so (TEMPORAL.md T10).

    The SDK's own log says which; what it says is tested against a real server. It logs from the
    event loop and from the threads of workflows, so that telling has a thread of its own.

    Args:
        tell: gets the workflow's id, or ``run <id>`` when only the run is known; may block.
    """

    _SAYS = re.compile(
        r"Failed (?:handling |converting )?activation|Failed encoding completion"
        r"|Failing workflow task"
    )
    _WHICH = re.compile(r"with ID (\S+) and run ID|run[ _](?:ID|id)\W+([\w-]+)")

    def __init__(self, metrics: Metrics, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._metrics, self._tell = metrics, tell
        self._telling = ThreadPoolExecutor(1, thread_name_prefix="alarm")

    def install(self) -> "TaskFailureAlarm":
        """Listen to the SDK; after ``logs.configure``. Remove with ``uninstall``."""
        logging.getLogger("temporalio").addHandler(self)
        return self

    def uninstall(self) -> None:
        """Stop listening, when everything was told."""
        logging.getLogger("temporalio").removeHandler(self)
        self._telling.shutdown()

    def emit(self, record: logging.LogRecord) -> None:
        """Count and tell; a record of something else is let pass."""
        message = record.getMessage()
        if not self._SAYS.search(message):
            return
        self._metrics.workflow_task_failed()
        found = self._WHICH.search(message)
        workflow = (found[1] or f"run {found[2]}") if found else ""
        self._telling.submit(self._say, workflow)

    def _say(self, workflow: str) -> None:
        log.error("workflow_task.failed", workflow=workflow)
        try:
            self._tell(workflow)
        except Exception:
            log.exception("workflow_task.not_told", workflow=workflow)


def waited_for_processor() -> float:
    """Return the seconds this thread was ready to run and did not, 0 where nobody counts them."""
    try:
        with open("/proc/thread-self/schedstat", encoding="ascii") as counted:
            return int(counted.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class LoopWatch:
    """Measure how late the event loop comes back: one blocking call stops every order of a worker,
    and every request of an API (TEMPORAL.md T14).

    On a crowded machine the loop is late because its thread gets no processor, which is no fault of
    ours: where the system tells how long that was, it does not count as blocked.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        step: float = 0.05,
        too_long: float = 0.2,
        waited: Callable[[], float] = waited_for_processor,
    ) -> None:
        self._metrics, self._step, self._too_long, self._waited = metrics, step, too_long, waited
        self.worst = 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._watch(1.0)

    async def _watch(self, seconds: float) -> None:
        late, times, until = 0.0, 0, perf_counter() + seconds
        while perf_counter() < until:
            before, waited = perf_counter(), self._waited()
            await asyncio.sleep(self._step)
            lag = perf_counter() - before - self._step
            blocked = lag - (self._waited() - waited)
            late, self.worst = max(late, lag), max(self.worst, blocked)
            if blocked > self._too_long:
                times += 1
                log.warning("loop.blocked", seconds=round(blocked, 3))
        self._metrics.loop_lag(late)
        self._metrics.loop_blocked(self.worst, times)
