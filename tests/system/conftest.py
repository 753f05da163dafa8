import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from cli.access import OPERATOR
from cli.addresses import HOST, Addresses
from cli.demo import inherited
from cli.installation import Installation
from cli.seed import Pace
from cli.stack import Stack
from cli.storefront_desk import StorefrontDesk
from cli.up import builder

T = TypeVar("T")
PATIENT = Pace(
    grace=600, vip_grace=600, return_window=600, warehouse_step=0.2, carrier_step=0.3, drop_off=0.5
)
"""Time enough for a person to change their mind."""


def wait_for(what: Callable[[], T | None], seconds: float = 30) -> T:
    """Ask until there is an answer."""
    end = time.monotonic() + seconds
    while (found := what()) is None:
        assert time.monotonic() < end, "never happened"
        time.sleep(0.1)
    return found


@dataclass
class Running:
    """A whole installation that runs, with a storefront that can send it orders."""

    installation: Installation
    addresses: Addresses
    storefront: StorefrontDesk

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the API as an operator."""
        key = self.installation.secret(OPERATOR)
        headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
        return httpx.request(
            method, f"{self.addresses.api_url}{path}", headers=headers, timeout=20, **more
        )

    def metric(self, part: str, name: str) -> float:
        """Return a number that the ``api`` or the ``worker`` shows."""
        port = self.addresses.worker_metrics if part == "worker" else self.addresses.api
        shown = httpx.get(f"http://{HOST}:{port}/metrics", timeout=20).text
        return next(float(s.split()[-1]) for s in shown.splitlines() if s.startswith(f"{name} "))

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Return the mails that somebody got."""
        answer = httpx.get(f"{self.addresses.testbed_url}/mail/messages", params={"to": to})
        return list(answer.json()["messages"] if "messages" in answer.json() else answer.json())


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start everything once: Temporal, testbed, worker, API."""
    installation = Installation(Path(tmp_path_factory.mktemp("waybill")))
    addresses = Addresses.free()
    with Stack(installation, addresses, print, inherited()) as stack:
        stack.start(builder(installation, PATIENT))
        with closing(StorefrontDesk(installation, addresses)) as desk:
            desk.set_up_world(PATIENT.testbed())
            yield Running(installation, addresses, desk)
