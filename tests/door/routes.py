"""The route table as the application has it: every path that answers, documented or not."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fastapi import FastAPI
from starlette.routing import BaseRoute


class Door(NamedTuple):
    """One method of one path."""

    method: str
    path: str

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


def doors(app: FastAPI) -> list[Door]:
    """Return every way in, each once."""
    return sorted(set(_walk(app.routes)))


def _walk(routes: Iterable[BaseRoute]) -> Iterator[Door]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _walk(included.routes)
        elif getattr(route, "methods", None):
            yield from (Door(method, route.path) for method in route.methods)  # type: ignore[attr-defined]
        else:
            yield Door("GET", str(getattr(route, "path", "")))
