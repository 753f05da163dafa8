"""Child processes of an embedded installation: started, waited for, watched, stopped as a group."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LOG_TAIL = 15


class StartFailed(Exception):
    """A process ended, or did not become ready in time; the message holds the end of its log."""


@dataclass(frozen=True)
class Service:
    """What to run, and how to see that the process of a given id is ready. Seconds."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[int], bool]
    patience: float = 60.0
    stop_within: float = 3.0


class Running:
    """A service's process, in a process group of its own, writing to a log file."""

    def __init__(self, service: Service, log: Path) -> None:
        self.service, self.log = service, log
        with log.open("ab") as output:
            self._begin = output.tell()
            self._process = subprocess.Popen(
                service.command,
                env=dict(service.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id, which is its group's too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended (negative: by that signal), None while it runs."""
        return self._process.poll()

    def wait_until_ready(self) -> None:
        """Return as soon as the service answers.

        Raises:
            StartFailed: it ended, or its patience ran out.
        """
        deadline = time.monotonic() + self.service.patience
        while not self.service.ready(self.pid):
            if self.exit_code is not None:
                raise StartFailed(self.obituary())
            if time.monotonic() > deadline:
                raise StartFailed(self.overdue())
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask the group to end, insist after ``stop_within``, and leave nothing behind."""
        _signal_group(self.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self.service.stop_within)
        _signal_group(self.pid, signal.SIGKILL)
        self._process.wait()

    def obituary(self) -> str:
        """Say how the process ended, with the end of its log."""
        code = self.exit_code or 0
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        return f"{self.service.name} ended {how}\n{self.last_words()}"

    def overdue(self) -> str:
        """Say that its patience ran out, with the end of its log."""
        waited = f"{self.service.name} was not ready after {self.service.patience:g} s"
        return f"{waited}\n{self.last_words()}"

    def last_words(self) -> str:
        """Return the last lines that this process wrote, and where the rest is."""
        with self.log.open("rb") as written:
            written.seek(max(self._begin, written.seek(0, os.SEEK_END) - 16_384))
            lines = written.read().decode(errors="replace").splitlines()[-LOG_TAIL:]
        return "\n".join([f"  {line}" for line in lines] + [f"  (all of it: {self.log})"])


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def is_child_left_over(pid: int, mark: str) -> bool:
    """Whether ``pid`` is a process whose environment or command line still holds ``mark``."""
    for source in ("environ", "cmdline"):
        with suppress(OSError):
            if mark.encode() in Path(f"/proc/{pid}/{source}").read_bytes():
                return True
    if Path("/proc/self").exists():
        return False
    found = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return mark in found.stdout


def end_left_over(pid: int, patience: float = 3.0) -> None:
    """End the group of a process that a killed ``waybill up`` left behind."""
    _signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            os.killpg(pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.05)
    _signal_group(pid, signal.SIGKILL)
