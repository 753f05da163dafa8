"""The sample orders: what each sends, what people and the world do to it, and how it must end.

Files are in ``examples/``; all of them are invented.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Json = dict[str, Any]
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


class Hands(Protocol):
    """What a scenario may do: ask the API, or send another webhook."""

    def ask(self, method: str, path: str, body: Json) -> Any:
        """Ask the API as an operator."""

    def send(self, file: str) -> None:
        """Send an example as its storefront."""


When = Callable[[Json], bool]


@dataclass(frozen=True)
class Step:
    """``do`` is done once, as soon as ``when`` holds of the order; ``says`` tells people."""

    says: str
    when: When
    do: Callable[[Hands, Json], None]


@dataclass(frozen=True)
class Scenario:
    """One sample order. ``checks`` must hold of the ended order, by what they say."""

    name: str
    file: str
    ends: str
    steps: tuple[Step, ...] = ()
    checks: Mapping[str, When] | None = None
    faults: tuple[Json, ...] = ()

    def complaints(self, order: Json) -> list[str]:
        """Return how an ended order differs from what was expected."""
        found = [] if order["status"] == self.ends else [f"ended {order['status']}"]
        found += [f"not: {says}" for says, holds in (self.checks or {}).items() if not holds(order)]
        return found


def held(kind: str) -> When:
    """Whether the order waits for a hold of this kind."""
    return lambda order: any(hold["kind"] == kind for hold in order["holds"])


def delivered(order: Json) -> bool:
    """Whether every unit is at the customer."""
    return all(line["units"]["delivered"] == line["quantity"] for line in order["lines"])


def _paid_in_full(order: Json) -> bool:
    money = order["money"]
    return bool(money["captured"] == order["total"]["amount"] and money["refunded"] == 0)


def _nothing_kept(order: Json) -> bool:
    money = order["money"]
    return bool(money["authorised"] == 0 and money["captured"] == money["refunded"])


def _cancel(reason: str) -> Callable[[Hands, Json], None]:
    def do(hands: Hands, order: Json) -> None:
        hands.ask("POST", f"/orders/{order['order_id']}/cancel", {"reason": reason})

    return do


def _mend_address(hands: Hands, order: Json) -> None:
    address = {**order["ship_to"], "postal_code": "30308"}
    hands.ask("PATCH", f"/orders/{order['order_id']}/address", {"address": address})


def _pay_otherwise(hands: Hands, order: Json) -> None:
    hands.ask("POST", f"/orders/{order['order_id']}/payment-method", {"method": "pm_card_visa"})


def _return_one(hands: Hands, order: Json) -> None:
    line = {"line_id": order["lines"][0]["line_id"], "quantity": 1}
    body = {"lines": [line], "reason": "chipped", "resolution": "refund"}
    hands.ask("POST", f"/orders/{order['order_id']}/returns", body)


def _refunded_return(order: Json) -> bool:
    done = [one["status"] == "refunded" for one in order["returns"]]
    return any(done) and 0 < order["money"]["refunded"] < order["money"]["captured"]


def _places(order: Json) -> set[str]:
    """Return the locations that sent something."""
    sent = [one for one in order["shipments"] if one["status"] == "delivered"]
    return {one["location"] for one in sent}


PAID = {"paid in full": _paid_in_full, "delivered": delivered}
FREE = {"nothing charged": _nothing_kept, "nothing sent": lambda order: not _places(order)}

SCENARIOS: Sequence[Scenario] = (
    Scenario("authorised at the storefront", "shopify-authorised", "completed", checks=PAID),
    Scenario("captured at the storefront", "woo-captured", "completed", checks=PAID),
    Scenario("a kit of three parts", "woo-kit", "completed", checks=PAID),
    Scenario(
        "two parcels from two places",
        "generic-split",
        "completed",
        checks={**PAID, "sent from two places": lambda order: len(_places(order)) == 2},
    ),
    Scenario("cash on delivery", "generic-cash-on-delivery", "completed", checks={
        "delivered": delivered, "never captured": lambda order: order["money"]["captured"] == 0,
    }),
    Scenario(
        "cancelled within the grace period",
        "generic-grace-cancel",
        "cancelled",
        steps=(Step("customer cancels", held("grace"), _cancel("changed my mind")),),
        checks=FREE,
    ),
    Scenario(
        "cancelled by the storefront",
        "shopify-storefront-cancel",
        "cancelled",
        steps=(
            Step(
                "storefront cancels",
                held("grace"),
                lambda hands, _: hands.send("shopify-storefront-cancel.cancelled"),
            ),
        ),
        checks=FREE,
    ),
    Scenario("rejected by grading", "generic-fraud", "rejected", checks=FREE),
    Scenario(
        "card declined, paid otherwise",
        "generic-declined-card",
        "completed",
        steps=(Step("customer brings another card", held("payment"), _pay_otherwise),),
        checks=PAID,
    ),
    Scenario(
        "not found on the shelf, sent from elsewhere",
        "shopify-short-pick",
        "completed",
        checks={**PAID, "sent from WEST": lambda order: _places(order) == {"WEST"}},
        faults=(
            {
                "id": "demo-short-pick",
                "match": "warehouse.pick",
                "where": {"sku": "APRON-LINEN", "location": "EAST"},
                "kind": "short_pick",
            },
        ),
    ),
    Scenario(
        "wrong postal code, mended",
        "woo-bad-address",
        "completed",
        steps=(Step("operator mends the address", held("address"), _mend_address),),
        checks=PAID,
    ),
    Scenario(
        "one of two returned and refunded",
        "generic-return",
        "completed",
        steps=(Step("customer returns one", delivered, _return_one),),
        checks={"refunded in part": _refunded_return},
    ),
    Scenario(
        "preorder, cancelled before launch",
        "generic-preorder-cancel",
        "cancelled",
        steps=(Step("customer cancels", held("preorder"), _cancel("not waiting")),),
        checks=FREE,
    ),
)  # fmt: skip

SAMPLES = (
    "shopify-authorised",
    "woo-captured",
    "generic-split",
    "woo-bad-address",
    "generic-declined-card",
    "generic-preorder-cancel",
)
"""What ``waybill up`` sends into a new shop, for people to do the rest."""
