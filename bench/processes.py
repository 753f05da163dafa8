"""Child processes of a run: started, listened to, weighed and ended, each by its own id."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from temporalio.client import Client

from cli.temporal_server import PRAGMAS, SEARCH_ATTRIBUTES, binary

HOST = "127.0.0.1"
PATIENCE = 60.0
Heard = Callable[[str], None]


def _ignore(_: str) -> None:
    """Take in what nobody waits for."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Child:
    """One process of ours."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._weighed = psutil.Process(process.pid)
        self._ready = asyncio.Event()
        self.heard: Heard = _ignore
        """Takes in each line that the process writes."""
        self._listening = asyncio.create_task(self._listen())

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def cpu(self) -> float:
        """Return the CPU seconds it has used so far, user and system."""
        used = self._weighed.cpu_times()
        return float(used.user + used.system)

    def megabytes(self) -> float:
        """Return its resident memory."""
        return float(self._weighed.memory_info().rss) / 2**20

    async def ready(self) -> None:
        """Wait for its line ``ready``."""
        await asyncio.wait_for(self._ready.wait(), PATIENCE)

    async def _listen(self) -> None:
        """Read all its life, so that it never waits for us to."""
        while self._process.stdout and (line := await self._process.stdout.readline()):
            if line.strip() == b"ready":
                self._ready.set()
            self.heard(line.decode(errors="replace").strip())

    async def stop(self) -> None:
        """End it, insisting after five seconds."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await self._listening


@asynccontextmanager
async def child(
    *command: str, log: Path, environment: Mapping[str, str] | None = None, talks: bool = False
) -> AsyncIterator[Child]:
    """Run a process for as long as the block lasts; ``talks`` keeps its stdout for ``listen``."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if talks else output,
            stderr=output,
            env={**os.environ, **(environment or {})},
        )
    running = Child(process)
    try:
        yield running
    finally:
        await running.stop()


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[Child, str]]:
    """Run the Temporal dev server on a file in ``folder``; yields it with its address."""
    port = free_port()
    line = [
        str(binary()), "server", "start-dev", "--headless", "--ip", HOST, "--port", str(port),
        "--db-filename", str(folder / "temporal.sqlite"), "--log-level", "error",
    ]  # fmt: skip
    for pragma in PRAGMAS:
        line += ["--sqlite-pragma", pragma]
    for name, kind in SEARCH_ATTRIBUTES.items():
        line += ["--search-attribute", f"{name}={kind}"]
    async with child(*line, log=folder / "temporal.log") as running:
        await _serves(f"{HOST}:{port}")
        yield running, f"{HOST}:{port}"


@asynccontextmanager
async def worker(
    kind: str, address: str, folder: Path, database: str = "", sandbox: bool = False
) -> AsyncIterator[Child]:
    """Run a worker process of one kind, polling when this returns."""
    line = [sys.executable, "-m", "bench.worker", kind, "--address", address]
    line += ["--database", database] if database else []
    line += ["--sandbox"] if sandbox else []
    async with child(*line, log=folder / f"{kind}.log", talks=True) as running:
        await running.ready()
        yield running


async def _serves(address: str) -> None:
    until = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            client = await Client.connect(address)
            async for _ in client.list_workflows("WaybillStatus = 'x'"):
                pass
            return
        except Exception:
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(0.1)
