"""Where the parts of an embedded installation listen; all on this machine only."""

import os
import random
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

from domain.errors import DomainError

HOST = "127.0.0.1"
LENT = range(12_000, 32_000)
"""Where free ports are looked for: below those that systems give to outgoing connections, so that
a part which is down for a moment finds its port still free."""


class Door(NamedTuple):
    """A port: what listens there, the variable that changes it, and where it is by default."""

    what: str
    variable: str
    default: int


DOORS = {
    "api": Door("the API and its pages", "WAYBILL_API_PORT", 8000),
    "temporal": Door("Temporal", "WAYBILL_TEMPORAL_PORT", 7233),
    "temporal_ui": Door("the Temporal UI", "WAYBILL_TEMPORAL_UI_PORT", 8233),
    "testbed": Door("the testbed", "WAYBILL_TESTBED_PORT", 9009),
    "smtp": Door("the testbed's mail catcher", "WAYBILL_SMTP_PORT", 2525),
    "metrics": Door("the Temporal SDK's metrics", "WAYBILL_METRICS_PORT", 9464),
    "worker_metrics": Door("the worker's own metrics", "WAYBILL_WORKER_METRICS_PORT", 9465),
}


@dataclass(frozen=True)
class Addresses:
    """One port for each part."""

    api: int
    temporal: int
    temporal_ui: int
    testbed: int
    smtp: int
    metrics: int
    worker_metrics: int = DOORS["worker_metrics"].default

    @classmethod
    def chosen(cls, environment: Mapping[str, str] = os.environ) -> "Addresses":
        """Return the default ports, changed by the environment.

        Raises:
            DomainError: code ``bad_settings``; names the variable that is no port.
        """
        return cls(**{name: _port(door, environment) for name, door in DOORS.items()})

    @classmethod
    def free(cls) -> "Addresses":
        """Return ports that nobody uses now."""
        ports: list[int] = []
        for port in random.sample(LENT, len(LENT)):
            if not is_taken(port):
                ports.append(port)
            if len(ports) == len(DOORS):
                return cls(**dict(zip(DOORS, ports, strict=True)))
        raise DomainError("this machine has no free ports", "port_taken")

    def refuse_taken(self) -> None:
        """Raise for every port that somebody listens on already, with what changes it.

        Raises:
            DomainError: code ``port_taken``.
        """
        taken = [
            f"port {port} ({DOORS[name].what}) is taken; choose another: {DOORS[name].variable}=…"
            for name, port in asdict(self).items()
            if is_taken(port)
        ]
        if taken:
            raise DomainError("\n".join(taken), "port_taken")

    @property
    def api_url(self) -> str:
        """Where storefronts, people and the testbed find the API."""
        return f"http://{HOST}:{self.api}"

    @property
    def testbed_url(self) -> str:
        """Where the outside world in a box is."""
        return f"http://{HOST}:{self.testbed}"

    @property
    def ui_url(self) -> str:
        """Where the Temporal UI is."""
        return f"http://{HOST}:{self.temporal_ui}"

    @property
    def temporal_address(self) -> str:
        """Temporal's gRPC address."""
        return f"{HOST}:{self.temporal}"


def is_taken(port: int) -> bool:
    """Whether nobody else could listen on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _port(door: Door, environment: Mapping[str, str]) -> int:
    text = environment.get(door.variable) or str(door.default)
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise DomainError(f"{door.variable} is not a port: {text[:20]!r}", "bad_settings")
    return int(text)
