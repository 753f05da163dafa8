"""Who asks, and what they may see: API keys with scopes, bound to channels where a merchant says.

Deny by default: a route without a scope does not exist (a test walks them all). What belongs to
another channel looks exactly like what does not exist.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from api.deps import Deps
from api.problems import Problem, not_found
from domain.frozen import Wire
from ports.access import Scope as Scope
from ports.stores import StoredOrder

LONGEST_KEY = 200

bearer = HTTPBearer(
    scheme_name="ApiKey", description="An API key with scopes, as a bearer token.", auto_error=False
)


class Caller(Wire):
    """Who asks. ``channels`` empty means all."""

    key_id: str
    name: str
    scopes: frozenset[str]
    channels: tuple[str, ...] = ()

    @property
    def actor(self) -> str:
        """How the order's history names the caller."""
        return f"api:{self.name or self.key_id}"

    def may(self, *scopes: Scope) -> bool:
        """Whether one of these scopes is held."""
        return bool(self.scopes & {Scope.ADMIN, *scopes})

    def sees(self, channel: str) -> bool:
        """Whether orders of a channel exist for this caller."""
        return not self.channels or channel in self.channels

    def sees_order(self, order_id: str) -> bool:
        """Whether an order exists for this caller; its id begins with its channel."""
        return not self.channels or order_id.startswith(tuple(f"{c}-" for c in self.channels))


async def authenticate(request: Request) -> Caller:
    """Return the caller of a request, looked up once.

    Raises:
        Problem: 401 ``unauthenticated``; the same whether a key is missing, unknown or over.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known:
        return known
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    deps: Deps = request.app.state.deps
    row = None
    if scheme.lower() == "bearer" and 0 < len(token) <= LONGEST_KEY:
        row = await run_in_threadpool(deps.store.key, deps.hash_key(token.strip()), deps.now())
    if row is None:
        raise Problem(
            401, "unauthenticated", "A valid API key is needed.", {"WWW-Authenticate": "Bearer"}
        )
    caller = Caller(
        key_id=row.key_id, name=row.name, scopes=frozenset(row.scopes), channels=row.channels
    )
    request.state.caller = caller
    return caller


def need(*scopes: Scope) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency that lets in callers with one of these scopes."""

    async def let_in(
        request: Request,
        _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)] = None,
    ) -> Caller:
        caller = await authenticate(request)
        if not caller.may(*scopes):
            raise Problem(403, "forbidden", f"This needs the scope {' or '.join(scopes)}.")
        return caller

    let_in.__name__ = f"needs {' or '.join(scopes)}"
    return let_in


Reader = Annotated[Caller, Depends(need(Scope.ORDERS_READ))]
Writer = Annotated[Caller, Depends(need(Scope.ORDERS_WRITE))]
Refunder = Annotated[Caller, Depends(need(Scope.REFUNDS_WRITE, Scope.SHIPMENTS_WRITE))]
Warehouse = Annotated[Caller, Depends(need(Scope.SHIPMENTS_WRITE))]
DocumentReader = Annotated[Caller, Depends(need(Scope.SHIPMENTS_WRITE, Scope.ORDERS_READ))]
Stocker = Annotated[Caller, Depends(need(Scope.STOCK_WRITE))]
StockReader = Annotated[
    Caller, Depends(need(Scope.STOCK_WRITE, Scope.ORDERS_READ, Scope.ORDERS_WRITE))
]
Admin = Annotated[Caller, Depends(need(Scope.ADMIN))]


async def _oversee(caller: Admin) -> Caller:
    if caller.channels:
        raise Problem(403, "forbidden", "This key is bound to channels; this is about all of them.")
    return caller


Overseer = Annotated[Caller, Depends(_oversee)]
"""An admin who sees every channel."""


async def visible(deps: Deps, caller: Caller, order_id: str | None) -> StoredOrder:
    """Return an order the caller may see; the one place where orders are filtered by owner.

    Raises:
        Problem: 404, for an unknown order and a foreign one alike.
    """
    stored = await run_in_threadpool(deps.store.get, order_id) if order_id else None
    if stored is None or not caller.sees(stored.order.channel):
        raise not_found()
    return stored
