"""Orders as accepted and as people changed them, in memory, and the list of them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.errors import DomainError
from domain.order import Address, Order
from domain.progress import TimelineEvent
from ports.stores import OrderFilter, OrderRow, Page, StoredOrder
from store.cursors import cursor_of, position_of
from tests.fakes.stores.inbox import email_of, put_lines
from tests.fakes.stores.tables import Part, Row, Tables, transaction, utc

PAGE_LIMIT = 200


class Orders(Part):
    """The orders themselves."""

    @transaction
    def get(self, order_id: str) -> StoredOrder | None:
        """Return one order, or None."""
        row = self.tables.orders.get(order_id)
        if row is None:
            return None
        return StoredOrder(
            order=row["order"],
            ship_to=row["ship_to"],
            policy_version=row["policy_version"],
            progress=self.tables.projections[order_id]["progress"],
        )

    @transaction
    def recent(self, limit: int) -> Sequence[Order]:
        """Return the newest orders, whole."""
        return [row["order"] for row in self._newest()[:limit]]

    @transaction
    def timeline(self, order_id: str) -> Sequence[TimelineEvent]:
        """Return the order's history, oldest first."""
        events = self.tables.timeline.get(order_id, {})
        return [events[no] for no in sorted(events)]

    @transaction
    def duplicates(self, order: Order, since: datetime) -> Sequence[str]:
        """Return other orders of the same e-mail with the same content placed since then."""
        email = email_of(order)
        same = [self.tables.orders[i]["order"] for i in self.tables.by_email.get(email, ())]
        twins = [
            (twin.placed_at, twin.order_id)
            for twin in same
            if twin.order_id != order.order_id
            and twin.placed_at >= since
            and _bought(twin) == _bought(order)
        ]
        return [order_id for _, order_id in sorted(twins)[:100]] if email else ()

    @transaction
    def change_address(self, order_id: str, address: Address, at: datetime) -> None:
        """Set where the order goes now; the original stays in the accepted order."""
        self._known(order_id)["ship_to"] = address
        self.tables.projections[order_id]["updated_at"] = utc(at)

    @transaction
    def change_lines(self, order_id: str, order: Order, at: datetime) -> None:
        """Store the order as re-accepted after an edit of its lines."""
        row = self._known(order_id)
        if row["order"] == order:
            return
        self.tables.revisions.setdefault(order_id, []).append((row["order"], utc(at)))
        set_order(self.tables, order_id, order)
        put_lines(self.tables.lines[order_id], order)
        self.tables.projections[order_id]["updated_at"] = utc(at)

    @transaction
    def order_of_shipment(self, shipment_id: str) -> str | None:
        """Return the order a shipment belongs to."""
        found = self.tables.shipments.get(shipment_id)
        return found[0] if found else None

    @transaction
    def order_of_return(self, return_id: str) -> str | None:
        """Return the order a return belongs to."""
        found = self.tables.returns.get(return_id)
        return found[0] if found else None

    @transaction
    def order_of_payment(self, reference: str) -> str | None:
        """Return the order a provider's payment belongs to."""
        return self.tables.references.get(reference)

    @transaction
    def list(self, where: OrderFilter, cursor: str = "", limit: int = 50) -> Page:
        """Return orders, newest first; a stable cursor, never an offset."""
        limit = max(1, min(limit, PAGE_LIMIT))
        after = _position(cursor) if cursor else None
        found = [
            row
            for row in self._newest()
            if (after is None or _turn(row) < after) and self._fits(row["order"], where)
        ]
        rows = tuple(self._listed(row["order"]) for row in found[:limit])
        last = rows[-1] if len(found) > limit else None
        after_it = cursor_of(last.placed_at.isoformat(), last.order_id) if last else ""
        return Page(rows=rows, next_cursor=after_it)

    def _newest(self) -> "list[Row]":
        return sorted(self.tables.orders.values(), key=_turn, reverse=True)

    def _known(self, order_id: str) -> Row:
        row = self.tables.orders.get(order_id)
        if row is None:
            raise DomainError(f"order {order_id} was never accepted", "unknown_order")
        return row

    def _fits(self, order: Order, where: OrderFilter) -> bool:
        projection = self.tables.projections[order.order_id]
        lines = self.tables.lines[order.order_id].values()
        text = _search(order) if where.q.strip() else ""
        return (
            where.status in ("", projection["status"])
            and (not where.hold or where.hold in _holds(projection))
            and where.channel in ("", order.channel)
            and (not where.channels or order.channel in where.channels)
            and (not where.sku or any(line.sku == where.sku for line in lines))
            and all(word in text for word in where.q.lower().split())
        )

    def _listed(self, order: Order) -> OrderRow:
        projection = self.tables.projections[order.order_id]
        progress = projection["progress"]
        promise = progress.promise if progress else None
        return OrderRow(
            order_id=order.order_id,
            number=order.number,
            channel=order.channel,
            status=projection["status"],
            holds=_holds(projection),
            total=order.totals.total,
            currency=order.currency,
            placed_at=utc(order.placed_at),
            updated_at=projection["updated_at"],
            promise=promise.isoformat() if promise else "",
        )


def set_order(tables: Tables, order_id: str, order: Order) -> None:
    """Replace the document of an order, and what finds it."""
    row = tables.orders[order_id]
    tables.by_email[email_of(row["order"])].remove(order_id)
    tables.by_email.setdefault(email_of(order), []).append(order_id)
    row["order"] = order


def _turn(row: Row) -> tuple[datetime, str]:
    return row["order"].placed_at, row["order"].order_id


def _holds(projection: Row) -> tuple[str, ...]:
    progress = projection["progress"]
    return tuple(hold.kind.value for hold in progress.holds) if progress else ()


def _bought(order: Order) -> tuple[object, ...]:
    bought: dict[str, int] = {}
    for line in order.lines:
        bought[line.sku] = bought.get(line.sku, 0) + line.quantity
    return sorted(bought.items()), order.totals.total, order.currency


def _search(order: Order) -> str:
    name = order.ship_to.name if order.ship_to else ""
    words = (order.order_id, order.external_id, order.number, email_of(order))
    return " ".join((*words, order.customer.name, name)).lower()


def _position(cursor: str) -> tuple[datetime, str]:
    placed_at, order_id = position_of(cursor, 2)
    try:
        return datetime.fromisoformat(placed_at).astimezone(UTC), order_id
    except (ValueError, OverflowError) as error:
        raise DomainError("this is no cursor of this list", "bad_cursor") from error
