"""Faults that the simulator found, each as a small scene of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from contracts.commands import AddedLine, Cancel, ChangeLines
from contracts.orders import OrderRef
from domain.progress import ShipmentStatus
from domain.stock import MovementReason, ReservationState
from ports.stores import Delivery
from tests.simulation.case import Case
from tests.simulation.luck import Weather
from tests.simulation.shop import Shop
from tests.simulation.steps import without_threads
from tests.simulation.updates import Answer
from tests.workflows.orders import order
from workflows.order import Order


class Scene:
    """One order in a shop where nothing goes wrong by itself."""

    def __init__(self, batch: bool = True) -> None:
        self.shop = Shop("a scene", 0, Order)
        self.shop.luck.storm, self.shop.luck.weather = False, Weather()
        now = self.shop.agenda.now()
        receive, reason = self.shop.store.receive, MovementReason.RECEIPT
        receive("MUG", "east", 9, reason=reason, key="scene", actor="test")
        placed = order(("MUG", 2), external_id="scene", placed_at=now)
        delivery = Delivery(
            channel="shop", delivery_id="1", topic="create", external_id="scene", body_hash="",
            received_at=now,
        )  # fmt: skip
        self.shop.store.accept(delivery, placed)
        self.case = self.shop.cases[placed.order_id] = Case(placed)
        self.shop.start(self.case, OrderRef(order_id=placed.order_id))
        self.case.execution.batch = batch
        self.answers: dict[str, Answer] = {}

    @property
    def state(self) -> Any:
        """What the order holds in memory."""
        instance = self.case.execution.instance
        return instance.order.state if instance and instance.order else None

    def until(self, reached: Callable[[], bool]) -> None:
        """Let time pass."""
        while not reached():
            assert self.shop.agenda.step(), "nothing happens any more"

    def ask(self, command: str, ask: Any) -> None:
        """Send a command and keep its answer."""
        keep = self.answers.__setitem__
        self.shop.ask(self.case, command, ask, command, lambda answer: keep(command, answer))

    def end(self) -> Any:
        """Let the order end; returns its result."""
        self.until(lambda: bool(self.case.execution.ended))
        return self.case.execution.result

    def at(self, status: ShipmentStatus) -> Callable[[], bool]:
        """Whether the first parcel has come so far."""
        name = f"{self.case.order_id}-s1"
        return lambda: bool(
            self.state and name in self.state.shipments
            and self.state.shipments[name].status is status
            and not self.state.moves and self.case.execution.task is None
        )  # fmt: skip


@pytest.fixture(autouse=True)
def at_once() -> Any:
    """Run activities without threads."""
    with without_threads():
        yield


def test_an_operators_stop_lets_the_money_go_whatever_the_sdk_does_with_a_batch_of_jobs() -> None:
    scene = Scene(batch=True)
    scene.until(scene.at(ShipmentStatus.RELEASED))
    scene.case.execution.stop()
    assert scene.end()["status"] == "cancelled"
    payments = scene.shop.payments.payments_of(scene.case.order_id)
    assert [one.capturable for one in payments] == [0]
    assert scene.shop.store.reserved(scene.case.order_id) == []


def test_what_a_warehouse_was_given_stays_reserved_for_as_long_as_it_takes() -> None:
    scene = Scene()
    scene.until(scene.at(ShipmentStatus.RELEASED))
    rows = list(scene.shop.store.books.reservations(scene.case.order_id))
    assert {row["state"] for row in rows} == {ReservationState.COMMITTED}


def test_a_line_added_while_the_rest_is_cancelled_is_refused() -> None:
    scene = Scene()
    scene.until(lambda: bool(scene.state and scene.state.grace_until))
    added = AddedLine(line_id="x", sku="TEE", quantity=1, unit_price=700)
    scene.ask("change_lines", ChangeLines(actor="customer", add=(added,)))
    scene.ask("cancel", Cancel(actor="customer"))
    assert scene.end()["status"] == "cancelled"
    assert scene.answers["change_lines"].code == "too_late"
