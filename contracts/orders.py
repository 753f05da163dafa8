"""The order workflow's input and result, and its fixed names."""

from domain.frozen import Wire

WORKFLOW = "Order"
ORDERS, PAYMENTS, CARRIERS, WAREHOUSES, MESSAGES = (
    "orders",
    "payments",
    "carriers",
    "warehouses",
    "messages",
)
"""Task queues; each may have its own workers and its own rate limit."""


def workflow_id(order_id: str) -> str:
    """Return the id of the one workflow an order has, for ever."""
    return f"order/{order_id}"


def order_of(workflow: str) -> str:
    """Return the order whose workflow has this id; empty when it is none of ours."""
    return workflow.removeprefix("order/") if workflow.startswith("order/") else ""


class OrderRef(Wire):
    """The workflow's input: the order stands in the database, personal data with it.

    ``cancel_reason`` is set when the storefront's cancel came before the order.
    """

    order_id: str
    cancel_reason: str | None = None


class OrderResult(Wire):
    """How an order ended; amounts in minor units."""

    order_id: str
    status: str
    captured: int = 0
    refunded: int = 0
