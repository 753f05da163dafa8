"""Erasing a customer: personal data goes, money and stock rows stay (A3)."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from domain.order import Address, Customer, Order
from domain.progress import TERMINAL, OrderProgress
from ports.operators import Erased
from store.intake import content_of
from store.part import Part
from store.tables.access import idempotency
from store.tables.audit import alerts
from store.tables.intake import orders, parked_cancels, revisions
from store.tables.orders import projections, returns, shipments, timeline
from store.tables.parcels import labels, scans

OF_EMAIL = (
    select(orders.c.order_id, orders.c.document, projections.c.status, projections.c.progress)
    .join(projections, projections.c.order_id == orders.c.order_id)
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
BLANK_HISTORY = update(timeline).where(timeline.c.order_id == bindparam("id")).values(text="")
BLANK_ALERTS = update(alerts).where(alerts.c.subject == bindparam("id")).values(text="")
BLANK_CANCEL = (
    update(parked_cancels)
    .where(
        parked_cancels.c.channel == bindparam("ch"),
        parked_cancels.c.external_id == bindparam("ext"),
    )
    .values(reason="")
)
BLANK_ANSWERS = (
    update(idempotency)
    .where(idempotency.c.body.contains(bindparam("named"), escape="!"))
    .values(body="")
)
"""Answers that tell of the order; a repeat of such a request is still no second effect."""
ENDED = frozenset(status.value for status in TERMINAL)


class Erasure(Part):
    """Forgetting a person."""

    def erase_customer(self, email: str, at: datetime) -> Erased:
        """Remove a customer's personal data from all orders that have ended.

        What was bought, what it cost and where stock went stays; of addresses only the country, of
        the history what happened, when and by whom, not the words. Labels go, because an address is
        printed on them. An order that has not ended needs its address, and is left alone.
        """
        with self._database.write() as connection:
            found = connection.execute(OF_EMAIL, {"mail": email.strip().lower()}).all()
            over = [row for row in found if row.status in ENDED]
            for row in over:
                _erase(connection, row.order_id, row.document, at)
                _blank_progress(connection, row.order_id, row.progress, at)
            return Erased(
                erased=tuple(row.order_id for row in over),
                still_open=tuple(row.order_id for row in found if row.status not in ENDED),
            )


def _erase(connection: Connection, order_id: str, document: str, at: datetime) -> None:
    order = without_person(Order.model_validate_json(document))
    connection.execute(BLANK_HISTORY, {"id": order_id})
    connection.execute(BLANK_ALERTS, {"id": order_id})
    connection.execute(BLANK_CANCEL, {"ch": order.channel, "ext": order.external_id})
    named = order_id.replace("_", "!_")
    connection.execute(BLANK_ANSWERS, {"named": f'"{named}"'})
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


def _blank_progress(
    connection: Connection, order_id: str, document: str | None, at: datetime
) -> None:
    """Take the words out of the picture of an order's process; its numbers stay."""
    values: dict[str, object] = {"id": order_id, "updated_at": at}
    if document:
        progress = OrderProgress.model_validate_json(document)
        blank = progress.model_copy(
            update={
                "cancel_reason": "",
                "holds": tuple(one.model_copy(update={"reason": ""}) for one in progress.holds),
                "returns": tuple(one.model_copy(update={"reason": ""}) for one in progress.returns),
                "shipments": tuple(
                    one.model_copy(update={"signed_by": ""}) for one in progress.shipments
                ),
            }
        )
        values["progress"] = blank.model_dump_json()
    connection.execute(TOUCH, values)


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
