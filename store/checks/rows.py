"""Checks of INVARIANTS.md over a live database: what the rows tell.

Everything here only reads; ``store.audit`` runs all checks on one snapshot.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, exists, func, or_, select

from domain.progress import TERMINAL, OrderStatus
from store.effects import INTENT, chain_holds
from store.tables.audit import effect_heads, effects, messages
from store.tables.orders import COUNTERS, order_lines, projections, status_changes
from store.tables.stock import levels, movements, reservations


class Violation(NamedTuple):
    """A broken promise: which, of what (an order id, or ``sku@location``), and how."""

    invariant: str
    subject: str
    message: str


IN_FLIGHT = timedelta(minutes=10)
"""A message claimed this recently may still be on its way out."""

ENDED = [status.value for status in TERMINAL]
S = OrderStatus
ARRIVED = {S.PARTIALLY_DELIVERED, S.DELIVERED, S.COMPLETED}
GONE = {S.PARTIALLY_SHIPPED, S.SHIPPED} | ARRIVED


def levels_hold(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """S1: ``0 <= reserved <= on_hand``."""
    broken = or_(levels.c.reserved < 0, levels.c.reserved > levels.c.on_hand)
    for row in connection.execute(select(levels).where(broken)):
        text = f"{row.reserved} reserved of {row.on_hand} on hand"
        yield Violation("S1", f"{row.sku}@{row.location}", text)


def ledger_explains_levels(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """S2: on hand is what the ledger adds up to, reserved what open reservations add up to."""
    booked = _sums(connection, movements.c.quantity, movements)
    held = _sums(connection, reservations.c.remaining, reservations)
    shelves = {
        (row.sku, row.location): (row.on_hand, row.reserved)
        for row in connection.execute(select(levels))
    }
    for place in sorted({*booked, *held, *shelves}):
        on_hand, reserved = shelves.get(place, (0, 0))
        subject = f"{place[0]}@{place[1]}"
        if on_hand != booked.get(place, 0):
            text = f"{on_hand} on hand, the ledger says {booked.get(place, 0)}"
            yield Violation("S2", subject, text)
        if reserved != held.get(place, 0):
            text = f"{reserved} reserved, open reservations hold {held.get(place, 0)}"
            yield Violation("S2", subject, text)


def _sums(connection: Connection, units: Any, table: Table) -> dict[tuple[str, str], int]:
    """Return the sum of ``units`` per (sku, location)."""
    place = (table.c.sku, table.c.location)
    rows = connection.execute(select(*place, func.sum(units)).group_by(*place))
    return {(row[0], row[1]): int(row[2]) for row in rows}


def reservations_end(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """S3: an order that has ended, or that nobody knows, holds nothing."""
    held = (
        select(reservations, projections.c.status)
        .outerjoin(projections, projections.c.order_id == reservations.c.order_id)
        .where(
            reservations.c.remaining > 0,
            or_(projections.c.status.is_(None), projections.c.status.in_(ENDED)),
        )
    )
    for row in connection.execute(held):
        what = f"{row.remaining} of {row.sku} at {row.location}"
        yield Violation("S3", row.order_id, f"{row.status or 'unknown'}, yet it holds {what}")


def reservations_add_up(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """S4: what was reserved is left, consumed or released."""
    r = reservations.c
    broken = r.quantity != r.remaining + r.consumed + r.released
    for row in connection.execute(select(reservations).where(broken)):
        parts = f"{row.remaining} left + {row.consumed} consumed + {row.released} released"
        text = f"line {row.line_id} no. {row.n}: {parts} is not {row.quantity}"
        yield Violation("S4", row.order_id, text)


def units_add_up(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """H2: the units of a line add up to what was ordered, and no counter is negative."""
    counters = [order_lines.c[name] for name in COUNTERS]
    broken = or_(
        order_lines.c.ordered != sum(counters[1:], counters[0]),
        *(counter < 0 for counter in counters),
    )
    for row in connection.execute(select(order_lines).where(broken)):
        text = f"the units of line {row.line_id} do not add up to {row.ordered}"
        yield Violation("H2", row.order_id, text)


def statuses_follow_arrows(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """L1, L2: terminal is for ever, every transition starts where the one before ended."""
    changes = (
        select(status_changes, projections.c.status)
        .join(projections, projections.c.order_id == status_changes.c.order_id)
        .order_by(status_changes.c.order_id, status_changes.c.version)
    )
    for order_id, steps in groupby(connection.execute(changes), lambda row: str(row.order_id)):
        at = S.RECEIVED.value
        for step in steps:
            arrow = f"v{step.version}: {step.before} → {step.after}"
            if step.before != at:
                yield Violation("L2", order_id, f"{arrow}, but it was {at}")
            if step.before in ENDED:
                yield Violation("L1", order_id, f"{arrow}, but {step.before} is for ever")
            elif not _is_arrow(S(step.before), S(step.after)):
                yield Violation("L2", order_id, f"{arrow} is no arrow")
            at, now = step.after, step.status
        if at != now:
            yield Violation("L2", order_id, f"it is {now}, but its last transition was to {at}")


def _is_arrow(before: OrderStatus, after: OrderStatus) -> bool:
    """Return whether the derived status may go this way.

    Holds come and go, and a lost parcel is sent again; but nothing is received twice, what has
    arrived stays arrived, and what has left is neither rejected nor, once arrived, cancelled.
    """
    if after is S.RECEIVED:
        return False
    if before in ARRIVED:
        return after in ARRIVED
    return not (before in GONE and after is S.REJECTED)


def statuses_are_recorded(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """L2: an order that is no longer received has a transition that says so."""
    recorded = exists().where(status_changes.c.order_id == projections.c.order_id)
    silent = select(projections).where(projections.c.status != S.RECEIVED.value, ~recorded)
    for row in connection.execute(silent):
        yield Violation("L2", row.order_id, f"it is {row.status} without any transition")


def refunds_stay_below_captures(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """M2: never more given back than taken."""
    broken = select(projections).where(projections.c.refunded > projections.c.captured)
    for row in connection.execute(broken):
        text = f"{row.refunded} {row.currency} refunded of {row.captured} captured"
        yield Violation("M2", row.order_id, text)


def messages_are_settled(connection: Connection, now: datetime) -> Iterator[Violation]:
    """N1: a claimed message of which nobody knows whether it went out."""
    open_ = select(messages).where(
        or_(messages.c.outcome == "", messages.c.outcome == "unknown"),
        messages.c.claimed_at < now - IN_FLIGHT,
    )
    for row in connection.execute(open_):
        text = f"{row.template} no. {row.no}: {row.outcome or 'claimed, outcome never written'}"
        yield Violation("N1", row.order_id, text)


def effects_are_concluded(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """A1: an ended order has no effect whose outcome is unknown, and none without an intent."""
    other = effects.alias()
    same_key = (other.c.order_id == effects.c.order_id) & (other.c.key == effects.c.key)
    open_ = (
        select(effects)
        .join(projections, projections.c.order_id == effects.c.order_id)
        .where(
            effects.c.phase == INTENT,
            projections.c.status.in_(ENDED),
            ~exists().where(same_key, other.c.phase != INTENT),
        )
    )
    for row in connection.execute(open_):
        yield Violation("A1", row.order_id, f"{row.kind} {row.key} has no conclusion")
    unmeant = select(effects).where(
        effects.c.phase != INTENT, ~exists().where(same_key, other.c.phase == INTENT)
    )
    for row in connection.execute(unmeant):
        yield Violation("A1", row.order_id, f"{row.phase} of {row.key} without an intent")


def chains_hold(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """A1: no row of the audit was removed or changed."""
    heads = {row.order_id: (row.seq, row.hash) for row in connection.execute(select(effect_heads))}
    rows = connection.execute(select(effects).order_by(effects.c.order_id, effects.c.seq))
    for order_id, chain in groupby(rows.mappings(), lambda row: str(row["order_id"])):
        if not chain_holds(list(chain), heads.pop(order_id, None)):
            yield Violation("A1", order_id, "the chain of effects is broken")
    for order_id in heads:
        yield Violation("A1", order_id, "the chain of effects is gone")


ROW_CHECKS = (
    levels_hold,
    ledger_explains_levels,
    reservations_end,
    reservations_add_up,
    units_add_up,
    statuses_follow_arrows,
    statuses_are_recorded,
    refunds_stay_below_captures,
    messages_are_settled,
    effects_are_concluded,
    chains_hold,
)
