"""Taking orders in, in memory: each one once for ever, cancels before orders."""

from collections.abc import Collection, Sequence
from datetime import datetime

from domain.order import Order
from domain.progress import OrderStatus
from domain.units import Units
from ports.stores import NOT_TAKEN, Accepted, Delivery, Intake
from tests.fakes.stores.alerts import raise_alert
from tests.fakes.stores.tables import LineRow, Part, Row, transaction, utc

RECEIVED = OrderStatus.RECEIVED.value


class Inbox(Part):
    """Deliveries in, orders out."""

    @transaction
    def accept(self, delivery: Delivery, order: Order, cancelled: str | None = None) -> Accepted:
        """Write delivery and order together, or tell that the order was met before."""
        tables, external = self.tables, (order.channel, order.external_id)
        seen = self._put_delivery(delivery, Intake.NEW.value)
        if seen and seen["external_id"] != order.external_id:
            text = f"delivery id {delivery.delivery_id} has carried another order before"
            return self._conflict(delivery, order.order_id, text)
        if order.order_id in tables.orders or external in tables.by_external:
            answer = self._met_before(delivery, order, order.followed or cancelled is not None)
            if not seen:
                key = (delivery.channel, delivery.delivery_id)
                tables.deliveries[key]["outcome"] = answer.intake.value
            return answer
        self._put_order(delivery, order)
        if cancelled is not None:
            parked = _parked(delivery, cancelled, delivery.received_at)
            tables.parked.setdefault((delivery.channel, delivery.external_id), parked)
        cancel = tables.parked.get(external)
        if cancel is None or cancel["used_at"] is not None:
            return Accepted(intake=Intake.NEW, order_id=order.order_id)
        cancel["used_at"] = utc(delivery.received_at)
        return Accepted(intake=Intake.NEW, order_id=order.order_id, parked_cancel=cancel["reason"])

    def _put_order(self, delivery: Delivery, order: Order) -> None:
        tables, order_id, at = self.tables, order.order_id, utc(delivery.received_at)
        tables.orders[order_id] = {
            "order": order,
            "ship_to": order.ship_to,
            "body_hash": delivery.body_hash,
            "policy_version": len(tables.policies),
            "created_at": at,
        }
        tables.by_external[order.channel, order.external_id] = order_id
        tables.by_email.setdefault(email_of(order), []).append(order_id)
        tables.unstarted.add(order_id)
        tables.projections[order_id] = {
            "version": -1,
            "status": RECEIVED,
            "progress": None,
            "updated_at": at,
        }
        put_lines(tables.lines.setdefault(order_id, {}), order)
        if order.payment.reference:
            tables.references.setdefault(order.payment.reference, order_id)

    def _met_before(self, delivery: Delivery, order: Order, later: bool) -> Accepted:
        known = self.tables.by_external.get((order.channel, order.external_id))
        if known is None:
            text = f"order id {order.order_id} belongs to an order of another channel"
            return self._conflict(delivery, order.order_id, text)
        status = self.tables.projections[known]["status"]
        row = self.tables.orders[known]
        same = later or row["body_hash"] == delivery.body_hash
        if not same and not row["order"].followed:
            text = f"{order.channel} sent order {order.external_id} again with other content"
            return self._conflict(delivery, known, text, status)
        return Accepted(intake=Intake.REPEAT, order_id=known, status=status)

    @transaction
    def record(self, delivery: Delivery) -> bool:
        """Keep a delivery that makes no order; False when its id was seen before."""
        return self._put_delivery(delivery) is None

    @transaction
    def park_cancel(self, delivery: Delivery, reason: str, until: datetime) -> str | None:
        """Park a cancel for an order not yet known; return the order id when it is known."""
        external = (delivery.channel, delivery.external_id)
        parked = _parked(delivery, reason, until)
        self._put_delivery(delivery, "parked")
        known = self.tables.by_external.get(external)
        if known is None:
            self.tables.parked.setdefault(external, parked)
        return known

    @transaction
    def parked(self, now: datetime) -> Sequence[Delivery]:
        """Return parked cancels that no order met in time, and of which nobody was told yet."""
        alerts = self.tables.alerts
        told = {row["subject"] for row in alerts if row["kind"] == "parked_cancel"}
        rows = self.tables.deliveries.values()
        ignored = [row for row in rows if row["outcome"].startswith(NOT_TAKEN)]
        told |= {f"{row['channel']}-{row['external_id']}" for row in ignored}
        unmet = [
            row
            for (channel, external_id), row in self.tables.parked.items()
            if row["used_at"] is None
            and row["until"] <= now
            and f"{channel}-{external_id}" not in told
        ]
        return [row["delivery"] for row in sorted(unmet, key=lambda row: row["until"])]

    @transaction
    def unstarted(self, before: datetime, limit: int = 100) -> Sequence[tuple[str, str | None]]:
        """Return accepted orders whose process was never confirmed as started, oldest first."""
        found = []
        for order_id in self.tables.unstarted:
            row = self.tables.orders[order_id]
            if row["created_at"] < before:
                found.append((row["created_at"], order_id, row["order"]))
        found.sort(key=lambda item: item[:2])
        parked = self.tables.parked
        return [
            (order_id, parked.get((order.channel, order.external_id), {}).get("reason"))
            for _, order_id, order in found[:limit]
        ]

    @transaction
    def mark_started(self, order_ids: Collection[str]) -> None:
        """Note that the processes of these orders run."""
        self.tables.unstarted.difference_update(order_ids)

    def _put_delivery(self, delivery: Delivery, outcome: str = "") -> Row | None:
        """Keep a delivery; return the row that was there before, if one was."""
        key = (delivery.channel, delivery.delivery_id)
        known = self.tables.deliveries.get(key)
        if known is None:
            row = dict(delivery) | {"outcome": delivery.outcome or outcome}
            row["received_at"] = utc(delivery.received_at)
            self.tables.deliveries[key] = row
        return known

    def _conflict(
        self, delivery: Delivery, order_id: str, text: str, status: str = RECEIVED
    ) -> Accepted:
        raise_alert(self.tables, "order_conflict", order_id, text, delivery.received_at)
        return Accepted(intake=Intake.CONFLICT, order_id=order_id, status=status)


def _parked(delivery: Delivery, reason: str, until: datetime) -> Row:
    return {"reason": reason, "delivery": delivery, "until": utc(until), "used_at": None}


def email_of(order: Order) -> str:
    """Return the address that finds a customer's other orders."""
    return order.customer.email.strip().lower()


def put_lines(rows: dict[str, LineRow], order: Order) -> None:
    """Make rows for the lines that have none: open, but for units cancelled beforehand."""
    for line in order.lines:
        ordered = max(line.quantity, 0)
        cancelled = min(line.already_cancelled, ordered)
        if line.line_id not in rows:
            units = Units(open=ordered - cancelled, cancelled=cancelled)
            rows[line.line_id] = LineRow(line.sku, units)
