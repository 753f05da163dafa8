"""What carriers and payment providers send: scans and money news, signed.

Scans are rows; only milestones reach the order's process. A milestone is told before its rows are
written: when that fails the sender delivers again, and the process takes a repeat for what it is.
"""

import logging
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool

from api.deps import Deps, OrderNotRunning, World
from api.intake import delivery_of, hash_of
from api.problems import ask_again, not_found, refusals
from api.routes.webhooks import Receipt, unauthentic
from contracts.commands import Milestone, MilestoneKind
from domain.progress import MoneyStatus
from ports.carriers import Scan, TrackingState, TrackingUpdate
from ports.payments import PaymentEvent
from ports.storefronts import Unauthentic

log = logging.getLogger(__name__)

router = APIRouter(tags=["webhooks"], responses=refusals(401, 404, 413, 415, 503))

MILESTONES = {
    TrackingState.DELIVERED: MilestoneKind.DELIVERED,
    TrackingState.EXCEPTION: MilestoneKind.EXCEPTION,
    TrackingState.RETURNED_TO_SENDER: MilestoneKind.RETURNED_TO_SENDER,
    TrackingState.LOST: MilestoneKind.LOST,
}
MONEY_NEWS = {
    "disputed": MilestoneKind.DISPUTED,
    "authorised": MilestoneKind.ACTION_DONE,
}


@router.post(
    "/webhooks/carriers/{carrier}",
    status_code=202,
    operation_id="receive_carrier_event",
    summary="A carrier's scans",
)
async def receive_scans(
    carrier: Annotated[str, Path(max_length=40)], request: Request, deps: World
) -> Receipt:
    """Keep the scans of a parcel; any order and any repetition end in the same state."""
    hook = deps.carriers.get(carrier)
    if hook is None or not hook.secrets:
        raise not_found("carrier")
    body = await request.body()
    try:
        hook.carrier.verify(dict(request.headers), body, hook.secrets)
    except Unauthentic as error:
        raise unauthentic(error) from None
    update = hook.carrier.read(body)
    if update is None:
        return Receipt(status="ignored")
    order_id = await _pass_on(deps, update)
    await run_in_threadpool(
        deps.store.add_scans, update.carrier, update.tracking_number, update.scans
    )
    return Receipt(order_id=order_id, status="recorded")


async def _pass_on(deps: Deps, update: TrackingUpdate) -> str:
    """Tell the order about new milestones; returns its id, or nothing for a strange parcel."""
    owner = await run_in_threadpool(deps.store.subject_of, update.tracking_number)
    if owner is None:
        return ""
    order_id, subject = owner
    known = await run_in_threadpool(deps.store.scans, update.tracking_number)
    for scan in news(known, update.scans):
        milestone = Milestone(
            kind=MILESTONES[scan.state],
            subject=subject,
            at=scan.at,
            tracking_number=update.tracking_number,
            signed_by=scan.signed_by,
            detail=(scan.message or scan.code)[:500],
        )
        await _tell(deps, order_id, milestone)
    return order_id


def news(known: Sequence[Scan], sent: Sequence[Scan]) -> list[Scan]:
    """Return the scans that are milestones and new, oldest first.

    A trouble that a later scan has already left behind is no news.
    """
    seen = {(scan.code, scan.state, scan.at) for scan in known}
    moved_on = max(
        (s.at for s in (*known, *sent) if s.state is not TrackingState.EXCEPTION), default=None
    )
    return [
        scan
        for scan in sorted(sent, key=lambda one: one.at)
        if scan.state in MILESTONES
        and (scan.code, scan.state, scan.at) not in seen
        and not (scan.state is TrackingState.EXCEPTION and moved_on and scan.at < moved_on)
    ]


@router.post(
    "/webhooks/payments/{provider}",
    status_code=202,
    operation_id="receive_payment_event",
    summary="A payment provider's event",
)
async def receive_payment(
    provider: Annotated[str, Path(max_length=40)], request: Request, deps: World
) -> Receipt:
    """Act once on a dispute or on a finished card challenge; keep everything else."""
    hook = deps.payments.get(provider)
    if hook is None or not hook.secrets:
        raise not_found("provider")
    body, now = await request.body(), deps.now()
    try:
        hook.events.verify(dict(request.headers), body, hook.secrets)
    except Unauthentic as error:
        raise unauthentic(error) from None
    event = hook.events.read(body)
    inbox, fingerprint = f"payments-{provider}", hash_of(event.event_id.encode())
    seen = await run_in_threadpool(deps.store.begin, inbox, event.event_id, fingerprint, now)
    if seen and seen[0] == 0:
        raise ask_again(503, "in_progress", "This event is being worked on.", 5)
    if seen:
        return Receipt(status="repeat")
    try:
        receipt = await _act(deps, provider, event)
        delivery = delivery_of(
            inbox, event.event_id, event.kind, body, now, event.reference, receipt.status
        )
        await run_in_threadpool(deps.store.record, delivery)
    except BaseException:
        await run_in_threadpool(deps.store.forget, inbox, event.event_id)
        raise
    await run_in_threadpool(deps.store.finish, inbox, event.event_id, 202, "")
    return receipt


async def _act(deps: Deps, provider: str, event: PaymentEvent) -> Receipt:
    kind = MONEY_NEWS.get(event.kind)
    if kind is None:
        return Receipt(status="recorded")
    at = event.occurred_at or deps.now()
    order_id = await run_in_threadpool(deps.store.order_of_payment, event.reference)
    order_id = order_id or event.order_id
    if kind is MilestoneKind.DISPUTED and event.amount:
        text = f"{provider} payment {event.reference}: {event.amount} {event.currency} disputed"
        subject = order_id or event.reference
        await run_in_threadpool(deps.store.alert, "dispute", subject, text, at)
    if not order_id or await run_in_threadpool(deps.store.get, order_id) is None:
        return Receipt(status="unknown_order")
    if kind is MilestoneKind.ACTION_DONE and not await _waits_for_action(deps, order_id):
        return Receipt(order_id=order_id, status="recorded")
    milestone = Milestone(
        kind=kind, subject=event.reference, at=at, detail=event.event_id, amount=event.amount
    )
    await _tell(deps, order_id, milestone)
    return Receipt(order_id=order_id, status="recorded")


async def _waits_for_action(deps: Deps, order_id: str) -> bool:
    """Whether the order waits for the cardholder; our own authorisations are no news to it."""
    stored = await run_in_threadpool(deps.store.get, order_id)
    progress = stored.progress if stored else None
    return progress is not None and progress.money.status is MoneyStatus.ACTION_REQUIRED


async def _tell(deps: Deps, order_id: str, milestone: Milestone) -> None:
    """Tell an order; one that ended keeps only the row."""
    try:
        await deps.orders.milestone(order_id, milestone)
    except OrderNotRunning:
        log.info("order %s has ended; %s is kept as a row", order_id, milestone.kind)
