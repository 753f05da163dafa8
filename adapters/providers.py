"""Providers by name, through entry points: a merchant adds one by installing a package.

An entry point names a function ``(Settings) -> provider``. Whatever does not load stops start-up;
nothing is logged and left out.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from adapters.settings import Settings
from domain.errors import DomainError

GROUPS = ("payments", "carriers", "warehouses", "mailers", "fraud")


def names(group: str) -> list[str]:
    """Return the names that are installed in a group (``payments``, ``carriers``, …)."""
    return sorted({entry.name for entry in entry_points(group=f"waybill.{group}")})


def load(group: str, name: str) -> Callable[[Settings], Any]:
    """Return the function that builds a provider.

    Raises:
        DomainError: code ``unknown_provider`` (with the names there are) or ``broken_provider``.
    """
    found = {(e.value, e) for e in entry_points(group=f"waybill.{group}") if e.name == name}
    if not found:
        there_are = ", ".join(names(group)) or "none"
        raise DomainError(
            f"no {group} provider {name!r}; there are: {there_are}", "unknown_provider"
        )
    if len(found) > 1:
        values = ", ".join(sorted(value for value, _ in found))
        raise DomainError(f"{group} provider {name!r} is named twice: {values}", "broken_provider")
    ((value, entry),) = found
    try:
        build = entry.load()
    except Exception as error:
        raise DomainError(
            f"{group} provider {name!r} ({value}) does not load: {type(error).__name__}: {error}",
            "broken_provider",
        ) from error
    if not callable(build):
        raise DomainError(f"{group} provider {name!r} ({value}) is no function", "broken_provider")
    return build  # type: ignore[no-any-return]


def build(group: str, name: str, settings: Settings) -> Any:
    """Build a provider from settings.

    Raises:
        DomainError: as ``load``; ``broken_provider`` as well when building fails.
    """
    make = load(group, name)
    try:
        return make(settings)
    except Exception as error:
        raise DomainError(
            f"{group} provider {name!r} cannot be built: {type(error).__name__}: {error}",
            "broken_provider",
        ) from error
