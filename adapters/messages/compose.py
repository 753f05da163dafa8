"""Writes the mail that a step asks for, from the order as it stands in the database."""

from collections.abc import Callable
from datetime import datetime, timedelta

from adapters.messages.facts import LineFact, MessageFacts, TrackingFact
from adapters.messages.render import render
from adapters.security.links import Links, Purpose
from contracts.steps import MessageStep
from domain.money import Money
from domain.order import Order
from domain.policy import Policy
from domain.progress import LineUnits, OrderProgress
from ports.messages import Message
from ports.stores import StoredOrder

LINK_LIFE = timedelta(days=120)
ACTIONS = {"payment_failed": "payment", "on_hold_action": "address"}


class MailComposer:
    """A ``ports.messages.Composer``.

    Args:
        public_url: where customers reach the API; the page is ``{public_url}/o/{token}``.
    """

    def __init__(self, links: Links, public_url: str, now: Callable[[], datetime]) -> None:
        self._links = links
        self._public_url = public_url.rstrip("/")
        self._now = now

    def compose(self, step: MessageStep, stored: StoredOrder, policy: Policy) -> Message | None:
        """Return the mail, None when the customer left no address to write to."""
        order = stored.order
        if not order.customer.email:
            return None
        page = self._page(order.order_id)
        facts = MessageFacts(
            order_number=order.number or order.external_id,
            shop_name=policy.messages.shop_name,
            support=policy.messages.support,
            customer_name=order.customer.name,
            locale=order.customer.locale or "en",
            order_url=page,
            lines=_lines(order, step.lines),
            total=Money(amount=order.totals.total, currency=order.currency),
            amount=_amount(step, order),
            tracking=_tracking(step, stored.progress),
            action=ACTIONS.get(step.template, ""),
            action_url=page if step.template in ACTIONS else "",
            deadline=None if step.template == "delay" else step.deadline,
            expected_on=step.deadline.date()
            if step.template == "delay" and step.deadline
            else None,
            label_url=page if step.template == "return_authorised" else "",
            reason=step.reason[:300],
            whole=_is_whole(order, step.lines),
            replacement=step.template == "claim_lost" and step.amount is None,
        )
        message = render(step.template, facts, order.customer.email)
        return message.model_copy(
            update={"message_id": f"{step.order_id}.{step.template}.{step.n}"}
        )

    def _page(self, order_id: str) -> str:
        token = self._links.issue(order_id, Purpose.VIEW, self._now() + LINK_LIFE)
        return f"{self._public_url}/o/{token}"


def _lines(order: Order, lines: tuple[LineUnits, ...]) -> tuple[LineFact, ...]:
    wanted = {line.line_id: line.quantity for line in lines}
    return tuple(
        LineFact(
            title=line.title or line.sku,
            sku=line.sku,
            quantity=wanted.get(line.line_id, line.quantity),
        )
        for line in order.lines
        if (not wanted and line.quantity > 0) or line.line_id in wanted
    )


def _amount(step: MessageStep, order: Order) -> Money | None:
    return None if step.amount is None else Money(amount=step.amount, currency=order.currency)


def _tracking(step: MessageStep, progress: OrderProgress | None) -> tuple[TrackingFact, ...]:
    if progress is None:
        return ()
    return tuple(
        TrackingFact(carrier=one.carrier, number=one.tracking_number, url=one.tracking_url)
        for one in progress.shipments
        if one.tracking_number and one.shipment_id == step.subject
    )


def _is_whole(order: Order, lines: tuple[LineUnits, ...]) -> bool:
    return not lines or sum(line.quantity for line in lines) >= sum(
        line.quantity for line in order.lines
    )
