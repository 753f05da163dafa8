"""What came of a run: what customers were told, held against database, Temporal and ledger.

Pure but for ``processes_of``: evidence in, a list of readable faults out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from temporalio.client import Client

from cli.addresses import Addresses
from domain.progress import TERMINAL, OrderProgress, OrderStatus, ReturnStatus
from ports.stores import StoredOrder
from tests.chaos.witness import (
    ADDRESS,
    CALLED_OFF,
    CANCEL,
    HOLD,
    METHOD,
    ORDER,
    RETURN,
    Json,
    Told,
)

ONCE = ("authorise", "capture", "refund")
WELL = ("Completed", "ContinuedAsNew")
"""How a process may have ended."""


@dataclass(frozen=True)
class Evidence:
    """All sides at the end of a run.

    ``processes`` are (workflow id, status) of every run that Temporal knows; ``history`` holds the
    kinds of each order's timeline.
    """

    told: Sequence[Told]
    orders: Mapping[str, StoredOrder]
    ledger: Mapping[str, Any]
    processes: Sequence[tuple[str, str]] = ()
    history: Mapping[str, Sequence[str]] = field(default_factory=dict)


def lost(evidence: Evidence) -> Iterator[str]:
    """Yield what was acknowledged and is unknown now: orders, and what was asked of them."""
    for told in evidence.told:
        if not told.taken or not told.order_id:
            continue
        stored = evidence.orders.get(told.order_id)
        if stored is None:
            yield f"{told.order_id}: acknowledged ({told.what}), and unknown"
        elif told.what != ORDER and not _kept(told, stored, evidence):
            yield f"{told.order_id}: {told.what} was acknowledged, and nothing of it is left"


def _kept(told: Told, stored: StoredOrder, evidence: Evidence) -> bool:
    returns = stored.progress.returns if stored.progress else ()
    history = evidence.history.get(told.order_id, ())
    if told.what == RETURN:
        return any(one.return_id == told.answer["return_id"] for one in returns)
    if told.what == ADDRESS:
        code = told.asked["address"]["postal_code"]
        return stored.ship_to is not None and stored.ship_to.postal_code == code
    if told.what == HOLD:
        return any(kind.startswith("hold") for kind in history)
    if told.what == METHOD:
        return any(kind.startswith("payment") for kind in history)
    return True


def doubled(evidence: Evidence) -> Iterator[str]:
    """Yield every effect, order or process that is there more than once."""
    payments = evidence.ledger["payments"]
    keys = Counter(
        (row["kind"], row["order_id"], row["idempotency_key"])
        for row in payments
        if row["kind"] in ONCE and row["idempotency_key"]
    )
    purposes = Counter(
        (row["kind"], row["order_id"], row["purpose"], row["object_id"])
        for row in payments
        if row["kind"] in ONCE
    )
    labels = Counter(("label", row["reference"], "") for row in evidence.ledger["parcels"])
    ids = Counter(
        ("order", one.order.channel, one.order.external_id) for one in evidence.orders.values()
    )
    runs = Counter(("process", name, "") for name, _ in evidence.processes)
    for counted in (keys, purposes, labels, ids, runs):
        for what, times in counted.items():
            if times > 1:
                yield f"{times} times {' '.join(filter(None, map(str, what)))}"


def stuck(evidence: Evidence) -> Iterator[str]:
    """Yield every order that has not ended, and every process that has not."""
    for order_id, stored in evidence.orders.items():
        progress = stored.progress
        if progress is None:
            yield f"{order_id}: its process never wrote"
        elif progress.status not in TERMINAL:
            holds = ", ".join(f"{hold.kind} until {hold.expires_at}" for hold in progress.holds)
            yield f"{order_id}: {progress.status} {holds}".rstrip()
    for name, status in evidence.processes:
        if status not in WELL:
            yield f"{name}: its process is {status}"


def broken(evidence: Evidence) -> Iterator[str]:
    """Yield answers that do not hold (L4): a cancel, a return, a refund."""
    for told in evidence.told:
        stored = evidence.orders.get(told.order_id)
        if stored is None or stored.progress is None or not told.taken:
            continue
        progress = stored.progress
        if told.what == CANCEL:
            yield from _broken_cancel(told, progress, evidence)
        elif told.what == CALLED_OFF:
            if told.answer["status"] in ("cancelled", "parked") and not _called_off(progress):
                yield f"{told.order_id}: {told.answer['status']} for its storefront, and it goes on"
        elif told.what == RETURN:
            yield from _broken_return(told, progress)


def _called_off(progress: OrderProgress) -> bool:
    return progress.status is OrderStatus.CANCELLED


def _broken_cancel(told: Told, progress: OrderProgress, evidence: Evidence) -> Iterator[str]:
    outcome, order_id = told.answer.get("outcome"), told.order_id
    if outcome == "cancelled" and not _called_off(progress):
        yield f'{order_id}: told "cancelled", and it is {progress.status}'
    if outcome == "cancelled":
        rows = [row for row in evidence.ledger["payments"] if row["order_id"] == order_id]
        took = sum(row["amount"] for row in rows if row["kind"] == "capture")
        gave = sum(row["amount"] for row in rows if row["kind"] == "refund")
        if took != gave:
            yield f'{order_id}: told "cancelled", and {took - gave} stay captured'
        gone = [
            row["tracking_number"]
            for row in evidence.ledger["parcels"]
            if str(row["reference"]).startswith(f"{order_id}-") and row["handed_over_at"]
        ]
        if gone:
            yield f'{order_id}: told "cancelled", and {", ".join(gone)} left'
    others = [
        one.answer.get("outcome")
        for one in evidence.told
        if one.what == CANCEL and one.order_id == order_id and one is not told
    ]
    if outcome == "too_late" and "cancelled" in others:
        yield f'{order_id}: told "too_late" and "cancelled"'


def _broken_return(told: Told, progress: OrderProgress) -> Iterator[str]:
    for one in progress.returns:
        if one.return_id == told.answer["return_id"] and one.status is not ReturnStatus.REFUNDED:
            yield f"{told.order_id}: return {one.return_id} was opened, and ended {one.status}"


def changed(told: Told, status: int, answer: Json) -> str:
    """Return how asking again under the same key is answered otherwise; empty when it is not."""
    if answer.get("outcome") == told.answer.get("outcome") and status == told.status:
        return ""
    return f"{told.order_id}: told {told.answer}, now {status} {answer}"


async def processes_of(addresses: Addresses) -> Sequence[tuple[str, str]]:
    """Return every run that Temporal knows."""
    client = await Client.connect(addresses.temporal_address)
    return [
        (run.id, run.status.name.title().replace("_", "") if run.status else "")
        async for run in client.list_workflows()
    ]


def percentile(values: Sequence[float], share: int) -> float | None:
    """Return the smallest value that so many percent do not exceed; None of nothing."""
    ranked = sorted(values)
    return round(ranked[max(0, ceil(len(ranked) * share / 100) - 1)], 1) if ranked else None
