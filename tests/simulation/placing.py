"""The storefront: orders come in, some twice, some with another body, some after their cancel."""

from datetime import timedelta
from typing import TYPE_CHECKING

from contracts.orders import OrderRef
from ports.stores import Delivery, Intake
from tests.simulation.baskets import basket
from tests.simulation.broken import must
from tests.simulation.case import Case

if TYPE_CHECKING:
    from tests.simulation.shop import Shop


class Storefront:
    """Sends a shop's orders."""

    def __init__(self, shop: "Shop", size: int) -> None:
        self._shop = shop
        self._size = size
        self._count = 0

    def open(self) -> None:
        """Put the orders on the agenda: some at one moment, so that they want the same units."""
        rng, agenda = self._shop.luck.rng, self._shop.agenda
        for no in range(self._size):
            hours = rng.choice((0.0, 0.0, rng.uniform(0, 30)))
            agenda.after(hours * 3600 + rng.random(), self._place, no)

    def _place(self, no: int) -> None:
        shop, rng = self._shop, self._shop.luck.rng
        order = basket(no, shop.agenda.now(), rng, shop.payments)
        case = Case(order)
        shop.cases[order.order_id] = case
        shop.say(case, f"placed {order.model_dump_json(exclude_defaults=True)}")
        reason = None
        if rng.random() < 0.02:
            shop.luck.count("cancel came before the order")
            until = shop.agenda.now() + timedelta(days=7)
            shop.store.park_cancel(self._delivery(case, "cancel"), "never mind", until)
        if rng.random() < 0.02:
            shop.luck.count("nothing works for this order")
            shop.faults.poisoned.add(order.order_id)
            hours = rng.uniform(1, 8)
            shop.agenda.after(hours * 3600, shop.faults.poisoned.discard, order.order_id)
        accepted = shop.store.accept(self._delivery(case, "create"), order)
        must(accepted.intake is Intake.NEW, "L3", order.order_id, f"taken in as {accepted}")
        reason = accepted.parked_cancel
        case.cancelled_before = reason
        if rng.random() < 0.1:
            self._again(case)
        shop.start(case, OrderRef(order_id=order.order_id, cancel_reason=reason))
        shop.store.mark_started(order.order_id)
        shop.customers.place(case)
        shop.operators.place(case)

    def _again(self, case: Case) -> None:
        """Deliver an order again: the same, and with another body."""
        repeat = self._shop.store.accept(self._delivery(case, "create"), case.order)
        must(repeat.intake is Intake.REPEAT, "L3", case.order_id, f"a repeat is {repeat}")
        self._shop.luck.count("webhook again")
        other = self._delivery(case, "create").model_copy(update={"body_hash": "other"})
        conflict = self._shop.store.accept(other, case.order)
        must(conflict.intake is Intake.CONFLICT, "L3", case.order_id, f"another body is {conflict}")
        self._shop.luck.count("same id, other body")

    def _delivery(self, case: Case, topic: str) -> Delivery:
        self._count += 1
        return Delivery(
            channel="shop",
            delivery_id=f"d{self._count}",
            topic=topic,
            external_id=case.order.external_id,
            body_hash=f"hash-{case.order_id}",
            received_at=self._shop.agenda.now(),
        )
