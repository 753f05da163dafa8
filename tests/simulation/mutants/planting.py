"""How a bug is planted: one attribute of the real code is replaced, in a process of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """A planted bug; its name says what is wrong."""

    name: str
    plant: Callable[[], None]


def mutant(kept: list[Mutant]) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Keep a function that plants a bug."""

    def keep(function: Callable[[], None]) -> Callable[[], None]:
        kept.append(Mutant(function.__name__, function))
        return function

    return keep


def plant(owner: Any, name: str, replacement: Any) -> Any:
    """Replace something that is there; return what it was."""
    before = getattr(owner, name)
    setattr(owner, name, replacement)
    return before
