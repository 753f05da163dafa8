"""Mirroring the process in memory: projection, history and stock moves, all or nothing."""

from collections.abc import Sequence
from datetime import datetime

from domain.errors import DomainError
from domain.progress import OrderProgress, TimelineEvent
from domain.stock import Queued, StockMove
from tests.fakes.stores.moves import Moving
from tests.fakes.stores.tables import LineRow, Part, transaction, utc


class Projections(Part):
    """The mirror of each order's process."""

    @transaction
    def project(
        self,
        progress: OrderProgress,
        events: Sequence[TimelineEvent] = (),
        moves: Sequence[StockMove] = (),
        queue: Sequence[Queued] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Write the projection, the history and the stock moves, each once."""
        order_id, tables = progress.order_id, self.tables
        told = utc(at) if at else max((utc(event.at) for event in events), default=None)
        at = told or self.now()
        row = tables.projections.get(order_id)
        if row is None:
            raise DomainError(f"order {order_id} was never accepted", "unknown_order")
        newer = (row["version"], row["updated_at"]) < (progress.version, at)
        if newer and (broken := _broken(progress)):
            raise DomainError(f"{order_id} v{progress.version}: {broken}", "broken_invariant")
        moving = Moving(tables, order_id, moves, at)
        if broken := moving.broken():
            raise DomainError(f"{order_id} v{progress.version}: {broken}", "broken_invariant")
        if newer:
            self._replace(progress, at)
            if queue is not None:
                self._replace_queue(order_id, queue)
        history = tables.timeline.setdefault(order_id, {})
        for event in events:
            if event.no not in history:
                history[event.no] = _in_utc(event)
        moving.apply()

    def _replace(self, progress: OrderProgress, at: datetime) -> None:
        tables, order_id = self.tables, progress.order_id
        row = tables.projections[order_id]
        before, former = row["status"], row["progress"]
        status = progress.status.value
        row.update(version=progress.version, status=status, progress=progress, updated_at=at)
        if before != status:
            change = {
                "order_id": order_id,
                "version": progress.version,
                "before": before,
                "after": status,
                "at": at,
            }
            changes = tables.changes.setdefault(order_id, [])
            if not changes or changes[-1]["version"] != progress.version:
                changes.append(change)
        lines = tables.lines[order_id]
        if former:
            now = {line.line_id for line in progress.lines}
            for line in former.lines:
                if line.line_id not in now:
                    lines.pop(line.line_id, None)
        for line in progress.lines:
            lines[line.line_id] = LineRow(line.sku, line.units)
        self._put_parcels(progress)

    def _put_parcels(self, progress: OrderProgress) -> None:
        tables, order_id = self.tables, progress.order_id
        for parcel in progress.shipments:
            owner, _ = tables.shipments.get(parcel.shipment_id, (order_id, None))
            if owner == order_id:
                tables.shipments[parcel.shipment_id] = (order_id, parcel)
                tables.numbers["shipment"][parcel.tracking_number] = parcel.shipment_id
        for back in progress.returns:
            owner, _ = tables.returns.get(back.return_id, (order_id, None))
            if owner == order_id:
                tables.returns[back.return_id] = (order_id, back)
                tables.numbers["return"][back.tracking_number] = back.return_id

    def _replace_queue(self, order_id: str, queue: Sequence[Queued]) -> None:
        self.tables.queue.pop(order_id, None)
        for entry in queue:
            rows = self.tables.queue.setdefault(entry.order_id, {})
            rows[entry.line_id, entry.sku] = entry


def _broken(progress: OrderProgress) -> str:
    """Return which check of the tables the numbers break, empty when none."""
    money = progress.money
    if not 0 <= money.refunded <= money.captured:
        return "ck_projection_m2"
    for line in progress.lines:
        if min(line.units.__dict__.values()) < 0:
            return "ck_order_line_counters"
    return ""


def _in_utc(event: TimelineEvent) -> TimelineEvent:
    at = utc(event.at)
    return event if at is event.at else event.model_copy(update={"at": at})
