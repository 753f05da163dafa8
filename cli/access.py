"""Which installation a command is about: its settings, its database, its own API keys."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from adapters.security.api_keys import Scope, create, hash_of
from adapters.settings import Settings
from cli.addresses import Addresses
from cli.installation import Installation
from domain.errors import DomainError
from ports.stores import AccessStore

if TYPE_CHECKING:
    from store.database import SqlStore

OPERATOR, WAREHOUSE = "operator_api_key", "warehouse_api_key"
SCOPES = {
    OPERATOR: (Scope.ADMIN,),
    WAREHOUSE: (Scope.SHIPMENTS_WRITE,),
}
"""The keys an embedded installation makes for itself: its own commands', and the testbed's."""


def addresses_of(installation: Installation) -> Addresses:
    """Return where an installation runs now, or would run."""
    running = installation.noted("running").get("addresses")
    return Addresses(**running) if running else Addresses.chosen()


def settings() -> Settings:
    """Return the settings a command works with, checked: the environment's, and for what it does
    not say the data folder's.

    Raises:
        DomainError: code ``no_installation`` or ``bad_settings``.
    """
    if not {"WAYBILL_DATABASE_URL", "WAYBILL_DATABASE_URL_FILE"} & os.environ.keys():
        installation = Installation.chosen()
        if not installation.exists:
            raise DomainError(
                f"there is no installation in {installation.folder}: run `waybill up`, or set"
                " WAYBILL_DATA, or WAYBILL_DATABASE_URL and the other settings",
                "no_installation",
            )
        for name, value in installation.settings(addresses_of(installation)).items():
            os.environ.setdefault(name, value)
    return Settings().check()


def open_store(chosen: Settings) -> "SqlStore":
    """Return the database of these settings."""
    # Loaded when it is needed: SQLAlchemy takes a second.
    from store.database import open_store as opened

    return opened(chosen.database_url.get_secret_value())


def ensure_keys(installation: Installation, store: AccessStore, pepper: str) -> None:
    """Make the installation's own API keys where they are missing or unknown to the database."""
    for name, scopes in SCOPES.items():
        kept = installation.secret(name)
        if kept and store.key(hash_of(kept, pepper), datetime.now(UTC)):
            continue
        made = create(name.removesuffix("_api_key"), scopes, pepper=pepper)
        store.add_key(made.key, made.key_hash)
        installation.keep_secret(name, made.secret)
