"""Mirroring the process: projection, history and stock moves in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from domain.errors import DomainError
from domain.progress import (
    LineProgress,
    OrderProgress,
    ReturnProgress,
    ShipmentProgress,
    TimelineEvent,
)
from domain.stock import Queued, StockMove
from store.moves import apply_moves
from store.part import Part, put, put_once
from store.tables.orders import (
    COUNTERS,
    order_lines,
    projections,
    returns,
    shipments,
    status_changes,
    timeline,
)
from store.tables.stock import queue as stock_queue

BEFORE = (
    select(
        projections.c.version,
        projections.c.status,
        projections.c.progress,
        projections.c.updated_at,
    )
    .where(projections.c.order_id == bindparam("id"))
    .with_for_update()
)
NEWER = update(projections).where(
    projections.c.order_id == bindparam("id"), projections.c.version <= bindparam("v")
)
PUT_CHANGE = put_once(status_changes)
PUT_LINE = put(order_lines)
DROP_LINE = delete(order_lines).where(
    order_lines.c.order_id == bindparam("id"), order_lines.c.line_id == bindparam("line")
)
PUT_SHIPMENT = put(shipments, only_same=["order_id"])
PUT_RETURN = put(returns, only_same=["order_id"])
PUT_EVENT = put_once(timeline)
EMPTY_QUEUE = delete(stock_queue).where(stock_queue.c.order_id == bindparam("id"))
PUT_QUEUED = put(stock_queue)


class Projections(Part):
    """The mirror of each order's process."""

    def project(
        self,
        progress: OrderProgress,
        events: Sequence[TimelineEvent] = (),
        moves: Sequence[StockMove] = (),
        queue: Sequence[Queued] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Write the projection, the history and the stock moves in one transaction.

        A version that is not newer changes no projection and no queue; its events and moves are
        still applied once, by ``no`` and by ``key``. The same version told of a later moment is
        newer: the process did a step again because a worker had died in it.

        Raises:
            DomainError: ``unknown_order``; ``broken_invariant`` when the database's own checks
                (M2, unit sums, S1) refuse the numbers; nothing is written then.
        """
        try:
            with self._database.write() as connection:
                self._project(connection, progress, events, moves, queue, at)
        except IntegrityError as error:
            raise DomainError(
                f"{progress.order_id} v{progress.version}: {error.orig}", "broken_invariant"
            ) from error

    def _project(
        self,
        connection: Connection,
        progress: OrderProgress,
        events: Sequence[TimelineEvent],
        moves: Sequence[StockMove],
        queue: Sequence[Queued] | None,
        at: datetime | None,
    ) -> None:
        order_id = progress.order_id
        at = at or max((event.at for event in events), default=self._database.now())
        before = connection.execute(BEFORE, {"id": order_id}).one_or_none()
        if before is None:
            raise DomainError(f"order {order_id} was never accepted", "unknown_order")
        if (before.version, before.updated_at) < (progress.version, at):
            connection.execute(NEWER, _row(progress, at))
            if before.status != progress.status.value:
                connection.execute(PUT_CHANGE, _change(progress, before.status, at))
            known = _known(before.progress)
            lines = {line.line_id: line for line in known.lines} if known else {}
            _write_lines(connection, progress, lines)
            _write_shipments(connection, progress, known.shipments if known else ())
            _write_returns(connection, progress, known.returns if known else ())
            if queue is not None:
                _replace_queue(connection, order_id, queue)
        if events:
            connection.execute(PUT_EVENT, [_event(order_id, event) for event in events])
        if moves:
            apply_moves(connection, order_id, moves, at)


def _write_lines(
    connection: Connection, progress: OrderProgress, known: Mapping[str, LineProgress]
) -> None:
    """Write the lines that differ from those known before; drop those that are no more."""
    gone = dict(known)
    rows = [
        {
            "order_id": progress.order_id,
            "line_id": line.line_id,
            "sku": line.sku,
            "ordered": line.units.ordered,
            **{counter: getattr(line.units, counter) for counter in COUNTERS},
        }
        for line in progress.lines
        if gone.pop(line.line_id, None) != line
    ]
    if rows:
        connection.execute(PUT_LINE, rows)
    if gone:
        keys = [{"id": progress.order_id, "line": line_id} for line_id in gone]
        connection.execute(DROP_LINE, keys)


def _write_shipments(
    connection: Connection, progress: OrderProgress, known: Iterable[ShipmentProgress]
) -> None:
    changed = set(progress.shipments).difference(known)
    if changed:
        connection.execute(
            PUT_SHIPMENT,
            [
                {
                    "shipment_id": parcel.shipment_id,
                    "order_id": progress.order_id,
                    "location": parcel.location,
                    "status": parcel.status.value,
                    "carrier": parcel.carrier,
                    "tracking_number": parcel.tracking_number,
                    "value": parcel.value,
                    "handed_over_at": parcel.handed_over_at,
                    "delivered_at": parcel.delivered_at,
                }
                for parcel in sorted(changed, key=lambda parcel: parcel.shipment_id)
            ],
        )


def _write_returns(
    connection: Connection, progress: OrderProgress, known: Iterable[ReturnProgress]
) -> None:
    changed = set(progress.returns).difference(known)
    if changed:
        connection.execute(
            PUT_RETURN,
            [
                {
                    "return_id": back.return_id,
                    "order_id": progress.order_id,
                    "status": back.status.value,
                    "resolution": back.resolution.value,
                    "tracking_number": back.tracking_number,
                    "refund": back.refund,
                }
                for back in sorted(changed, key=lambda back: back.return_id)
            ],
        )


def _replace_queue(connection: Connection, order_id: str, queue: Sequence[Queued]) -> None:
    connection.execute(EMPTY_QUEUE, {"id": order_id})
    if queue:
        connection.execute(PUT_QUEUED, [entry.model_dump() for entry in queue])


def _known(document: str | None) -> OrderProgress | None:
    return OrderProgress.model_validate_json(document) if document else None


def _row(progress: OrderProgress, at: datetime) -> dict[str, Any]:
    money = progress.money
    return {
        "id": progress.order_id,
        "v": progress.version,
        "version": progress.version,
        "status": progress.status.value,
        "holds": "," + "".join(f"{hold.kind.value}," for hold in progress.holds),
        "progress": progress.model_dump_json(),
        "currency": money.currency,
        "authorised": money.authorised,
        "captured": money.captured,
        "refunded": money.refunded,
        "promise": progress.promise,
        "ended_at": progress.ended_at,
        "updated_at": at,
    }


def _change(progress: OrderProgress, before: str, at: datetime) -> dict[str, Any]:
    return {
        "order_id": progress.order_id,
        "version": progress.version,
        "before": before,
        "after": progress.status.value,
        "at": at,
    }


def _event(order_id: str, event: TimelineEvent) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "no": event.no,
        "kind": event.kind,
        "at": event.at,
        "actor": event.actor,
        "text": event.text,
        "data": json.dumps(event.data),
    }
