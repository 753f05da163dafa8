"""Erasing a customer: personal data goes, money and stock rows stay (A3)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from domain.order import Address, Customer, Order
from store.intake import content_of
from store.part import Part
from store.tables.intake import orders, revisions
from store.tables.orders import projections, returns, shipments
from store.tables.parcels import labels, scans

OF_EMAIL = (
    select(orders.c.order_id, orders.c.document)
    .where(orders.c.email == bindparam("mail"))
    .order_by(orders.c.order_id)
    .with_for_update()
)
CHANGE = update(orders).where(orders.c.order_id == bindparam("id"))
TOUCH = update(projections).where(projections.c.order_id == bindparam("id"))
REVISIONS = select(revisions).where(revisions.c.order_id == bindparam("id"))
CHANGE_REVISION = update(revisions).where(
    revisions.c.order_id == bindparam("id"), revisions.c.no == bindparam("number")
)
DROP_LABELS = delete(labels).where(labels.c.order_id == bindparam("id"))
NUMBERS = (
    select(shipments.c.tracking_number)
    .where(shipments.c.order_id == bindparam("id"))
    .union(select(returns.c.tracking_number).where(returns.c.order_id == bindparam("id")))
)
BLANK_SCAN = (
    update(scans)
    .where(scans.c.tracking_number == bindparam("parcel"))
    .values(signed_by="", place="", message="")
)


class Erasure(Part):
    """Forgetting a person."""

    def erase_customer(self, email: str, at: datetime) -> Sequence[str]:
        """Remove a customer's personal data from all orders; return the orders it was in.

        What was bought, what it cost and where stock went stays; of addresses only the country.
        Labels go, because an address is printed on them.
        """
        with self._database.write() as connection:
            found = connection.execute(OF_EMAIL, {"mail": email.strip().lower()}).all()
            for row in found:
                _erase(connection, row.order_id, row.document, at)
            return [row.order_id for row in found]


def _erase(connection: Connection, order_id: str, document: str, at: datetime) -> None:
    order = without_person(Order.model_validate_json(document))
    ship_to = order.ship_to.model_dump_json() if order.ship_to else None
    connection.execute(CHANGE, {"id": order_id, "ship_to": ship_to, **content_of(order)})
    for row in connection.execute(REVISIONS, {"id": order_id}).all():
        former = without_person(Order.model_validate_json(row.document)).model_dump_json()
        key = {"id": order_id, "number": row.no}
        connection.execute(CHANGE_REVISION, {**key, "document": former})
    connection.execute(DROP_LABELS, {"id": order_id})
    for number in connection.execute(NUMBERS, {"id": order_id}).scalars().all():
        if number:
            connection.execute(BLANK_SCAN, {"parcel": number})
    connection.execute(TOUCH, {"id": order_id, "updated_at": at})


def without_person(order: Order) -> Order:
    """Return the order with nothing left that names or finds a person."""
    lines = tuple(line.model_copy(update={"attributes": {}}) for line in order.lines)
    return order.model_copy(
        update={
            "customer": Customer(tier=order.customer.tier),
            "ship_to": _country(order.ship_to),
            "bill_to": _country(order.bill_to),
            "lines": lines,
            "note": "",
            "tags": (),
            "attributes": {},
        }
    )


def _country(address: Address | None) -> Address | None:
    return address and Address(country=address.country)
