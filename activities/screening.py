"""Turns a stored order and its policy into the facts the workflow decides on. Pure."""

from collections.abc import Mapping
from datetime import datetime

from contracts.steps import LineFacts, PaymentFacts, Screened, Terms
from domain.calendar import release_date
from domain.order import OrderLine
from domain.policy import CaptureMoment, Policy
from domain.shares import LineShare, freeze
from domain.stock import Product
from domain.wants import parts_of
from ports.stores import StoredOrder

VIP_PRIORITY, NORMAL_PRIORITY = 50, 100


def facts_of(
    stored: StoredOrder, policy: Policy, products: Mapping[str, Product], now: datetime
) -> Screened:
    """Return the order's facts: frozen values, payment form, terms, dates. Nothing personal."""
    order = stored.order
    shares = {share.line_id: share for share in freeze(order)}
    method = policy.shipping_method(order.shipping.code, order.shipping.title)
    days = method.days if method else 5
    return Screened(
        currency=order.currency,
        placed_at=order.placed_at,
        channel=order.channel,
        priority=VIP_PRIORITY if order.customer.tier else NORMAL_PRIORITY,
        lines=tuple(
            _line(line, shares[line.line_id], products.get(line.sku), now)
            for line in order.lines
            if line.line_id in shares
        ),
        payment=PaymentFacts(
            form=order.payment.form,
            provider=order.payment.provider,
            reference=order.payment.reference,
            amount=order.payment.amount,
        ),
        terms=_terms(stored, policy, days, method.service if method else ""),
        release_on=release_date(order.deliver_on, days, policy.routing.handling_days),
        vendor=policy.grading.vendor,
    )


def _line(line: OrderLine, share: LineShare, product: Product | None, now: datetime) -> LineFacts:
    parts = line.components or (product.components if product else ())
    launch = product.launch_on if product else None
    return LineFacts(
        line_id=line.line_id,
        sku=line.sku,
        quantity=share.quantity,
        before=line.already_cancelled,
        total=share.total,
        collect=share.collect,
        shipping=share.shipping,
        parcel=line.requires_shipping,
        returnable=product.returnable if product else True,
        waits_until=launch if launch and launch > now.date() else None,
        components=parts_of(line.sku, parts),
    )


def _terms(stored: StoredOrder, policy: Policy, days: int, service: str) -> Terms:
    order = stored.order
    return Terms(
        policy_version=stored.policy_version,
        grace=policy.grace_seconds(order.channel, order.customer.tier),
        review_sla=policy.grading.review_sla,
        review_expiry=policy.grading.review_expiry,
        hold_deadline=policy.validation.hold_deadline,
        action_deadline=policy.payment.action_deadline,
        expiry_margin=policy.payment.expiry_margin,
        reverse_after=policy.payment.reverse_after,
        capture_at_order=policy.payment.capture is CaptureMoment.ORDER,
        backorder_deadline=policy.routing.backorder_deadline,
        return_window=policy.returns.window,
        ship_back=policy.returns.ship_back,
        inspect_within=policy.returns.inspect_within,
        refund_shipping=policy.returns.refund_shipping,
        return_label=policy.returns.label,
        return_location=policy.returns.location,
        automatic_returns=policy.returns.automatic,
        lost_parcel=policy.returns.lost_parcel,
        resolutions=policy.returns.resolutions,
        days=days,
        transit_days=days + policy.routing.handling_days,
        service=service,
        clocks=policy.clocks,
    )
