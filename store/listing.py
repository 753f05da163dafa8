"""The list of orders: filters, newest first, keyset cursors."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, exists, literal, select, tuple_

from domain.errors import DomainError
from ports.stores import OrderFilter, OrderRow, Page
from store.cursors import cursor_of, position_of
from store.part import Part
from store.tables.intake import orders
from store.tables.orders import order_lines, projections

PAGE_LIMIT = 200
ROWS = (
    select(
        orders.c.order_id,
        orders.c.number,
        orders.c.channel,
        orders.c.total,
        orders.c.currency,
        orders.c.placed_at,
        projections.c.status,
        projections.c.holds,
        projections.c.promise,
        projections.c.updated_at,
    )
    .join(projections, projections.c.order_id == orders.c.order_id)
    .order_by(orders.c.placed_at.desc(), orders.c.order_id.desc())
)


class Listing(Part):
    """The order list."""

    def list(self, where: OrderFilter, cursor: str = "", limit: int = 50) -> Page:
        """Return orders, newest first; a stable cursor, never an offset.

        Raises:
            DomainError: ``bad_cursor``.
        """
        limit = max(1, min(limit, PAGE_LIMIT))
        conditions = _conditions(where)
        if cursor:
            conditions.append(_after(cursor))
        with self._database.read() as connection:
            found = connection.execute(ROWS.where(*conditions).limit(limit + 1)).all()
        rows = tuple(
            OrderRow(
                order_id=row.order_id,
                number=row.number,
                channel=row.channel,
                status=row.status,
                holds=tuple(kind for kind in row.holds.split(",") if kind),
                total=row.total,
                currency=row.currency,
                placed_at=row.placed_at,
                updated_at=row.updated_at,
                promise=row.promise.isoformat() if row.promise else "",
            )
            for row in found[:limit]
        )
        last = rows[-1] if len(found) > limit else None
        return Page(
            rows=rows,
            next_cursor=cursor_of(last.placed_at.isoformat(), last.order_id) if last else "",
        )


def _conditions(where: OrderFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter; what is empty asks nothing."""
    conditions: list[ColumnElement[bool]] = []
    if where.status:
        conditions.append(projections.c.status == where.status)
    if where.hold:
        conditions.append(projections.c.holds.contains(f",{where.hold},", autoescape=True))
    if where.channel:
        conditions.append(orders.c.channel == where.channel)
    if where.channels:
        conditions.append(orders.c.channel.in_(where.channels))
    if where.sku:
        has_sku = (order_lines.c.order_id == orders.c.order_id, order_lines.c.sku == where.sku)
        conditions.append(exists().where(*has_sku))
    if where.q.strip():
        words = where.q.lower().split()
        conditions += [orders.c.search.contains(word, autoescape=True) for word in words]
    return conditions


def _after(cursor: str) -> ColumnElement[bool]:
    placed_at, order_id = position_of(cursor, 2)
    try:
        moment = datetime.fromisoformat(placed_at).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DomainError("this is no cursor of this list", "bad_cursor") from error
    position = tuple_(orders.c.placed_at, orders.c.order_id)
    return position < tuple_(literal(moment, orders.c.placed_at.type), literal(order_id))
