"""What Waybill needs of its database. Each method is exactly one transaction.

All methods are synchronous: activities run them in a thread pool and routes in FastAPI's, so that
no coroutine blocks the loop (TEMPORAL.md T14). Times are timezone-aware UTC. A store method raises
``StoreUnavailable`` when the database is away or locked; nothing is half done then.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from domain.errors import ProviderUnavailable
from domain.frozen import Wire
from domain.order import Address, Order
from domain.policy import Policy
from domain.progress import OrderProgress, TimelineEvent
from domain.stock import Queued, StockMove
from ports.carriers import Scan
from ports.operators import OperatorStore
from ports.stock import StockStore


class StoreUnavailable(ProviderUnavailable):
    """The database is away, locked or full."""


class Intake(StrEnum):
    """What became of a delivered order."""

    NEW = "new"
    REPEAT = "repeat"
    CONFLICT = "conflict"


NOT_TAKEN = "ignored:"
"""How the outcome of a delivery begins that asked nothing of us; why follows."""


class Delivery(Wire):
    """A storefront's delivery as it came in. ``body_hash`` is SHA-256 of the raw body, hex."""

    channel: str
    delivery_id: str
    topic: str
    external_id: str
    body_hash: str
    received_at: datetime
    outcome: str = ""


class Accepted(Wire):
    """The answer to an intake. ``parked_cancel`` is set when a cancel came before the order."""

    intake: Intake
    order_id: str
    status: str = "received"
    parked_cancel: str | None = None


class StoredOrder(Wire):
    """An order with what people changed since: ``ship_to`` is where it goes now."""

    order: Order
    ship_to: Address | None
    policy_version: int
    progress: OrderProgress | None = None


class OrderFilter(Wire):
    """Filters of the order list; empty means all. ``q`` matches id, number, e-mail, name."""

    status: str = ""
    hold: str = ""
    channel: str = ""
    channels: tuple[str, ...] = ()
    sku: str = ""
    q: str = ""


class OrderRow(Wire):
    """One row of the order list."""

    order_id: str
    number: str
    channel: str
    status: str
    holds: tuple[str, ...]
    total: int
    currency: str
    placed_at: datetime
    updated_at: datetime
    promise: str = ""


class Page(Wire):
    """A page of rows; ``next_cursor`` is empty on the last one."""

    rows: tuple[OrderRow, ...]
    next_cursor: str = ""


class OrderStore(Protocol):
    """Orders, their projection and their history."""

    def accept(self, delivery: Delivery, order: Order, cancelled: str | None = None) -> Accepted:
        """Write delivery and order together. Unique for ever on (channel, external id) and on
        (channel, delivery id); the same order with another ``body_hash`` is a CONFLICT, recorded
        as an alert, unless it is called off or one of both is ``followed``; a cancel parked before
        is returned and marked used. ``cancelled`` is the
        reason of an order that the storefront has called off already."""

    def record(self, delivery: Delivery) -> bool:
        """Keep a delivery that makes no order; False when its id was seen before."""

    def park_cancel(self, delivery: Delivery, reason: str, until: datetime) -> str | None:
        """Park a cancel for an order not yet known; returns the order id when it is known."""

    def unstarted(self, before: datetime, limit: int = 100) -> Sequence[tuple[str, str | None]]:
        """Accepted orders whose process was never confirmed as started, oldest first, with the
        reason of the cancel that came before the order, if one did."""

    def mark_started(self, order_ids: Collection[str]) -> None:
        """Note that the processes of these orders run."""

    def get(self, order_id: str) -> StoredOrder | None:
        """One order, or None."""

    def list(self, where: OrderFilter, cursor: str = "", limit: int = 50) -> Page:
        """Orders, newest first; a stable cursor, never an offset."""

    def recent(self, limit: int) -> Sequence[Order]:
        """The newest orders, whole."""

    def timeline(self, order_id: str) -> Sequence[TimelineEvent]:
        """The order's history, oldest first."""

    def duplicates(self, order: Order, since: datetime) -> Sequence[str]:
        """Other orders of the same e-mail with the same SKUs, quantities and total since then."""

    def change_address(self, order_id: str, address: Address, at: datetime) -> None:
        """Set where the order goes now; the original stays in the accepted order."""

    def change_lines(self, order_id: str, order: Order, at: datetime) -> None:
        """Store the order as re-accepted after an edit of its lines; the first stays in history."""

    def project(
        self,
        progress: OrderProgress,
        events: Sequence[TimelineEvent] = (),
        moves: Sequence[StockMove] = (),
        queue: Sequence[Queued] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Write the projection, the history and the stock moves in one transaction.

        A version not newer than the stored one changes no projection (but its events, by ``no``,
        and moves, by ``key``, are still applied once). The same version of a later moment ``at``
        (the process's time) is newer: a step that was done again because its worker had died.
        ``queue``, when given, replaces the order's rows in the queue for stock.
        """

    def order_of_shipment(self, shipment_id: str) -> str | None:
        """The order a shipment belongs to."""

    def order_of_return(self, return_id: str) -> str | None:
        """The order a return belongs to."""

    def order_of_payment(self, reference: str) -> str | None:
        """The order a provider's payment belongs to."""

    def parked(self, now: datetime) -> Sequence[Delivery]:
        """Parked cancels whose deadline has passed, which no order ever met, and of which nobody
        has been told yet (alert ``parked_cancel`` about the order's id). One of an order that we
        were told of and did not take (a checkout never paid) is nothing to tell."""


class EffectStore(Protocol):
    """The audit of external effects (INVARIANTS A1): intent before, outcome after, hash-chained
    per order so that a removed row is found."""

    def intend(self, order_id: str, key: str, kind: str, detail: dict[str, str]) -> None:
        """Write that an effect is about to be asked for; keyed, a repeat is a no-op. The same key
        with another kind or detail raises ``EffectRefused`` code ``key_reused`` and alerts."""

    def conclude(self, order_id: str, key: str, outcome: str, detail: dict[str, str]) -> None:
        """Write what came of it: ``done``, ``declined``, ``refused``; keyed by (key, outcome)."""

    def outcome(self, order_id: str, key: str) -> tuple[str, dict[str, str]] | None:
        """The conclusion of an effect, when there is one."""

    def effects(self, order_id: str) -> Sequence[dict[str, Any]]:
        """All rows of an order in order, with their hashes."""

    def verify_chain(self, order_id: str) -> bool:
        """Whether no row was removed or changed."""


class MessageStore(Protocol):
    """At most one send per (order, template, subject number): INVARIANTS N1."""

    def claim(self, order_id: str, template: str, no: int) -> bool:
        """Claim a message before it is sent; False when it was claimed before, unless that try
        was settled as ``not_sent`` (it is certain that nothing went out)."""

    def settle(self, order_id: str, template: str, no: int, outcome: str) -> None:
        """Write ``sent``, ``refused``, ``unknown`` or ``not_sent``; a claim without one is reported
        by the audit."""

    def messages(self, order_id: str) -> Sequence[dict[str, Any]]:
        """The order's messages with their outcomes."""


class ParcelStore(Protocol):
    """Labels and scans."""

    def save_label(self, subject: str, order_id: str, tracking_number: str, pdf: bytes) -> None:
        """Keep a label document of a shipment or return; a repeat replaces it."""

    def label(self, subject: str) -> tuple[str, bytes] | None:
        """(tracking number, PDF) of a shipment or return."""

    def subject_of(self, tracking_number: str) -> tuple[str, str] | None:
        """(order id, shipment or return id) that a tracking number belongs to."""

    def add_scans(self, carrier: str, tracking_number: str, scans: Sequence[Scan]) -> int:
        """Add scans, a set keyed by (carrier, number, code, at); returns how many were new."""

    def scans(self, tracking_number: str) -> Sequence[Scan]:
        """All scans, oldest first."""


class ApiKey(Wire):
    """An API key as stored: only its hash. ``channels`` empty means all."""

    key_id: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    channels: tuple[str, ...] = ()
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked: bool = False


class AccessStore(Protocol):
    """API keys, idempotency keys, used links, erased customers, policy versions."""

    def add_key(self, key: ApiKey, key_hash: str) -> None:
        """Store a key by its hash."""

    def key(self, key_hash: str, now: datetime) -> ApiKey | None:
        """The live key with this hash; notes its use at most once a minute."""

    def keys(self) -> Sequence[ApiKey]:
        """All keys."""

    def revoke(self, key_id: str) -> None:
        """Switch a key off."""

    def begin(self, caller: str, key: str, body_hash: str, at: datetime) -> tuple[int, str] | None:
        """Begin an idempotent request: None for the first, (status, body) for a repeat (status 0
        while the first is still running). The same key with another body raises ``DomainError``
        code ``idempotency_key_reused``."""

    def finish(self, caller: str, key: str, status: int, body: str) -> None:
        """Keep the answer of an idempotent request."""

    def forget(self, caller: str, key: str) -> None:
        """Drop a request that ended in a 5xx, so that it may be tried again."""

    def use_once(self, nonce: str, at: datetime) -> bool:
        """Use up a single-use link; False when it was used before."""

    def policy(self, version: int | None = None) -> tuple[int, Policy]:
        """A policy version, the newest when none is given; version 0 is the shipped default."""

    def save_policy(self, policy: Policy, actor: str, at: datetime) -> int:
        """Add a policy version; returns its number."""


class Store(
    OrderStore,
    StockStore,
    EffectStore,
    MessageStore,
    ParcelStore,
    AccessStore,
    OperatorStore,
    Protocol,
):
    """The whole database."""
