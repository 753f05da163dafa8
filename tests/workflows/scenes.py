"""Short words for what workflow tests set up and look at."""

from collections import Counter
from typing import Any

from contracts.commands import MilestoneKind
from contracts.orders import OrderResult
from domain.holds import HoldKind
from domain.money import Money
from domain.policy import Policy
from domain.progress import LineUnits, OrderProgress
from domain.stock import Product
from tests.workflows.world import Running, World


def prompt(**more: Any) -> Policy:
    """Return a policy without a grace period."""
    return Policy(grace=(), **more)


def units(line_id: str, quantity: int) -> LineUnits:
    """Return some units of a line."""
    return LineUnits(line_id=line_id, quantity=quantity)


def shelve(world: World, sku: str, east: int = 0, west: int = 0, **product: Any) -> str:
    """Add a product that stands on these shelves."""
    world.store.save_product(Product(sku=sku, title=sku.title(), grams=300, **product))
    for location, quantity in (("east", east), ("west", west)):
        if quantity:
            world.stock(sku, location, quantity)
    return sku


def shelf(world: World, sku: str, location: str) -> tuple[int, int]:
    """Return (on hand, reserved) of a SKU at a location."""
    level = next(one for one in world.store.levels(sku) if one.location == location)
    return level.on_hand, level.reserved


def mails(running: Running) -> Counter[str]:
    """Return how often each message was sent for an order."""
    rows = running.world.store.messages(running.order_id)
    return Counter(row["template"] for row in rows if row["outcome"] == "sent")


def alerts(running: Running, kind: str) -> int:
    """Return how often the operators were told something about an order."""
    return sum(
        int(row["count"])
        for row in running.world.store.alerts()
        if row["kind"] == kind and row["subject"] == running.order_id
    )


def kinds(running: Running) -> list[str]:
    """Return the kinds of an order's history."""
    return [event.kind for event in running.world.store.timeline(running.order_id)]


def parcel(progress: OrderProgress, n: int) -> str:
    """Return the status of an order's n-th parcel, empty when there is none."""
    name = f"{progress.order_id}-s{n}"
    return next((one.status.value for one in progress.shipments if one.shipment_id == name), "")


def held(progress: OrderProgress, kind: HoldKind) -> bool:
    """Whether an order has a hold of a kind."""
    return any(hold.kind is kind for hold in progress.holds)


async def at(running: Running, n: int, status: str) -> OrderProgress:
    """Wait until a parcel has come so far."""
    return await running.until(lambda p: parcel(p, n) == status)


async def on_hold(running: Running, kind: HoldKind) -> OrderProgress:
    """Wait until an order is held, and the database knows it."""

    def known() -> bool:
        stored = running.world.store.get(running.order_id)
        return bool(stored and stored.progress and held(stored.progress, kind))

    return await running.until(lambda p: held(p, kind) and known())


async def short_pick(running: Running, n: int, *found: LineUnits) -> None:
    """Let a warehouse find only some units of a parcel."""
    await running.tell(MilestoneKind.SHORT_PICKED, f"{running.order_id}-s{n}", lines=found)


async def delivered(world: World, *lines: tuple[str, int], **more: Any) -> Running:
    """Start an order and bring it to the customer; its clock stands still then."""
    from tests.workflows.world import order

    running = await world.start(order(*lines, **more), still=True)
    await running.deliver()
    await at(running, 1, "delivered")
    return running


async def ended(running: Running) -> OrderResult:
    """Let an order's time pass until it ends."""
    await running.skip()
    return await running.result()


def paid_in(
    world: World, amount: int = 2500, *, captured: bool = False, several: bool = False
) -> str:
    """Let a storefront take a payment, to be adopted; return its reference."""
    money = Money(amount=amount, currency="USD")
    return world.payments.placed_by_storefront(money, captured=captured, several=several)


def sums(world: World, running: Running) -> tuple[int, int, int, int]:
    """Return what was authorised, captured, voided and refunded at the provider."""
    kinds = ("authorise", "capture", "void", "refund")
    ledger = world.payments.ledger
    return tuple(ledger.total(kind, running.order_id) for kind in kinds)  # type: ignore[return-value]


async def over(running: Running) -> str:
    """Let all waiting pass and return how the order ended."""
    await running.skip()
    return str((await running.result()).status)
