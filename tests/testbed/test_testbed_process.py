"""The testbed as its own process: it is killed, comes back, and goes on."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from test_testbed_carrier import bought
from testbed_running import Box, until


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@contextmanager
def process(db: Path) -> Iterator[tuple[Box, subprocess.Popen[bytes]]]:
    port, smtp_port = free_port(), free_port()
    options = {"port": port, "smtp-port": smtp_port, "db": db, "carrier-step-seconds": 0.3}
    command = [sys.executable, "-m", "testbed"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    box = Box(url, smtp_port)

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        until(answers, 20)
        yield box, child
    finally:
        box.close()
        child.kill()
        child.wait()


def test_a_parcel_under_way_arrives_although_the_testbed_was_killed(tmp_path: Path) -> None:
    db = tmp_path / "testbed.sqlite"
    with process(db) as (box, _killed_on_leaving):
        number = bought(box, "o-1:S1").tracking_code
        box.control("POST", f"/parcels/{number}/drop-off")
    with process(db) as (box, child):
        until(lambda: box.ledger("o-1")["parcels"][0]["status"] == "delivered")
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) in (0, -signal.SIGTERM)
