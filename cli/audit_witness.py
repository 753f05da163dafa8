"""Our books against what really happened outside, order by order (INVARIANTS M, H, N1, L6).

Pure: takes both sides of one order, returns what does not agree. An order is quiet when it has
ended; some promises are only kept then.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.audit_books import LETS_GO, Books, Json, Outside, Violation, by_intent
from domain.ledger import due, refund_owed
from domain.progress import OrderStatus

ONCE = ("authorise", "capture", "refund")
GONE_BACK = ("submitted", "refunded")
FOR_NOTHING = frozenset({OrderStatus.CANCELLED, OrderStatus.REJECTED})


def compare(books: Books, outside: Outside) -> list[Violation]:
    """Return every promise about one order that the witness contradicts."""
    found = [*_money(books, outside), *_parcels(books, outside), *_messages(books, outside)]
    if books.quiet and books.by_provider:
        found += _quiet_money(books, outside)
    return [Violation(promise=p, order_id=books.order_id, text=text) for p, text in found]


def row_of(books: Books, outside: Outside, violations: Sequence[Violation]) -> Json:
    """Return one order's line of the audit's table."""
    progress = books.progress
    return {
        "order": books.order_id,
        "status": progress.status.value if progress else "received",
        "total": books.stored.order.totals.total,
        "authorised": outside.total("authorise"),
        "captured": outside.total("capture"),
        "refunded": outside.refunded,
        "held": outside.held,
        "parcels": sum(1 for row in outside.parcels if row["handed_over_at"] is not None),
        "mails": len(outside.mails),
        "violations": sorted({violation.promise for violation in violations}),
    }


def strangers(all_books: Sequence[Books], statement: Mapping[str, Any]) -> list[Violation]:
    """Return effects outside that name an order which the database does not have."""
    known = {books.order_id for books in all_books}
    named = {str(row["order_id"]) for row in statement["payments"]} - {""}
    return [
        Violation(promise="A1", order_id=order_id, text="the provider has payments, we no order")
        for order_id in sorted(named - known)
    ]


def _money(books: Books, outside: Outside) -> Iterator[tuple[str, str]]:
    total = books.stored.order.totals.total
    captured = outside.total("capture")
    if captured > total:
        yield "M1", f"captured {captured}, the order's total is {total}"
    for intent, rows in by_intent(outside.payments).items():
        yield from _money_of_intent(intent, rows)
    keys = Counter(
        (row["kind"], row["idempotency_key"])
        for row in outside.payments
        if row["kind"] in ONCE and row["idempotency_key"]
    )
    for (kind, key), times in keys.items():
        if times > 1:
            yield "M3", f"{times} times {kind} under the key {key}"
    yield from _accounted_for(books, outside)


def _money_of_intent(intent: str, rows: Sequence[Json]) -> Iterator[tuple[str, str]]:
    held = captured = back = 0
    for row in rows:
        kind, amount = row["kind"], row["amount"]
        if kind == "authorise":
            held += amount
        elif kind == "capture":
            if amount > held:
                yield "M1", f"{intent}: captured {amount} of {held} that was held"
            held, captured = held - amount, captured + amount
        elif kind in LETS_GO:
            held = 0
        elif kind in ("refund", "dispute"):
            back += amount
            if back > captured:
                yield "M2", f"{intent}: {back} given back of {captured} captured"


def _accounted_for(books: Books, outside: Outside) -> Iterator[tuple[str, str]]:
    """A1: what we wrote down and what the provider has are the same effects."""
    intended = {row["key"] for row in books.effects}
    done = {
        row["key"]
        for row in books.effects
        if row["kind"] in ("capture", "refund") and row["phase"] == "done"
    }
    ours = f"{books.order_id}:"
    seen = {
        row["idempotency_key"]
        for row in outside.payments
        if str(row["idempotency_key"] or "").startswith(ours)
    }
    for key in sorted(seen - intended):
        yield "A1", f"the provider has {key}, our audit has no intent for it"
    for key in sorted(done - seen):
        yield "A1", f"our audit says {key} was done, the provider has no such effect"


def _quiet_money(books: Books, outside: Outside) -> Iterator[tuple[str, str]]:
    progress = books.progress
    assert progress is not None
    captured, back, held = outside.total("capture"), outside.refunded, outside.held
    if held:
        yield "M5", f"ended {progress.status} with {held} still authorised"
    if progress.status in FOR_NOTHING and captured != back:
        yield "M5", f"{progress.status}, but {captured} captured and {back} given back"
    money = progress.money
    if (money.captured, money.refunded) != (captured, back):
        yield (
            "L6",
            f"we say captured {money.captured}, refunded {money.refunded};"
            f" the provider says {captured} and {back}",
        )
    if progress.status is not OrderStatus.COMPLETED:
        return
    unpaid, owed = due(progress.lines), refund_owed(progress.lines, captured, back)
    if unpaid:
        yield "M5", f"completed, and {unpaid} was never captured"
    if owed:
        yield "M5", f"completed, and {owed} was never given back"


def _parcels(books: Books, outside: Outside) -> Iterator[tuple[str, str]]:
    progress = books.progress
    outgoing = [row for row in outside.parcels if not row["is_return"]]
    for reference, times in Counter(row["reference"] for row in outgoing).items():
        if times > 1:
            yield "H2", f"{times} labels bought for {reference}"
    if progress is None:
        return
    ours = {one.tracking_number for one in progress.shipments}
    for row in outgoing:
        number, gone = row["tracking_number"], row["handed_over_at"] is not None
        if gone and number not in ours and books.quiet:
            yield "H2", f"parcel {number} was handed over and belongs to no shipment"
        if progress.status in FOR_NOTHING and gone:
            yield "H1", f"{progress.status}, but parcel {number} was handed over"
        elif progress.status in FOR_NOTHING and row["refund_status"] not in GONE_BACK:
            yield "H1", f"{progress.status}, but the label {number} was not voided"
    arrived = {row["tracking_number"] for row in outgoing if row["delivered_at"] is not None}
    for shipment in progress.shipments:
        if shipment.delivered_at and shipment.tracking_number not in arrived:
            yield "N2", f"{shipment.shipment_id} is said to be delivered; the carrier denies it"
    sent = [one for one in progress.shipments if one.label_id]
    without_parcel = any(not line.parcel for line in progress.lines)
    if any(one.value for one in progress.shipments) and not sent and not without_parcel:
        yield "M4", "captured for shipments that have no label"


def _messages(books: Books, outside: Outside) -> Iterator[tuple[str, str]]:
    sent = sum(1 for row in books.messages if row["outcome"] == "sent")
    claimed = len(books.messages)
    if len(outside.mails) > claimed:
        yield "N1", f"{len(outside.mails)} mails arrived, {claimed} were meant"
    if len(outside.mails) < sent:
        yield "N1", f"{sent} mails were sent, {len(outside.mails)} arrived"
