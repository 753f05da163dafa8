"""Validation: every offending field of an order at once (C9-C11). Pure.

A problem never kills an order that a storefront has taken: it becomes a ``data`` or ``address``
hold that says what to mend.
"""

from collections.abc import Collection, Mapping

from domain.order import Order, OrderLine, PaymentForm
from domain.policy import Policy
from domain.stock import Product

Problem = tuple[str, str]


def problems_of(
    order: Order,
    policy: Policy,
    products: Mapping[str, Product],
    duplicates: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Return every (field, message) that keeps an order from being processed.

    Args:
        products: the known products among the order's SKUs and their components.
        duplicates: order ids of probable duplicates.
    """
    found: list[Problem] = []
    for i, line in enumerate(order.lines):
        found += [(f"lines[{i}].{field}", text) for field, text in _line(line, policy, products)]
    if not any(line.quantity > line.already_cancelled for line in order.lines):
        found.append(("lines", "nothing is left to send"))
    allowed = policy.validation.currencies
    if allowed and order.currency not in allowed:
        found.append(("currency", f"{order.currency} is not accepted here"))
    if order.totals.total < 0:
        found.append(("totals.total", "is negative"))
    if any(line.requires_shipping for line in order.lines):
        found += _shipping(order, policy)
    found += _payment(order, policy)
    if duplicates:
        found.append(("order", f"looks like a duplicate of {', '.join(sorted(duplicates))}"))
    return tuple(found)


def _line(line: OrderLine, policy: Policy, products: Mapping[str, Product]) -> list[Problem]:
    found: list[Problem] = []
    if line.quantity > policy.validation.max_quantity:
        found.append(("quantity", f"{line.quantity} is over {policy.validation.max_quantity}"))
    if line.quantity < 0:
        found.append(("quantity", "is negative"))
    if not line.requires_shipping or line.quantity == 0:
        return found
    if not line.sku:
        found.append(("sku", "is missing"))
        return found
    product = products.get(line.sku)
    if product is None:
        found.append(("sku", f"{line.sku} is unknown"))
        return found
    if not product.active:
        found.append(("sku", f"{line.sku} is no longer sold"))
    for part in line.components or product.components:
        if part.sku not in products:
            found.append(("components", f"{part.sku} is unknown"))
    return found


def _shipping(order: Order, policy: Policy) -> list[Problem]:
    found: list[Problem] = []
    if order.ship_to is None:
        found.append(("ship_to", "is missing"))
    method = policy.shipping_method(order.shipping.code, order.shipping.title)
    if method is None:
        name = order.shipping.code or order.shipping.title or "(none)"
        found.append(("shipping.code", f"{name} is no shipping method here"))
    elif method.countries and order.ship_to and order.ship_to.country not in method.countries:
        found.append(("shipping.code", f"{method.code} does not go to {order.ship_to.country}"))
    return found


def _payment(order: Order, policy: Policy) -> list[Problem]:
    payment = order.payment
    if payment.form is PaymentForm.COD and not policy.payment.accept_cod:
        return [("payment.form", "cash on delivery is not accepted")]
    if payment.form is PaymentForm.ELSEWHERE and not policy.payment.accept_elsewhere:
        return [("payment.form", "payment outside the known providers is not accepted")]
    return []


ADDRESS_FIELDS = "ship_to"


def is_address(field: str) -> bool:
    """Return whether a problem is one that a corrected address mends."""
    return field == ADDRESS_FIELDS or field.startswith(ADDRESS_FIELDS + ".")
