"""Taking in what storefronts deliver: each order once for ever, cancels before orders."""

import hashlib
import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, false, func, insert, select, update

from domain.order import Order
from domain.progress import OrderStatus
from ports.stores import NOT_TAKEN, Accepted, Delivery, Intake
from store.alerts import raise_alert
from store.part import Part, put_once
from store.tables.access import policies
from store.tables.audit import alerts
from store.tables.intake import deliveries, orders, parked_cancels, payment_references
from store.tables.orders import COUNTERS, order_lines, projections

PUT_DELIVERY = put_once(deliveries)
NEWEST_POLICY = select(func.coalesce(func.max(policies.c.version), 0)).scalar_subquery()
PUT_ORDER = put_once(orders).values(policy_version=NEWEST_POLICY)
PUT_LINE = put_once(order_lines)
PUT_PROJECTION = insert(projections)
PUT_REFERENCE = put_once(payment_references)
PARK = put_once(parked_cancels)
KNOWN = (
    select(orders.c.order_id, orders.c.body_hash, orders.c.document, projections.c.status)
    .join(projections, projections.c.order_id == orders.c.order_id)
    .where(orders.c.channel == bindparam("ch"), orders.c.external_id == bindparam("ext"))
)
SEEN = select(deliveries.c.external_id).where(
    deliveries.c.channel == bindparam("ch"), deliveries.c.delivery_id == bindparam("id")
)
NOTE = (
    update(deliveries)
    .where(deliveries.c.channel == bindparam("ch"), deliveries.c.delivery_id == bindparam("id"))
    .values(outcome=bindparam("became"))
)
USE_PARKED = (
    update(parked_cancels)
    .where(
        parked_cancels.c.channel == bindparam("ch"),
        parked_cancels.c.external_id == bindparam("ext"),
        parked_cancels.c.used_at.is_(None),
    )
    .values(used_at=bindparam("now"))
    .returning(parked_cancels.c.reason)
)
_told = exists().where(
    alerts.c.kind == "parked_cancel",
    alerts.c.subject == parked_cancels.c.channel + "-" + parked_cancels.c.external_id,
)
_not_taken = exists().where(
    deliveries.c.channel == parked_cancels.c.channel,
    deliveries.c.external_id == parked_cancels.c.external_id,
    deliveries.c.outcome.startswith(NOT_TAKEN, autoescape=True),
)
UNMET = (
    select(parked_cancels.c.delivery)
    .where(parked_cancels.c.used_at.is_(None), parked_cancels.c.until <= bindparam("now"))
    .where(~_told, ~_not_taken)
    .order_by(parked_cancels.c.until)
)
UNSTARTED = (
    select(orders.c.order_id, parked_cancels.c.reason)
    .outerjoin(
        parked_cancels,
        and_(
            parked_cancels.c.channel == orders.c.channel,
            parked_cancels.c.external_id == orders.c.external_id,
        ),
    )
    .where(orders.c.started == false(), orders.c.created_at < bindparam("before"))
    .order_by(orders.c.created_at, orders.c.order_id)
    .limit(bindparam("at_most"))
)
START = (
    update(orders)
    .where(orders.c.order_id.in_(bindparam("ids", expanding=True)))
    .values(started=True)
)


class Inbox(Part):
    """Deliveries in, orders out."""

    def accept(self, delivery: Delivery, order: Order, cancelled: str | None = None) -> Accepted:
        """Write delivery and order together; ``cancelled`` is the storefront's reason when it has
        called the order off already, and is kept as a cancel that came before the order.

        The delivery's ``body_hash`` decides whether a known order is a REPEAT or a CONFLICT; one
        that either event describes later than its creation (``Order.followed``), or that is called
        off now, is a REPEAT in other words. A delivery id that already carried *another* order is a
        CONFLICT too, and nothing is stored.
        """
        with self._database.write() as connection:
            self._database.lock(connection, "intake", order.channel, order.external_id)
            fresh = self._put_delivery(connection, delivery, Intake.NEW)
            if not fresh and self._carried(connection, delivery) != order.external_id:
                text = f"delivery id {delivery.delivery_id} has carried another order before"
                return _conflict(connection, delivery, order.order_id, text)
            if connection.execute(PUT_ORDER, _row(order, delivery)).rowcount == 1:
                return self._welcome(connection, delivery, order, cancelled)
            later = order.followed or cancelled is not None
            answer = self._met_before(connection, delivery, order, later)
            if fresh:
                self._note(connection, delivery, answer.intake)
            return answer

    def _welcome(
        self, connection: Connection, delivery: Delivery, order: Order, cancelled: str | None
    ) -> Accepted:
        connection.execute(PUT_PROJECTION, _projection(order, delivery.received_at))
        connection.execute(PUT_LINE, line_rows(order))
        if order.payment.reference:
            put_reference(connection, order.order_id, order.payment.reference)
        if cancelled is not None:
            connection.execute(PARK, _parked(delivery, cancelled, delivery.received_at))
        cancel = connection.execute(
            USE_PARKED,
            {"ch": order.channel, "ext": order.external_id, "now": delivery.received_at},
        ).scalar_one_or_none()
        return Accepted(intake=Intake.NEW, order_id=order.order_id, parked_cancel=cancel)

    def _met_before(
        self, connection: Connection, delivery: Delivery, order: Order, later: bool
    ) -> Accepted:
        key = {"ch": order.channel, "ext": order.external_id}
        known = connection.execute(KNOWN, key).one_or_none()
        if known is None:
            text = f"order id {order.order_id} belongs to an order of another channel"
            return _conflict(connection, delivery, order.order_id, text)
        same = later or known.body_hash == delivery.body_hash
        if not same and not Order.model_validate_json(known.document).followed:
            text = f"{order.channel} sent order {order.external_id} again with other content"
            return _conflict(connection, delivery, known.order_id, text, known.status)
        return Accepted(intake=Intake.REPEAT, order_id=known.order_id, status=known.status)

    def record(self, delivery: Delivery) -> bool:
        """Keep a delivery that makes no order; False when its id was seen before."""
        with self._database.write() as connection:
            return self._put_delivery(connection, delivery)

    def park_cancel(self, delivery: Delivery, reason: str, until: datetime) -> str | None:
        """Park a cancel for an order not yet known; return the order id when it is known."""
        with self._database.write() as connection:
            self._database.lock(connection, "intake", delivery.channel, delivery.external_id)
            self._put_delivery(connection, delivery, "parked")
            key = {"ch": delivery.channel, "ext": delivery.external_id}
            known = connection.execute(KNOWN, key).one_or_none()
            if known:
                return str(known.order_id)
            connection.execute(PARK, _parked(delivery, reason, until))
            return None

    def parked(self, now: datetime) -> Sequence[Delivery]:
        """Return parked cancels whose deadline has passed, which no order ever met, and of which
        nobody has been told yet; none of an order that was never to be taken."""
        with self._database.read() as connection:
            rows = connection.execute(UNMET, {"now": now}).scalars()
            return [Delivery.model_validate_json(row) for row in rows]

    def unstarted(self, before: datetime, limit: int = 100) -> Sequence[tuple[str, str | None]]:
        """Return accepted orders whose process was never confirmed as started, oldest first, each
        with the reason of the cancel that came before it, if one did."""
        with self._database.read_one() as connection:
            rows = connection.execute(UNSTARTED, {"before": before, "at_most": limit})
            return [(row.order_id, row.reason) for row in rows]

    def mark_started(self, order_ids: Collection[str]) -> None:
        """Note that the processes of these orders run."""
        with self._database.write_one() as connection:
            connection.execute(START, {"ids": list(order_ids)})

    def _put_delivery(self, connection: Connection, delivery: Delivery, outcome: str = "") -> bool:
        row = delivery.model_dump() | {"outcome": delivery.outcome or outcome}
        return connection.execute(PUT_DELIVERY, row).rowcount == 1

    def _note(self, connection: Connection, delivery: Delivery, outcome: Intake) -> None:
        key = {"ch": delivery.channel, "id": delivery.delivery_id}
        connection.execute(NOTE, {**key, "became": outcome.value})

    def _carried(self, connection: Connection, delivery: Delivery) -> str:
        key = {"ch": delivery.channel, "id": delivery.delivery_id}
        return str(connection.execute(SEEN, key).scalar_one())


def _parked(delivery: Delivery, reason: str, until: datetime) -> dict[str, Any]:
    return {
        "channel": delivery.channel,
        "external_id": delivery.external_id,
        "reason": reason,
        "delivery": delivery.model_dump_json(),
        "until": until,
        "used_at": None,
    }


def _conflict(
    connection: Connection,
    delivery: Delivery,
    order_id: str,
    text: str,
    status: str = OrderStatus.RECEIVED.value,
) -> Accepted:
    raise_alert(connection, "order_conflict", order_id, text, delivery.received_at)
    return Accepted(intake=Intake.CONFLICT, order_id=order_id, status=status)


def put_reference(connection: Connection, order_id: str, reference: str) -> None:
    """Note which order a provider's payment belongs to; the first one keeps it."""
    connection.execute(PUT_REFERENCE, {"reference": reference, "order_id": order_id})


def content_of(order: Order) -> dict[str, Any]:
    """Return the columns that follow from an order's content, and change when it is edited."""
    email = order.customer.email.strip().lower()
    name = order.ship_to.name if order.ship_to else ""
    words = (order.order_id, order.external_id, order.number, email, order.customer.name, name)
    return {
        "document": order.model_dump_json(),
        "email": email,
        "search": " ".join(word for word in words if word).lower(),
        "fingerprint": fingerprint(order),
        "total": order.totals.total,
    }


def fingerprint(order: Order) -> str:
    """Return a hash of what was bought: SKUs with their quantities, total and currency."""
    bought: dict[str, int] = {}
    for line in order.lines:
        bought[line.sku] = bought.get(line.sku, 0) + line.quantity
    content = json.dumps([sorted(bought.items()), order.totals.total, order.currency])
    return hashlib.sha256(content.encode()).hexdigest()


def line_rows(order: Order) -> list[dict[str, Any]]:
    """Return the rows of an order's lines: units open, but for those cancelled beforehand."""
    nowhere = dict.fromkeys(COUNTERS, 0)
    rows = []
    for line in order.lines:
        ordered = max(line.quantity, 0)
        cancelled = min(line.already_cancelled, ordered)
        counters = {"ordered": ordered, "open": ordered - cancelled, "cancelled": cancelled}
        line_key = {"order_id": order.order_id, "line_id": line.line_id, "sku": line.sku}
        rows.append({**nowhere, **counters, **line_key})
    return rows


def _row(order: Order, delivery: Delivery) -> dict[str, Any]:
    return {
        **content_of(order),
        "order_id": order.order_id,
        "channel": order.channel,
        "external_id": order.external_id,
        "number": order.number,
        "body_hash": delivery.body_hash,
        "ship_to": order.ship_to.model_dump_json() if order.ship_to else None,
        "currency": order.currency,
        "started": False,
        "placed_at": order.placed_at,
        "created_at": delivery.received_at,
    }


def _projection(order: Order, at: datetime) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "version": -1,
        "status": OrderStatus.RECEIVED.value,
        "holds": ",",
        "progress": None,
        "currency": order.currency,
        "authorised": 0,
        "captured": 0,
        "refunded": 0,
        "promise": None,
        "ended_at": None,
        "updated_at": at,
    }
