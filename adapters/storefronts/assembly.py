"""What every storefront's order needs after its fields are read: shares, sums, and the Order."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from pydantic import ValidationError

from adapters.storefronts.reading import Problems
from domain.errors import InvalidOrder
from domain.money import split
from domain.order import Order, OrderLine

_DELIVERY_NAMES = ("delivery_date", "deliver_on", "delivery_day", "requested_delivery_date")


class LinePrice(NamedTuple):
    """The amounts an ``OrderLine`` carries, none negative, and what no line can carry.

    ``left_over`` (with its tax ``left_tax``) goes to ``Totals.other``, so that no cent is lost: the
    worth of a line of 0 units, of a line sold below zero, or a discount above the line's price.
    """

    unit_price: int
    discount: int
    tax: int
    left_over: int = 0
    left_tax: int = 0


def price_line(quantity: int, gross: int, net: int, tax: int, tax_included: bool) -> LinePrice:
    """Return the amounts of a line worth ``gross`` before and ``net`` after its discounts.

    ``unit_price * quantity - discount`` is exactly ``net``. When ``gross`` is no multiple of the
    quantity, the unit price is rounded up and the discount takes the rest (at most quantity - 1).
    """
    added_tax = 0 if tax_included else tax
    if quantity == 0:
        return LinePrice(0, 0, 0, net + added_tax, tax)
    carried = max(net, 0)
    unit_price = -(-max(gross, carried) // quantity)
    discount = unit_price * quantity - carried
    if tax < 0:
        return LinePrice(unit_price, discount, 0, net - carried + added_tax, tax)
    return LinePrice(unit_price, discount, tax, net - carried)


def spread_discount(lines: Sequence[OrderLine], amount: int) -> tuple[list[OrderLine], int]:
    """Spread a discount on the whole order over its lines by what each still costs.

    Returns:
        The lines, and the part of ``amount`` that is more than all lines cost together.
    """
    worth = [line.unit_price * line.quantity - line.discount for line in lines]
    spread = min(amount, sum(worth))
    shares = split(spread, worth)
    return [
        line.model_copy(update={"discount": line.discount + share})
        for line, share in zip(lines, shares, strict=True)
    ], amount - spread


def spread_tax(lines: Sequence[OrderLine], amount: int) -> list[OrderLine]:
    """Spread an order's tax over its lines by what each costs (old payloads tax no lines)."""
    worth = [line.unit_price * line.quantity - line.discount for line in lines]
    return [
        line.model_copy(update={"tax": line.tax + share})
        for line, share in zip(lines, split(amount, worth), strict=True)
    ]


def assemble(problems: Problems, fields: dict[str, object]) -> Order:
    """Return the order of fields that were all read; a problem noted on the way refuses it.

    Raises:
        InvalidOrder: names every field at fault, never its value.
    """
    problems.raise_any()
    try:
        return Order.model_validate(fields)
    except ValidationError as error:
        raise InvalidOrder(problems_of(error)) from None


def problems_of(error: ValidationError, prefix: str = "") -> list[tuple[str, str]]:
    """Return a model's errors as (dotted field, message), without any of the values."""
    return [
        (dotted(prefix, *found["loc"]) or "body", found["msg"].removeprefix("Value error, "))
        for found in error.errors(include_url=False, include_context=False, include_input=False)
    ][:100]


def dotted(prefix: str, *steps: int | str) -> str:
    """Return ``lines[3].sku`` for ``("lines", 3, "sku")``; odd names given by a sender are cut."""
    path = prefix
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            name = step if re.fullmatch(r"[\w-]{1,60}", step, re.ASCII) else "(a field)"
            path += f".{name}" if path else name
    return path


def tags_of(value: object) -> tuple[str, ...]:
    """Return tags from ``"a, b"`` or ``["a", "b"]``, at most 50 of 100 characters."""
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list):
        return ()
    stripped = [tag.strip()[:100] for tag in given if isinstance(tag, str)]
    return tuple(tag for tag in stripped if tag)[:50]


def attributes_of(named: Mapping[str, str]) -> dict[str, str]:
    """Return the first 50 non-empty attributes, which is what an order keeps of them."""
    return dict([(name, text) for name, text in named.items() if text][:50])


def country_code(*given: str) -> str:
    """Return the first two-letter code among ``given`` in capitals, ``""`` if there is none."""
    return next((c.upper() for c in given if re.fullmatch(r"[A-Za-z]{2}", c)), "")


def duplicates(names: Sequence[str]) -> list[int]:
    """Return the positions of names that stand earlier in the list already."""
    return [i for i, name in enumerate(names) if name in names[:i]]


def delivery_date_of(named: Mapping[str, str]) -> date | None:
    """Return the delivery day a checkout plugin wrote into a note, if it is an ISO date."""
    for name, value in named.items():
        if re.sub(r"[^a-z]+", "_", name.lower()).strip("_") in _DELIVERY_NAMES:
            try:
                return date.fromisoformat(value.strip().replace("/", "-")[:10])
            except ValueError:
                continue
    return None
