"""Checks of INVARIANTS.md over a live database: what each order's document tells."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from domain.order import Order
from domain.progress import (
    TERMINAL,
    LineProgress,
    LineUnits,
    OrderProgress,
    OrderStatus,
    ReturnStatus,
    ShipmentStatus,
)
from domain.shares import value_of
from store.checks.rows import Violation
from store.tables.intake import orders
from store.tables.orders import COUNTERS, order_lines, projections

LATE = timedelta(hours=1)
"""How long after its deadline a hold, or an order that nobody began, is a violation."""

SILENT = timedelta(days=60)
"""Nothing at all was written of an order that has not ended."""

S = OrderStatus
WAITS = {S.ON_HOLD, S.SCHEDULED, S.BACKORDERED}
LEFT = {
    ShipmentStatus.HANDED_OVER,
    ShipmentStatus.IN_TRANSIT,
    ShipmentStatus.OUT_FOR_DELIVERY,
    ShipmentStatus.DELIVERED,
    ShipmentStatus.EXCEPTION,
}
"""Parcels with or on their way to the customer; a lost one may be sent again."""

CAME_BACK = {
    ReturnStatus.RECEIVED,
    ReturnStatus.INSPECTED,
    ReturnStatus.REFUNDED,
    ReturnStatus.EXCHANGED,
}
OPEN_RETURN = {
    ReturnStatus.REQUESTED,
    ReturnStatus.AUTHORISED,
    ReturnStatus.LABEL_SENT,
    ReturnStatus.IN_TRANSIT,
    ReturnStatus.RECEIVED,
    ReturnStatus.INSPECTED,
}
PROJECTED = (
    select(projections, orders.c.total, orders.c.document, orders.c.created_at)
    .join(orders, orders.c.order_id == projections.c.order_id)
    .order_by(projections.c.order_id)
)


def orders_hold(connection: Connection, now: datetime) -> Iterator[Violation]:
    """Check every order's document."""
    for row in connection.execute(PROJECTED.execution_options(yield_per=500)):
        if row.progress is not None:
            progress = OrderProgress.model_validate_json(row.progress)
            yield from mirrors_row(progress, row)
            yield from waits_with_deadline(progress, row, now)
            yield from units_stay_within(progress)
            yield from money_adds_up(progress, row)
        elif row.created_at < now - LATE:
            yield Violation("L5", row.order_id, "accepted, but its process never wrote")


def lines_mirror(connection: Connection, _now: datetime) -> Iterator[Violation]:
    """L6: the counters of the rows are those of the document."""
    both = (
        select(order_lines, projections.c.progress)
        .join(projections, projections.c.order_id == order_lines.c.order_id)
        .where(projections.c.progress.is_not(None))
        .order_by(order_lines.c.order_id)
    )
    lines: dict[str, Any] = {}
    order_id = ""
    for row in connection.execute(both.execution_options(yield_per=500)):
        if row.order_id != order_id:
            order_id = row.order_id
            progress = OrderProgress.model_validate_json(row.progress)
            lines = {line.line_id: line.units for line in progress.lines}
        units = lines.get(row.line_id)
        if units and any(getattr(units, name) != getattr(row, name) for name in COUNTERS):
            text = f"the counters of line {row.line_id} are not those of the process"
            yield Violation("L6", row.order_id, text)


def mirrors_row(progress: OrderProgress, row: Any) -> Iterator[Violation]:
    """L6: what the row says of itself is what its document says."""
    money = progress.money
    said = (row.version, row.status, row.captured, row.refunded, row.authorised)
    meant = (progress.version, progress.status.value, money.captured, money.refunded)
    if said != (*meant, money.authorised):
        yield Violation("L6", row.order_id, "the row and its document disagree")


def waits_with_deadline(progress: OrderProgress, row: Any, now: datetime) -> Iterator[Violation]:
    """L5: an order that has not ended waits for something with a deadline that is kept."""
    if progress.status in TERMINAL:
        return
    for hold in progress.holds:
        if hold.expires_at < now - LATE:
            text = f"the deadline of its {hold.kind.value} hold passed at {hold.expires_at}"
            yield Violation("L5", row.order_id, text)
    if progress.status in WAITS and not progress.holds:
        yield Violation("L5", row.order_id, f"{progress.status.value} without any hold")
    returning = any(back.status in OPEN_RETURN for back in progress.returns)
    if progress.status is S.DELIVERED and not returning:
        if progress.return_until is None:
            yield Violation("L5", row.order_id, "delivered without an end of its return window")
        elif progress.return_until < now - LATE:
            text = f"its return window ended at {progress.return_until}, yet it is open"
            yield Violation("L5", row.order_id, text)
    if row.updated_at < now - SILENT and not progress.holds:
        text = f"{progress.status.value}, and nothing was written since {row.updated_at}"
        yield Violation("L5", row.order_id, text)


def units_stay_within(progress: OrderProgress) -> Iterator[Violation]:
    """H2: no line ships more than was ordered, nor gets back more than went out."""
    shipped = _units(p.lines for p in progress.shipments if p.status in LEFT)
    returned = _units(b.lines for b in progress.returns if b.status in CAME_BACK)
    for line in progress.lines:
        if shipped[line.line_id] > line.units.ordered:
            text = f"line {line.line_id}: {shipped[line.line_id]} of {line.units.ordered} shipped"
            yield Violation("H2", progress.order_id, text)
        out = line.units.shipped + line.units.delivered + line.units.returned
        if returned[line.line_id] > out:
            text = f"line {line.line_id}: {returned[line.line_id]} of {out} came back"
            yield Violation("H2", progress.order_id, text)


def money_adds_up(progress: OrderProgress, row: Any) -> Iterator[Violation]:
    """M5, M6: what was kept is what went out and stayed out; the lines are the whole order."""
    money, order_id = progress.money, progress.order_id
    kept = money.captured - money.refunded
    if progress.status in (S.CANCELLED, S.REJECTED) and (kept or money.authorised):
        text = f"{progress.status.value}, yet {kept} kept and {money.authorised} authorised"
        yield Violation("M5", order_id, text)
    if progress.status is S.COMPLETED and money.provider:
        worth = sum(_worth(line) - line.given_back for line in progress.lines)
        if kept != worth:
            yield Violation("M5", order_id, f"{kept} kept for goods worth {worth}")
    total = sum(line.total for line in progress.lines)
    if progress.lines and total != row.total and total + _worth_before(row.document) != row.total:
        yield Violation("M6", order_id, f"the lines add up to {total}, the order to {row.total}")


def _worth(line: LineProgress) -> int:
    """Return what the units that went out are worth; they take a line's lowest numbers.

    Units that were cancelled before we took the order share in nothing (``domain.shares``).
    """
    quantity = line.units.ordered - line.before
    out = line.units.shipped + line.units.delivered + line.units.returned
    return value_of(line.collect, quantity, 0, out) if quantity else 0


def _worth_before(document: str) -> int:
    """Return what the order's lines cost that were cancelled in full before we took it; the
    process does not know them."""
    lines = Order.model_validate_json(document).lines
    return sum(line.net for line in lines if line.already_cancelled >= line.quantity)


def _units(parcels: Iterator[tuple[LineUnits, ...]]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for lines in parcels:
        for line in lines:
            counted[line.line_id] += line.quantity
    return counted


DOCUMENT_CHECKS = (orders_hold, lines_mirror)
