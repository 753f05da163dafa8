"""A data folder: everything an embedded installation keeps, and the environment its parts run in.

::

    .data/waybill.sqlite  testbed.sqlite  temporal.sqlite   what was stored
    .data/secrets/        one file a secret (0600), made at random for this folder alone
    .data/logs/           one file a part
    .data/running.json    the parts that run now
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cli.addresses import Addresses
from domain.errors import DomainError

VARIABLE = "WAYBILL_DATA"
MARK = "secrets"
CHANNELS = {"shop": "generic", "shopify": "shopify", "woo": "woocommerce"}
"""The channels of an embedded installation and what each speaks."""


def _key() -> str:
    return "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def _signing_secret() -> str:
    # Standard Webhooks wants base64; the other platforms take any text.
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _channels() -> str:
    return json.dumps(
        {
            name: {"platform": platform, "secrets": [_signing_secret()]}
            for name, platform in CHANNELS.items()
        }
    )


MAKE: dict[str, Callable[[], str]] = {
    "encryption_keys": _key,
    "link_secrets": lambda: secrets.token_urlsafe(32),
    "api_key_pepper": lambda: secrets.token_urlsafe(32),
    "channels": _channels,
    "stripe_api_key": lambda: "sk_test_" + secrets.token_hex(16),
    "stripe_webhook_secrets": lambda: "whsec_" + secrets.token_hex(16),
    "easypost_api_key": lambda: "EZTK" + secrets.token_hex(16),
    "easypost_webhook_secrets": lambda: secrets.token_urlsafe(24),
    "wms_key": lambda: secrets.token_urlsafe(24),
}
"""Each secret setting and how a fresh one is made."""


class Installation:
    """One data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @classmethod
    def chosen(cls) -> "Installation":
        """Return the one in ``WAYBILL_DATA``, ``.data`` when nothing is said."""
        return cls(Path(os.environ.get(VARIABLE) or ".data"))

    @property
    def exists(self) -> bool:
        """Whether anything was ever started in this folder."""
        return (self.folder / MARK).is_dir()

    @property
    def logs(self) -> Path:
        """Where each part writes."""
        return self.folder / "logs"

    def path(self, name: str) -> Path:
        """Return the place of one of its files."""
        return self.folder / name

    def prepare(self) -> None:
        """Make the folder and the secrets it lacks; what is there stays as it is."""
        for place in (self.folder, self.folder / MARK, self.logs):
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o700)
        for name, make in MAKE.items():
            if not self._secret_file(name).exists():
                self.keep_secret(name, make())

    def secret(self, name: str) -> str:
        """Return a kept secret, empty when there is none."""
        with suppress(FileNotFoundError):
            return self._secret_file(name).read_text(encoding="utf-8").strip()
        return ""

    def keep_secret(self, name: str, value: str) -> None:
        """Write a secret so that only this user can read it, never half."""
        draft = self._secret_file(f".{name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(value + "\n")
        draft.replace(self._secret_file(name))

    def channel_secret(self, channel: str) -> str:
        """Return what a channel's webhooks are signed with."""
        found: str = json.loads(self.secret("channels"))[channel]["secrets"][0]
        return found

    def settings(self, addresses: Addresses) -> dict[str, str]:
        """Return the ``WAYBILL_…`` variables of this folder; secrets are named by their files."""
        testbed = addresses.testbed_url
        values = {
            "MODE": "demo",
            "DATABASE_URL": f"sqlite:///{self.path('waybill.sqlite')}",
            "TEMPORAL_ADDRESS": addresses.temporal_address,
            "STRIPE_BASE_URL": f"{testbed}/stripe",
            "EASYPOST_BASE_URL": f"{testbed}/easypost/v2",
            "WMS_URL": testbed,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(addresses.smtp),
            "SMTP_TLS": "none",
            "SMTP_SENDER": "shop@example.com",
            "PUBLIC_URL": addresses.api_url,
            "UI_ORIGIN": addresses.ui_url,
            "API_PORT": str(addresses.api),
            "METRICS_PORT": str(addresses.metrics),
            "WORKER_METRICS_PORT": str(addresses.worker_metrics),
        }
        values |= {f"{name.upper()}_FILE": str(self._secret_file(name)) for name in MAKE}
        return {f"WAYBILL_{name}": value for name, value in values.items()}

    def testbed_settings(self, addresses: Addresses) -> dict[str, str]:
        """Return the ``TESTBED_…`` variables that fit."""
        values = {
            "PORT": str(addresses.testbed),
            "SMTP_PORT": str(addresses.smtp),
            "DB": str(self.path("testbed.sqlite")),
            "API_BASE": addresses.api_url,
            "API_KEY": self.secret("warehouse_api_key"),
            "STRIPE_WEBHOOK_SECRET": self.secret("stripe_webhook_secrets"),
            "EASYPOST_WEBHOOK_SECRET": self.secret("easypost_webhook_secrets"),
            "WAREHOUSE_KEY": self.secret("wms_key"),
        }
        return {f"TESTBED_{name}": value for name, value in values.items()}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep this folder for one ``waybill up`` at a time.

        Raises:
            DomainError: code ``in_use``; another one runs in it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path("lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise DomainError(
                    f"another waybill runs in {self.folder}; choose another folder: {VARIABLE}=…",
                    "in_use",
                ) from None
            yield

    def note(self, name: str, document: Mapping[str, Any]) -> None:
        """Keep a small JSON document."""
        draft = self.path(f".{name}.tmp")
        draft.write_text(json.dumps(document, indent=1), encoding="utf-8")
        draft.replace(self.path(f"{name}.json"))

    def noted(self, name: str) -> dict[str, Any]:
        """Return a kept document; empty when there is none or it was cut short."""
        with suppress(FileNotFoundError, json.JSONDecodeError):
            found = json.loads(self.path(f"{name}.json").read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
        return {}

    def _secret_file(self, name: str) -> Path:
        return self.folder / MARK / name
