"""Servers that the contract suites talk to: each its own process, port and folder, always ended."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 30.0


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve_testbed(folder: Path) -> Iterator[str]:
    """Run the testbed; yields its address."""
    port = free_port()
    command = [
        sys.executable, "-m", "testbed", "--port", str(port), "--smtp-port", "0",
        "--db", str(folder / "testbed.sqlite"),
    ]  # fmt: skip
    with _running(command, folder, f"http://127.0.0.1:{port}/healthz"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serve_localstripe(folder: Path) -> Iterator[str]:
    """Run localstripe, which nobody here wrote; its state is in its own temp folder."""
    port = free_port()
    command = [sys.executable, "-m", "localstripe", "--from-scratch", "--port", str(port)]
    with _running(command, folder, f"http://127.0.0.1:{port}/js.stripe.com/v3/"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], folder: Path, health: str) -> Iterator[None]:
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(health, process, folder / "log")
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            httpx.get(address, timeout=1.0, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{address} did not come up:\n{log.read_text()[-2000:]}")
