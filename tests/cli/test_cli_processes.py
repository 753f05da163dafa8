"""Parts are waited for, watched and stopped with everything they started."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.processes import Running, Service, StartFailed, end_left_over, is_child_left_over


def service(code: str, ready: Callable[[int], bool], **more: float) -> Service:
    command = (sys.executable, "-c", code)
    return Service("part", command, {**os.environ, "MARK": "the-mark"}, ready, **more)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_part_is_ready_when_it_says_so(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    code = f"import time, pathlib; pathlib.Path({str(sign)!r}).touch(); time.sleep(60)"
    running = Running(service(code, lambda _: sign.exists()), tmp_path / "log")
    running.wait_until_ready()
    assert running.exit_code is None
    running.stop()
    assert not lives(running.pid)


def test_a_part_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("of an earlier run\n")
    code = "import sys; print('no such table'); sys.exit(3)"
    running = Running(service(code, lambda _: False), tmp_path / "log")
    with pytest.raises(StartFailed) as failed:
        running.wait_until_ready()
    assert "ended with code 3" in str(failed.value)
    assert "no such table" in str(failed.value)
    assert "earlier run" not in str(failed.value)


def test_a_part_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    running = Running(
        service("import time; time.sleep(60)", lambda _: False, patience=0.3), tmp_path / "log"
    )
    with pytest.raises(StartFailed, match="was not ready"):
        running.wait_until_ready()
    running.stop()


def test_a_part_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    sign = tmp_path / "child"
    code = f"""
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path({str(sign)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    ready = lambda _: sign.exists() and sign.read_text() != ""  # noqa: E731
    running = Running(service(code, ready, stop_within=0.3), tmp_path / "log")
    running.wait_until_ready()
    running.stop()
    deadline = time.monotonic() + 5
    while lives(int(sign.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    state = Path(f"/proc/{sign.read_text()}/stat")
    assert not lives(int(sign.read_text())) or " Z " in state.read_text()


def test_what_a_killed_run_left_behind_is_known_by_its_mark(tmp_path: Path) -> None:
    running = Running(service("import time; time.sleep(60)", lambda _: True), tmp_path / "log")
    time.sleep(0.2)
    assert is_child_left_over(running.pid, "the-mark")
    assert not is_child_left_over(running.pid, "another-mark")
    end_left_over(running.pid, patience=0.5)
    assert running.exit_code is not None
