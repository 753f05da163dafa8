from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.access import OPERATOR
from cli.addresses import Addresses
from cli.demo import inherited
from cli.installation import Installation
from cli.seed import Pace
from cli.stack import Stack
from cli.storefront_desk import StorefrontDesk
from cli.up import builder

PATIENT = Pace(
    grace=600, vip_grace=600, return_window=600, warehouse_step=0.2, carrier_step=0.3, drop_off=0.5
)
"""Time enough for a person to change their mind."""


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

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Return the mails that somebody got."""
        answer = httpx.get(f"{self.addresses.testbed_url}/mail/messages", params={"to": to})
        return list(answer.json()["messages"] if "messages" in answer.json() else answer.json())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start everything once: Temporal, testbed, worker, API."""
    installation = Installation(Path(tmp_path_factory.mktemp("waybill")))
    addresses = Addresses.free()
    with Stack(installation, addresses, print, inherited()) as stack:
        stack.start(builder(installation, PATIENT))
        with closing(StorefrontDesk(installation, addresses)) as desk:
            desk.set_up_world(PATIENT.testbed())
            yield Running(installation, addresses, desk)
