"""The embedded stack: Temporal, testbed, worker and API, started, watched and stopped together."""

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from types import TracebackType

import httpx

from cli import temporal_server
from cli.addresses import HOST, Addresses
from cli.installation import VARIABLE, Installation
from cli.processes import Running, Service, StartFailed, end_left_over, is_child_left_over
from contracts.orders import ORDERS

MOST_RESTARTS, WITHIN = 3, 60.0
"""A part that ends more often than this many times within that many seconds is given up."""

Say = Callable[[str], None]


class Stack:
    """The four parts of one installation; use it as a context, so that nothing is left running."""

    def __init__(
        self,
        installation: Installation,
        addresses: Addresses,
        say: Say,
        inherited: Mapping[str, str] = os.environ,
        most_restarts: int = MOST_RESTARTS,
    ) -> None:
        self._most_restarts = most_restarts
        self._installation, self.addresses, self._say = installation, addresses, say
        own = {VARIABLE: str(installation.folder), "PYTHONUNBUFFERED": "1"}
        self.environment = {**installation.settings(addresses), **inherited, **own}
        self._running: dict[str, Running] = {}
        self._returning: dict[str, float] = {}
        self._ends: dict[str, deque[float]] = {}

    def __enter__(self) -> "Stack":
        """Prepare the data folder and end what a killed run left behind."""
        self._installation.prepare()
        self._end_left_overs()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    def start(self, build: Callable[[], None]) -> None:
        """Start all parts and return when each is ready.

        Args:
            build: migrates and seeds; runs while Temporal comes up, before anything needs it.

        Raises:
            DomainError: code ``port_taken``.
            StartFailed: a part did not come up.
        """
        self.addresses.refuse_taken()
        self._begin(self._temporal())
        self._begin(self._testbed())
        with self._told("database migrated, shop seeded"):
            build()
        self._wait("temporal", f"Temporal on {self.addresses.temporal_address}")
        temporal_server.keep_histories(self.addresses)
        self._begin(self._worker())
        self._begin(self._api())
        self._wait("testbed", f"testbed on {self.addresses.testbed_url}")
        self._wait("worker", "worker polls its task queues")
        self._wait("api", f"API on {self.addresses.api_url}")

    def stop(self) -> None:
        """Stop the parts, the one that takes orders first; at most 10 seconds in all."""
        for name in ("api", "worker", "testbed", "temporal"):
            running = self._running.pop(name, None)
            if running:
                running.stop()
        self._installation.path("running.json").unlink(missing_ok=True)

    def watch(self) -> None:
        """Look after the parts for ever: what ends is started again, and said so.

        Raises:
            StartFailed: a part ends again and again.
        """
        while True:
            self.look()
            time.sleep(0.5)

    def look(self) -> None:
        """Start again what has ended. None is waited for: they need each other to get ready, and
        one may end while another returns.

        Raises:
            StartFailed: a part ends again and again, or does not get ready.
        """
        for running in list(self._running.values()):
            if running.exit_code is not None:
                self._revive(running)
        for name, began in list(self._returning.items()):
            self._welcome(self._running[name], time.monotonic() - began)

    @property
    def pids(self) -> Mapping[str, int]:
        """The id of each part's process."""
        return {name: running.pid for name, running in self._running.items()}

    def _revive(self, running: Running) -> None:
        name, now = running.service.name, time.monotonic()
        ends = self._ends.setdefault(name, deque(maxlen=self._most_restarts))
        if len(ends) == self._most_restarts and now - ends[0] < WITHIN:
            raise StartFailed(running.obituary())
        ends.append(now)
        self._say(f"{running.obituary()}\nstarting {name} again")
        running.stop()
        self._begin(running.service)
        self._returning[name] = now

    def _welcome(self, running: Running, seconds: float) -> None:
        name = running.service.name
        if running.service.ready(running.pid):
            del self._returning[name]
            self._say(f"  {name} is back ({seconds:.1f} s)")
        elif seconds > running.service.patience and running.exit_code is None:
            raise StartFailed(running.overdue())

    def _begin(self, service: Service) -> None:
        log = self._installation.logs / f"{service.name}.log"
        self._running[service.name] = Running(service, log)
        self._installation.note(
            "running",
            {
                "addresses": asdict(self.addresses),
                "processes": {name: part.pid for name, part in self._running.items()},
            },
        )

    def _wait(self, name: str, done: str) -> None:
        with self._told(done):
            self._running[name].wait_until_ready()

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._say(f"  {done} ({time.monotonic() - began:.1f} s)")

    def _end_left_overs(self) -> None:
        left = self._installation.noted("running").get("processes", {})
        for name, pid in left.items():
            if is_child_left_over(int(pid), str(self._installation.folder)):
                self._say(f"  ending {name}, left over from a run that was killed")
                end_left_over(int(pid))

    def _temporal(self) -> Service:
        database = self._installation.path("temporal.sqlite")
        return Service(
            name="temporal",
            command=temporal_server.command(self.addresses, database),
            environment=self.environment,
            ready=lambda _: temporal_server.serves(self.addresses),
            stop_within=2.5,
        )

    def _testbed(self) -> Service:
        return Service(
            name="testbed",
            command=(sys.executable, "-m", "testbed"),
            environment={
                **self.environment,
                **self._installation.testbed_settings(self.addresses),
            },
            ready=lambda _: answers(f"{self.addresses.testbed_url}/healthz"),
            stop_within=1.5,
        )

    def _worker(self) -> Service:
        return Service(
            name="worker",
            command=(sys.executable, "-m", "workers"),
            environment=self.environment,
            ready=lambda pid: temporal_server.polls(self.addresses, ORDERS, pid),
            stop_within=3.0,
        )

    def _api(self) -> Service:
        return Service(
            name="api",
            command=api_command(HOST, self.addresses.api),
            environment=self.environment,
            ready=lambda _: answers(f"{self.addresses.api_url}/readyz"),
            stop_within=2.5,
        )


def api_command(host: str, port: int) -> tuple[str, ...]:
    """Return the command line of the API."""
    return (
        sys.executable, "-m", "uvicorn", "api.main:build", "--factory",
        "--host", host, "--port", str(port),
        "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "2",
    )  # fmt: skip


def answers(url: str) -> bool:
    """Whether a URL is answered with success within a second."""
    try:
        return httpx.get(url, timeout=1.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False
