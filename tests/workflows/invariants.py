"""What must be true after every workflow test, whatever it was about (INVARIANTS.md)."""

from collections import Counter

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from domain.ledger import due, refund_owed
from domain.order import Order, PaymentForm
from domain.progress import OrderProgress, OrderStatus, ShipmentStatus
from tests.workflows.world import Running, World

NEVER_LEFT = (OrderStatus.CANCELLED, OrderStatus.REJECTED)
ON_THE_ROAD = (
    ShipmentStatus.HANDED_OVER,
    ShipmentStatus.DELIVERED,
    ShipmentStatus.LOST,
    ShipmentStatus.RETURNED_TO_SENDER,
)


async def check(world: World) -> None:
    """Check every order that was started; one that still runs is ended afterwards."""
    for running in world.running:
        order = world.store.get(running.order_id).order  # type: ignore[union-attr]
        described = await running.handle.describe()
        open_still = described.status is WorkflowExecutionStatus.RUNNING
        await _no_programming_error(running)
        await _no_silent_timer(running)
        _money(world, order)
        _messages(world, running.order_id)
        assert world.store.verify_chain(running.order_id), "A1"
        if not open_still:
            progress = await running.progress()
            _quiet(world, order, progress)
        else:
            await running.handle.terminate("the test is over")
    if world.running:
        _stock(world)


async def _no_programming_error(running: Running) -> None:
    async for event in running.handle.fetch_history_events():
        failed = event.workflow_task_failed_event_attributes
        assert event.event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, failed


async def _no_silent_timer(running: Running) -> None:
    """What a timer changes leaves an event (D1): Temporal's core takes a task that left none
    together with the command that comes next to another worker, and apart when it replays."""
    fired = completed = 0
    async for event in running.handle.fetch_history_events():
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED:
                continue
            case EventType.EVENT_TYPE_TIMER_FIRED:
                fired = event.event_id
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED if fired:
                completed = event.event_id
                continue
            case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED if completed:
                raise AssertionError(f"D1: the timer of event {fired} left no trace")
        if completed:
            fired = completed = 0
    assert not completed, f"D1: the timer of event {fired} left no trace"


def _money(world: World, order: Order) -> None:
    ledger, order_id = world.payments.ledger, order.order_id
    taken = ledger.total("capture", order_id)
    assert taken <= ledger.total("authorise", order_id) + _storefront(order), "M1"
    assert taken <= order.totals.total, "M1"
    assert ledger.total("refund", order_id) + ledger.total("dispute", order_id) <= (
        taken + _storefront(order)
    ), "M2"
    keys = Counter((row.kind, row.key) for row in ledger.rows(order_id) if row.key)
    assert not [key for key, count in keys.items() if count > 1], "M3"


def _storefront(order: Order) -> int:
    """Return what the storefront's own payment may have brought in before it was adopted."""
    return order.totals.total if order.payment.reference else 0


def _messages(world: World, order_id: str) -> None:
    sent = Counter(mail.message_id for mail in world.mailer.sent)
    assert not [key for key, count in sent.items() if count > 1], "N1"


def _quiet(world: World, order: Order, progress: OrderProgress) -> None:
    order_id = order.order_id
    stored = world.store.get(order_id)
    assert stored is not None
    assert stored.progress == progress, "L6"
    ordered = {line.line_id: line.units.ordered for line in progress.lines}
    for line in order.lines:
        if line.line_id in ordered:
            assert ordered[line.line_id] == line.quantity, "units"
    assert not world.store.reserved(order_id), "S3"
    assert not [one for one in progress.shipments if one.label_id and _never_left(one)], "H1"
    money = progress.money
    live = [one for one in world.payments._of_order.get(order_id, ()) if one.capturable]
    assert not live, f"M5: still held: {live}"
    if progress.status in NEVER_LEFT:
        assert money.captured == money.refunded, "M5"
        assert all(_never_left(one) for one in progress.shipments), "L4"
        assert not world.carrier.live_labels(order_id), "H1"
    elif order.payment.form in (PaymentForm.METHOD, PaymentForm.CAPTURED):
        assert due(progress.lines) == 0, "M5"
    assert refund_owed(progress.lines, money.captured, money.refunded) == 0, "M5"


def _never_left(shipment: object) -> bool:
    return getattr(shipment, "status", None) not in ON_THE_ROAD


def _stock(world: World) -> None:
    open_now: Counter[tuple[str, str]] = Counter()
    for running in world.running:
        for one in world.store.reserved(running.order_id):
            open_now[one.sku, one.location] += one.quantity
    for sku in ("MUG", "TEE", "CAP"):
        for level in world.store.levels(sku):
            assert 0 <= level.reserved <= level.on_hand, "S1"
            assert level.reserved == open_now[sku, level.location], "S2"
