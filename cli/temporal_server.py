"""The Temporal dev server out of its PyPI wheel, set up as TEMPORAL.md measured it to be best."""

import json
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

from cli.addresses import HOST, Addresses
from domain.errors import DomainError

PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")
DYNAMIC_CONFIG = ("system.enableActivityEagerExecution=true",)
SEARCH_ATTRIBUTES: dict[str, str] = {
    "WaybillStatus": "Keyword",
    "WaybillHold": "KeywordList",
    "WaybillChannel": "Keyword",
    "WaybillLocation": "KeywordList",
    "WaybillPromise": "Datetime",
    "WaybillGrade": "Keyword",
}


def binary() -> Path:
    """Return the server's program.

    Raises:
        DomainError: code ``not_installed``.
    """
    places = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent))
    for place in (*places, None):
        found = shutil.which("temporal", path=place)
        if found:
            return Path(found)
    raise DomainError("the Temporal server is not installed; run `make install`", "not_installed")


def command(addresses: Addresses, database: Path) -> tuple[str, ...]:
    """Return the command line of a server that keeps everything in one SQLite file."""
    line = [
        str(binary()), "server", "start-dev",
        "--ip", HOST, "--port", str(addresses.temporal), "--ui-port", str(addresses.temporal_ui),
        "--ui-codec-endpoint", f"{addresses.api_url}/codec",
        "--ui-disable-news-fetch",
        "--db-filename", str(database),
        "--log-level", "warn",
    ]  # fmt: skip
    for pragma in PRAGMAS:
        line += ["--sqlite-pragma", pragma]
    for value in DYNAMIC_CONFIG:
        line += ["--dynamic-config-value", value]
    for name, kind in SEARCH_ATTRIBUTES.items():
        line += ["--search-attribute", f"{name}={kind}"]
    return tuple(line)


def serves(addresses: Addresses) -> bool:
    """Whether the server answers for its namespace."""
    if not _listens(addresses):
        return False
    asked = _ask(addresses, "operator", "namespace", "describe", "--namespace", "default")
    return asked.returncode == 0


def keep_histories(addresses: Addresses) -> None:
    """Keep ended orders for 90 days; the dev server's own day is too short to look back."""
    _ask(
        addresses, "operator", "namespace", "update", "--namespace", "default",
        "--retention", "90d",
    )  # fmt: skip


def polls(addresses: Addresses, queue: str, pid: int) -> bool:
    """Whether the worker process ``pid`` polls a task queue for workflows.

    The server remembers pollers that are gone for minutes, so their number says nothing; a
    worker's identity holds its process id (``host:pid``, the SDK's own ``pid@host``).
    """
    if not _listens(addresses):
        return False
    asked = _ask(
        addresses, "task-queue", "describe", "--task-queue", queue,
        "--task-queue-type", "workflow", "--output", "json",
    )  # fmt: skip
    if asked.returncode:
        return False
    pollers = json.loads(asked.stdout).get("pollers") or []
    return any(str(pid) in re.split(r"\D", str(one.get("identity", ""))) for one in pollers)


def _listens(addresses: Addresses) -> bool:
    try:
        socket.create_connection((HOST, addresses.temporal), timeout=0.2).close()
    except OSError:
        return False
    return True


def _ask(addresses: Addresses, *words: str) -> subprocess.CompletedProcess[str]:
    line = [str(binary()), *words, "--address", addresses.temporal_address]
    try:
        return subprocess.run(line, capture_output=True, text=True, check=False, timeout=15)
    except subprocess.TimeoutExpired as silent:
        # It ended, or hangs, in the middle of the answer: that is no answer.
        return subprocess.CompletedProcess(line, 1, "", str(silent))
