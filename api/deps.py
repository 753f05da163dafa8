"""What the API is built of: everything from outside arrives here, through one value."""

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import APIRouter, Depends, Request

from api.counts import Counts, NoCounts
from api.starting import Starts
from contracts.commands import Milestone
from contracts.orders import OrderRef
from domain.errors import DomainError
from domain.frozen import Wire
from domain.order import Address, Order
from domain.policy import Policy, Verdict
from domain.progress import OrderProgress
from ports.carriers import Carrier
from ports.payments import PaymentEvent
from ports.storefronts import Storefront
from ports.stores import Store

A = TypeVar("A", bound=Wire)


class Orders(Protocol):
    """The running processes of orders. ``api.orders_client`` speaks to Temporal; tests need not.

    Raises ``OrdersAway`` when Temporal or its workers do not answer, ``OrderNotRunning`` when the
    order has no open process, and ``DomainError`` with the process's own code when it refuses.
    """

    async def start(self, ref: OrderRef, order: Order) -> None:
        """Start an order's process; one that runs, or has run, is left alone."""

    async def command(
        self, order_id: str, name: str, request: Wire, answer: type[A], key: str
    ) -> A:
        """Ask a process something; the same ``key`` is carried out once, its answer repeated."""

    async def milestone(self, order_id: str, milestone: Milestone) -> None:
        """Tell a process what happened outside."""

    async def progress(self, order_id: str) -> OrderProgress:
        """Ask a process how far it is."""

    async def ready(self) -> bool:
        """Whether Temporal answers."""


class OrderNotRunning(DomainError):
    """The order has no open process: it ended, or was never started."""

    code = "order_ended"


class PaymentEvents(Protocol):
    """Reads a payment provider's webhooks."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
        """Check the signature; raises ``ports.storefronts.Unauthentic``."""

    def read(self, body: bytes) -> PaymentEvent:
        """Read a verified event; raises ``DomainError`` when it is none."""


class Link(Protocol):
    """What a signed customer link allows; ``nonce`` names it for single use."""

    @property
    def order_id(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def nonce(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...


class CustomerLinks(Protocol):
    """Signs and reads customer links. Purposes are ``view``, ``cancel``, ``return``, ``address``;
    each is signed apart, so that no link serves another's purpose."""

    def issue(self, order_id: str, purpose: str, expires_at: datetime) -> str:
        """Return a new token with a nonce of its own."""

    def read(self, token: str, purpose: str, now: datetime) -> Link:
        """Return what a token allows; raises ``DomainError`` code ``link_invalid`` or
        ``link_expired``."""


class PolicyProblem(Wire):
    """Why a policy cannot be saved. ``line`` and ``column`` count from 1 within the expression."""

    field: str
    message: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Channel:
    """A storefront that may send orders; without a secret it is off."""

    storefront: Storefront
    secrets: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class CarrierHook:
    """A carrier that may send scans; without a secret it is off."""

    carrier: Carrier
    secrets: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class PaymentHook:
    """A payment provider that may send events; without a secret it is off."""

    events: PaymentEvents
    secrets: tuple[str, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class Limits:
    """What is refused at the door: bytes, nesting, requests a minute and waiting in seconds."""

    body: int = 256 * 1024
    webhook: int = 1024 * 1024
    json_depth: int = 32
    per_key: int = 600
    per_address: int = 6000
    read_seconds: float = 10.0
    verdict_seconds: float = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


def nothing(_: Any) -> None:
    """Refuse nothing."""


def no_problems(_: Any) -> Sequence[Any]:
    """Find nothing wrong."""
    return ()


def _accept(_: Order, __: Policy) -> Verdict:
    return Verdict.ACCEPT


@dataclass(frozen=True)
class Deps:
    """The API's world.

    ``read_order`` reads the body of ``POST /orders`` (raises ``InvalidOrder``), which
    ``order_schema`` describes; ``read_json`` reads any body, strictly: what two parsers could read
    differently raises ``InvalidOrder``; ``refuse_cards`` raises ``InvalidOrder`` for a JSON value
    that holds a payment card number; ``check_address`` returns (field, message) pairs; ``grade``
    is the built-in grading under a policy; ``background`` runs beside the requests for as long as
    the API does.
    """

    store: Store
    orders: Orders
    links: CustomerLinks
    hash_key: Callable[[str], str]
    read_order: Callable[[bytes, str, datetime], Order]
    channels: Mapping[str, Channel] = field(default_factory=dict)
    carriers: Mapping[str, CarrierHook] = field(default_factory=dict)
    payments: Mapping[str, PaymentHook] = field(default_factory=dict)
    order_schema: Mapping[str, Any] = field(default_factory=dict)
    read_json: Callable[[bytes], Any] = json.loads
    refuse_cards: Callable[[Any], None] = nothing
    check_address: Callable[[Address], Sequence[tuple[str, str]]] = no_problems
    check_policy: Callable[[Policy], Sequence[PolicyProblem]] = no_problems
    grade: Callable[[Order, Policy], Verdict] = _accept
    counts: Counts = field(default_factory=NoCounts)
    starts: Starts = field(default_factory=Starts)
    now: Callable[[], datetime] = _now
    limits: Limits = field(default_factory=Limits)
    public_url: str = ""
    sweep_seconds: float = 5.0
    routers: tuple[APIRouter, ...] = ()
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()


async def _deps(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


World = Annotated[Deps, Depends(_deps)]
