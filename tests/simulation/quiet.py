"""What must hold when an order has ended, against the books of everybody outside."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from domain.money import part
from domain.progress import LineProgress, OrderProgress, OrderStatus, ShipmentStatus
from domain.stock import MovementReason
from tests.simulation.broken import must
from tests.simulation.case import Case

if TYPE_CHECKING:
    from tests.simulation.shop import Shop

NEVER_LEFT = (OrderStatus.CANCELLED, OrderStatus.REJECTED)
LEFT = (
    ShipmentStatus.HANDED_OVER,
    ShipmentStatus.DELIVERED,
    ShipmentStatus.LOST,
    ShipmentStatus.RETURNED_TO_SENDER,
)


def check_quiet(shop: "Shop", case: Case, state: Any) -> None:
    """Check an order that has ended."""
    progress: OrderProgress = state.progress()
    stored = shop.store.get(case.order_id)
    same = stored is not None and stored.progress == progress
    shown = stored and stored.progress
    must(same, "L6", case.order_id, "database", shown, "order", progress)
    must(not state.moves and not state.events, "L6", case.order_id, "something was not written")
    must(not shop.store.reserved(case.order_id), "S3", case.order_id, "stock is still reserved")
    _units(case, progress)
    _shelf(shop, case, state)
    _labels(shop, case, progress)
    _money(shop, case, progress, state)
    must(shop.store.verify_chain(case.order_id), "A1", case.order_id, "the audit chain is broken")
    _audit(shop, case)


def _units(case: Case, progress: OrderProgress) -> None:
    for line in progress.lines:
        left = case.promised_off[line.line_id] <= line.units.cancelled
        must(left, "L4", case.order_id, line, case.promised_off, "were answered as cancelled")
        must(line.units.live == 0, "L1", case.order_id, "ended with live units:", line)
    if case.wholly_off:
        text = f"answered as cancelled, ended {progress.status}"
        must(progress.status in NEVER_LEFT, "L4", case.order_id, text)


def _shelf(shop: "Shop", case: Case, state: Any) -> None:
    """What left the shelves is what was handed over (S2)."""
    left: Counter[str] = Counter()
    for one in state.shipments.values():
        for line in one.lines if one.handed_over_at else ():
            for sku, each in state.line_facts[line.line_id].components:
                left[sku] += each * line.quantity
    booked: Counter[str] = Counter()
    for row in shop.store.books.movements(case.order_id):
        if row["reason"] == MovementReason.SHIPPED.value:
            booked[row["sku"]] += row["units"]
    must(+left == +booked, "S2", case.order_id, "handed over", left, "booked", booked)


def _labels(shop: "Shop", case: Case, progress: OrderProgress) -> None:
    used = {one.label_id for one in progress.shipments if one.status in LEFT}
    used |= {one.label_id for one in progress.returns}
    kept = [one for one in shop.carrier.live_labels(case.order_id) if one.label_id not in used]
    told = shop.alerts(case) if kept else set()
    must(
        not kept or "label_not_voided" in told,
        "H1",
        case.order_id,
        f"labels bought and neither used nor voided: {kept}",
    )


def _money(shop: "Shop", case: Case, progress: OrderProgress, state: Any) -> None:
    payments = shop.payments.payments_of(case.order_id)
    live = [one for one in payments if one.capturable and one.expires_at > shop.agenda.now()]
    must(not live, "M5", case.order_id, f"still held: {live}")
    captured = sum(one.captured for one in payments)
    refunded = sum(one.refunded for one in payments)
    disputed = sum(one.charged_back for one in payments)
    must(
        not shop.bank_knows(case)
        or (captured, refunded) == (progress.money.captured, progress.money.refunded),
        "L6", case.order_id, "bank", captured, refunded, "order", progress.money,
    )  # fmt: skip
    if not shop.bank_knows(case) or "unpaid" in shop.alerts(case):
        return
    if progress.status in NEVER_LEFT:
        back = refunded + disputed
        must(captured <= back, "M5", case.order_id, f"cancelled, {captured} taken, {back} back")
    if disputed:
        return
    least = sum(_worth(line, line.collect) for line in progress.lines)
    kept = sum(_shipping_kept(shop, state, line) for line in progress.lines)
    claims = any(one.status in LEFT[2:] for one in progress.shipments)
    most = least + kept
    if kept and not claims:
        least = most - 3 * len(progress.returns)  # each return rounds its shipping down
    net = captured - refunded
    must(least <= net <= most, "M5", case.order_id, f"kept {net}, owed {least} to {most}")


def _worth(line: LineProgress, collect: int) -> int:
    """What the units are worth that the customer keeps: unit values are fixed by their number."""
    quantity = line.units.ordered - line.before
    if not quantity:
        return 0
    standing = line.units.ordered - line.units.cancelled
    paid = part(collect, quantity, 0, standing)
    return paid - part(collect, quantity, 0, line.units.returned)


def _shipping_kept(shop: "Shop", state: Any, line: LineProgress) -> int:
    """What of returned units is kept by the shop's rules: their shipping."""
    quantity = line.units.ordered - line.before
    if shop.policy.returns.refund_shipping or not line.units.returned or line.total <= 0:
        return 0
    shipping = state.line_facts[line.line_id].shipping
    return part(shipping, quantity, 0, line.units.returned) * line.collect // line.total


def _audit(shop: "Shop", case: Case) -> None:
    """Each row of the providers under a key of ours has its intent, and what came of it."""
    effects = shop.store.effects(case.order_id)
    known = {row["key"] for row in effects}
    for ledger in (shop.payments.ledger, shop.carrier.ledger):
        for row in ledger.rows(case.order_id):
            if row.key:
                must(row.key in known, "A1", case.order_id, f"{row.kind} {row.key} has no intent")
