"""A stack looks after its parts: what ends is started again, and nothing waits for it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.addresses import Addresses
from cli.installation import Installation
from cli.processes import Service, StartFailed
from cli.stack import MOST_RESTARTS, Stack

SLEEPS = "import time; time.sleep(60)"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(Installation(tmp_path), Addresses.free(), lambda _: None) as made:
        yield made


def part(name: str, sign: Path, code: str = SLEEPS, patience: float = 5.0) -> Service:
    """Return a part that is ready once ``sign`` is there, whoever makes it."""
    command = (sys.executable, "-c", code)
    return Service(name, command, dict(os.environ), lambda _: sign.exists(), patience)


def ended(stack: Stack, name: str) -> None:
    """Wait until a part has ended."""
    deadline = time.monotonic() + 5
    while stack._running[name].exit_code is None:
        assert time.monotonic() < deadline, "never ended"
        time.sleep(0.01)


def kill(stack: Stack, *names: str) -> None:
    for name in names:
        os.kill(stack.pids[name], signal.SIGKILL)
        ended(stack, name)


def look_until(stack: Stack, when: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not when():
        assert time.monotonic() < deadline, "never came back"
        stack.look()
        time.sleep(0.02)


def test_parts_that_end_together_return_although_one_needs_the_other(
    stack: Stack, tmp_path: Path
) -> None:
    sign = tmp_path / "sign"
    gives = f"import pathlib, time; pathlib.Path({str(sign)!r}).touch(); time.sleep(60)"
    stack._begin(part("worker", sign, patience=3.0))
    stack._begin(part("temporal", sign, gives))
    look_until(stack, sign.exists)
    kill(stack, "worker", "temporal")
    sign.unlink()
    look_until(stack, sign.exists)
    stack.look()
    assert [running.exit_code for running in stack._running.values()] == [None, None]


def test_a_part_that_ends_while_it_returns_is_started_once_more(
    stack: Stack, tmp_path: Path
) -> None:
    stack._begin(part("worker", tmp_path / "sign"))
    kill(stack, "worker")
    stack.look()
    kill(stack, "worker")
    stack.look()
    assert stack._running["worker"].exit_code is None


def test_a_part_that_ends_again_and_again_is_given_up_with_its_last_words(
    stack: Stack, tmp_path: Path
) -> None:
    stack._begin(part("worker", tmp_path / "sign", "print('no such table')"))
    for _ in range(MOST_RESTARTS):
        ended(stack, "worker")
        stack.look()
    ended(stack, "worker")
    with pytest.raises(StartFailed, match="no such table"):
        stack.look()


def test_a_part_that_never_gets_ready_again_is_given_up(stack: Stack, tmp_path: Path) -> None:
    stack._begin(part("worker", tmp_path / "sign", patience=0.2))
    kill(stack, "worker")
    with pytest.raises(StartFailed, match="was not ready"):
        look_until(stack, lambda: False)
