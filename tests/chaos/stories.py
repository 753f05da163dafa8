"""What customers, storefronts and operators do to an order, one story a function.

Each is a thread's life: it sends, waits, asks. What it is told it writes down; how the order ends
is judged afterwards (``verdict``), from what was told.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cli.scenarios import delivered, held
from tests.chaos.goods import BY_API, BY_WEBHOOK, WITH_GRACE, cancel_of, payload_of
from tests.chaos.plan import Visit
from tests.chaos.shop import Closed, Shop
from tests.chaos.watch import Watch
from tests.chaos.witness import (
    ADDRESS,
    CALLED_OFF,
    CANCEL,
    HOLD,
    LIFT,
    METHOD,
    ORDER,
    RETURN,
    Json,
    Told,
)

LOOK_EACH = 0.25


@dataclass
class Life:
    """One customer's means: the shop's wire, sight of the order, dice."""

    shop: Shop
    watch: Watch
    visit: Visit

    def send(self, *examples: str) -> str:
        """Place an order by webhook; some platforms deliver it again although it was taken."""
        number = self.visit.number
        payload = self.shop.paid(payload_of(self.visit.dice.choice(examples), number))
        order_id = self.shop.deliver(payload, number).order_id
        if self.visit.dice.random() < 0.15:
            self.shop.deliver(payload, number)
        return order_id

    def place(self, *examples: str) -> str:
        """Place an order through ``POST /orders``."""
        body = payload_of(self.visit.dice.choice(examples), self.visit.number).body["data"]
        return self.shop.ask(ORDER, "", "POST", "/orders", body, self.key("place")).order_id

    def any_way(self, *examples: str) -> str:
        """Place a generic order one way or the other."""
        return self.visit.dice.choice((self.send, self.place))(*examples)

    def ask(self, what: str, order_id: str, path: str, body: Json, tag: str = "") -> Told:
        """Ask something of the order."""
        return self.shop.ask(what, order_id, "POST", path, body, self.key(tag or what))

    def cancel(self, order_id: str, tag: str = "cancel") -> Told:
        """Call the whole order off."""
        return self.ask(CANCEL, order_id, f"/orders/{order_id}/cancel", {"reason": "no"}, tag)

    def until(self, order_id: str, when: Callable[[Json], bool]) -> Json | None:
        """Return the order's document once ``when`` holds; None when it ended before that."""
        seen: int | None = None
        while True:
            place = self.watch.place(order_id)
            if place and place.version != seen:
                seen = place.version
                document = self.shop.order(order_id)
                if document and when(document):
                    return document
                if document is None or place.ended:
                    return None
            self.shop.pause(LOOK_EACH)

    def wait(self, least: float, most: float) -> None:
        """Do something else for a while."""
        self.shop.pause(self.visit.dice.uniform(least, most))

    def key(self, tag: str) -> str:
        """Return the request's own id."""
        return f"customer-{self.visit.number}-{tag}"


def bought(life: Life) -> None:
    """A storefront's order, and nothing more."""
    life.send(*BY_WEBHOOK)


def placed(life: Life) -> None:
    """An order by API, and nothing more."""
    life.place(*BY_API)


def cancelled_in_grace(life: Life) -> None:
    """The customer changes their mind in time, and clicks twice."""
    order_id = life.any_way(*WITH_GRACE)
    if life.until(order_id, held("grace")):
        click = threading.Thread(target=quietly, args=(life.cancel, order_id, "second click"))
        click.start()
        life.cancel(order_id)
        click.join()


def cancelled_at_any_time(life: Life) -> None:
    """A cancel that may come too late."""
    order_id = life.any_way(*WITH_GRACE)
    life.wait(0, 10)
    life.cancel(order_id)


def cancelled_by_storefront(life: Life) -> None:
    """The storefront's own cancel, sometimes before its order."""
    number, dice = life.visit.number, life.visit.dice
    payload = payload_of(dice.choice(WITH_GRACE), number)
    early = dice.random() < 0.3
    if early:
        life.shop.deliver(cancel_of(payload), number, CALLED_OFF)
    life.shop.deliver(payload, number)
    if not early:
        life.wait(0, 4)
        life.shop.deliver(cancel_of(payload), number, CALLED_OFF)


def held_and_lifted(life: Life) -> None:
    """An operator stops the order for a while."""
    order_id = life.any_way(*WITH_GRACE)
    life.wait(0, 3)
    hold = life.ask(HOLD, order_id, f"/orders/{order_id}/holds", {"reason": "asked by phone"})
    if hold.taken:
        life.wait(1, 6)
        path = f"/orders/{order_id}/holds/{hold.answer['hold_id']}"
        life.shop.ask(LIFT, order_id, "DELETE", path, {}, life.key(LIFT))


def returned_one(life: Life) -> None:
    """One unit goes back for a refund."""
    order_id = life.any_way("generic-return", "generic-split")
    order = life.until(order_id, delivered)
    if order:
        line = {"line_id": order["lines"][0]["line_id"], "quantity": 1}
        body = {"lines": [line], "reason": "chipped", "resolution": "refund"}
        life.ask(RETURN, order_id, f"/orders/{order_id}/returns", body)


def paid_otherwise(life: Life) -> None:
    """A declined card, then another."""
    order_id = life.any_way("generic-declined-card")
    if life.until(order_id, held("payment")):
        path = f"/orders/{order_id}/payment-method"
        life.ask(METHOD, order_id, path, {"method": "pm_card_visa"})


def address_mended(life: Life) -> None:
    """A wrong postal code, put right by an operator."""
    order_id = life.send("woo-bad-address")
    order = life.until(order_id, held("address"))
    if order:
        body = {"address": {**order["ship_to"], "postal_code": "30308"}}
        life.shop.ask(
            ADDRESS, order_id, "PATCH", f"/orders/{order_id}/address", body, life.key(ADDRESS)
        )


STORIES: dict[str, tuple[Callable[[Life], None], int]] = {
    one.__name__: (one, weight)
    for one, weight in (
        (bought, 20),
        (placed, 12),
        (cancelled_in_grace, 14),
        (cancelled_at_any_time, 14),
        (cancelled_by_storefront, 8),
        (held_and_lifted, 10),
        (returned_one, 14),
        (paid_otherwise, 6),
        (address_mended, 6),
    )
}


def quietly(do: Callable[..., Any], *args: Any) -> None:
    """Do something whose end by ``Closed`` is nobody's concern."""
    try:
        do(*args)
    except Closed:
        return
