"""Both sides of the audit of one order: what we wrote down, and what the witness saw."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain.frozen import Wire
from domain.order import PaymentForm
from domain.progress import TERMINAL, OrderProgress
from ports.stores import StoredOrder

Json = dict[str, Any]
LETS_GO = ("release", "void", "expire")
"""Payment rows after which nothing of an authorisation is held."""


class Violation(Wire):
    """A promise that does not hold; ``order_id`` is empty when it is about no order."""

    promise: str
    order_id: str
    text: str


class Books(Wire):
    """What the database knows of one order."""

    stored: StoredOrder
    effects: tuple[dict[str, Any], ...] = ()
    messages: tuple[dict[str, Any], ...] = ()

    @property
    def order_id(self) -> str:
        """The order's id."""
        return self.stored.order.order_id

    @property
    def progress(self) -> OrderProgress | None:
        """The order's projection."""
        return self.stored.progress

    @property
    def quiet(self) -> bool:
        """Whether the order has ended."""
        return self.progress is not None and self.progress.status in TERMINAL

    @property
    def by_provider(self) -> bool:
        """Whether the money goes through a provider that the witness sees."""
        payment = self.stored.order.payment
        forms = (PaymentForm.METHOD, PaymentForm.AUTHORISED, PaymentForm.CAPTURED)
        return payment.form in forms and bool(payment.provider)


class Outside(Wire):
    """What the witness saw of one order; amounts in minor units."""

    payments: tuple[dict[str, Any], ...] = ()
    parcels: tuple[dict[str, Any], ...] = ()
    mails: tuple[dict[str, Any], ...] = ()

    def total(self, *kinds: str) -> int:
        """Sum the payment rows of some kinds."""
        return sum(row["amount"] for row in self.payments if row["kind"] in kinds)

    @property
    def refunded(self) -> int:
        """What went back to the customer, charge-backs included."""
        return self.total("refund", "dispute")

    @property
    def held(self) -> int:
        """What live authorisations still hold."""
        return sum(_held(rows) for rows in by_intent(self.payments).values())


def outside_of(books: Books, statement: Mapping[str, Any]) -> Outside:
    """Pick out of the witness's statement what belongs to one order.

    A payment that a storefront made before we adopted it has rows without our order's id; its
    intent tells whose they are.
    """
    order, order_id = books.stored.order, books.order_id
    payments = statement["payments"]
    intents = {row["intent"] for row in payments if row["order_id"] == order_id}
    intents |= {order.payment.reference} - {""}
    progress = books.progress
    numbers = {one.tracking_number for one in progress.shipments} if progress else set()
    numbers |= {one.tracking_number for one in progress.returns} if progress else set()
    of_order = re.compile(re.escape(order_id) + r"($|[:/#| ])")
    return Outside(
        payments=tuple(row for row in payments if row["intent"] in intents),
        parcels=tuple(
            row
            for row in statement["parcels"]
            if row["tracking_number"] in numbers or of_order.match(row["reference"] or "")
        ),
        mails=tuple(row for row in statement["messages"] if _is_mail_of(row, books)),
    )


def _is_mail_of(mail: Mapping[str, Any], books: Books) -> bool:
    order = books.stored.order
    if mail["order_id"]:
        return bool(mail["order_id"] == order.order_id)
    text = f"{mail['subject']} {mail['body']}"
    named = re.search(rf"(?<![\w-]){re.escape(order.number or order.order_id)}(?![\w-])", text)
    return order.customer.email in mail["recipients"] and named is not None


def by_intent(payments: Sequence[Json]) -> dict[str, list[Json]]:
    """Return the payment rows of each payment at the provider, oldest first."""
    intents: dict[str, list[Json]] = {}
    for row in payments:
        intents.setdefault(row["intent"], []).append(row)
    return intents


def _held(rows: Sequence[Json]) -> int:
    held = 0
    for row in rows:
        if row["kind"] == "authorise":
            held += row["amount"]
        elif row["kind"] == "capture":
            held -= row["amount"]
        elif row["kind"] in LETS_GO:
            held = 0
    return held
