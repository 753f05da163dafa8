"""Orders as accepted and as people changed them."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import bindparam, func, insert, select, update

from domain.errors import DomainError
from domain.order import Address, Order
from domain.progress import OrderProgress, TimelineEvent
from ports.stores import StoredOrder
from store.intake import content_of, line_rows
from store.part import Part, put_once
from store.tables.intake import orders, payment_references, revisions
from store.tables.orders import order_lines, projections, returns, shipments, timeline

ONE = (
    select(orders.c.document, orders.c.ship_to, orders.c.policy_version, projections.c.progress)
    .join(projections, projections.c.order_id == orders.c.order_id)
    .where(orders.c.order_id == bindparam("id"))
)
NEWEST = (
    select(orders.c.document)
    .order_by(orders.c.placed_at.desc(), orders.c.order_id.desc())
    .limit(bindparam("at_most"))
)
HISTORY = (
    select(
        timeline.c.no,
        timeline.c.kind,
        timeline.c.at,
        timeline.c.actor,
        timeline.c.text,
        timeline.c.data,
    )
    .where(timeline.c.order_id == bindparam("id"))
    .order_by(timeline.c.no)
)
TWINS = (
    select(orders.c.order_id)
    .where(
        orders.c.email == bindparam("mail"),
        orders.c.fingerprint == bindparam("print"),
        orders.c.order_id != bindparam("id"),
        orders.c.placed_at >= bindparam("since"),
    )
    .order_by(orders.c.placed_at, orders.c.order_id)
    .limit(100)
)
CHANGE = update(orders).where(orders.c.order_id == bindparam("id"))
"""SET comes from the parameters."""
TOUCH = update(projections).where(projections.c.order_id == bindparam("id"))
DOCUMENT = select(orders.c.document).where(orders.c.order_id == bindparam("id")).with_for_update()
REVISION_NO = select(func.count() + 1).where(revisions.c.order_id == bindparam("id"))
PUT_REVISION = insert(revisions)
PUT_LINE = put_once(order_lines)
OF_SHIPMENT = select(shipments.c.order_id).where(shipments.c.shipment_id == bindparam("id"))
OF_RETURN = select(returns.c.order_id).where(returns.c.return_id == bindparam("id"))
OF_PAYMENT = select(payment_references.c.order_id).where(
    payment_references.c.reference == bindparam("id")
)


class Orders(Part):
    """The orders themselves."""

    def get(self, order_id: str) -> StoredOrder | None:
        """Return one order, or None."""
        with self._database.read_one() as connection:
            row = connection.execute(ONE, {"id": order_id}).one_or_none()
        if row is None:
            return None
        return StoredOrder(
            order=_order(row.document),
            ship_to=Address.model_validate_json(row.ship_to) if row.ship_to else None,
            policy_version=row.policy_version,
            progress=OrderProgress.model_validate_json(row.progress) if row.progress else None,
        )

    def recent(self, limit: int) -> Sequence[Order]:
        """Return the newest orders, whole."""
        with self._database.read_one() as connection:
            documents = connection.execute(NEWEST, {"at_most": limit}).scalars().all()
        return [Order.model_validate_json(document) for document in documents]

    def timeline(self, order_id: str) -> Sequence[TimelineEvent]:
        """Return the order's history, oldest first."""
        with self._database.read_one() as connection:
            rows = connection.execute(HISTORY, {"id": order_id}).mappings().all()
        return [TimelineEvent(**{**row, "data": json.loads(row["data"])}) for row in rows]

    def duplicates(self, order: Order, since: datetime) -> Sequence[str]:
        """Return other orders of the same e-mail with the same content placed since then.

        The content is SKUs, quantities and total. An order without an e-mail has no duplicates.
        """
        content = content_of(order)
        if not content["email"]:
            return ()
        twin = {"mail": content["email"], "print": content["fingerprint"]}
        with self._database.read_one() as connection:
            found = connection.execute(TWINS, {**twin, "id": order.order_id, "since": since})
            return found.scalars().all()

    def change_address(self, order_id: str, address: Address, at: datetime) -> None:
        """Set where the order goes now; the original stays in the accepted order.

        Raises:
            DomainError: ``unknown_order``.
        """
        with self._database.write() as connection:
            change = {"id": order_id, "ship_to": address.model_dump_json()}
            if connection.execute(CHANGE, change).rowcount == 0:
                raise _unknown(order_id)
            connection.execute(TOUCH, {"id": order_id, "updated_at": at})

    def change_lines(self, order_id: str, order: Order, at: datetime) -> None:
        """Store the order as re-accepted after an edit of its lines; the first stays in history.

        The counters of its lines follow with the next projection.

        Raises:
            DomainError: ``unknown_order``.
        """
        with self._database.write() as connection:
            document = connection.execute(DOCUMENT, {"id": order_id}).scalar_one_or_none()
            if document is None:
                raise _unknown(order_id)
            content = content_of(order)
            if Order.model_validate_json(document) == order:
                return
            number = connection.execute(REVISION_NO, {"id": order_id}).scalar_one()
            revision = {"order_id": order_id, "no": number, "document": document}
            connection.execute(PUT_REVISION, {**revision, "replaced_at": at})
            connection.execute(CHANGE, {"id": order_id, **content})
            connection.execute(PUT_LINE, line_rows(order))
            connection.execute(TOUCH, {"id": order_id, "updated_at": at})

    def order_of_shipment(self, shipment_id: str) -> str | None:
        """Return the order a shipment belongs to."""
        with self._database.read_one() as connection:
            return connection.execute(OF_SHIPMENT, {"id": shipment_id}).scalar_one_or_none()

    def order_of_return(self, return_id: str) -> str | None:
        """Return the order a return belongs to."""
        with self._database.read_one() as connection:
            return connection.execute(OF_RETURN, {"id": return_id}).scalar_one_or_none()

    def order_of_payment(self, reference: str) -> str | None:
        """Return the order a provider's payment belongs to."""
        with self._database.read_one() as connection:
            return connection.execute(OF_PAYMENT, {"id": reference}).scalar_one_or_none()


def _unknown(order_id: str) -> DomainError:
    return DomainError(f"order {order_id} was never accepted", "unknown_order")


@lru_cache(maxsize=256)
def _order(document: str) -> Order:
    """Read an order; each of its steps reads the same document again."""
    return Order.model_validate_json(document)
