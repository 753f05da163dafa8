"""Whatever happens in whatever order, S1 to S4 hold (a hypothesis state machine)."""

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from domain.errors import DomainError
from domain.stock import MovementReason, StockAction
from tests.store.shop import (
    NOON,
    AnyStore,
    accept,
    allocation,
    audit,
    move,
    open_any,
    progress,
    stocked,
)

ORDERS = ("1", "2", "3")
PLACES = ("A", "B")
order_ids, places = st.sampled_from(ORDERS), st.sampled_from(PLACES)
units = st.integers(1, 6)
STOCK_INVARIANTS = {"S1", "S2", "S3", "S4"}


class StockMachine(RuleBasedStateMachine):
    """Orders reserve, release, ship and return; the dock receives; clocks run out."""

    fresh_store: Callable[[], AnyStore]

    def __init__(self) -> None:
        super().__init__()
        self.store = type(self).fresh_store()
        self.numbers = itertools.count(1)
        self.on_hand = dict.fromkeys(PLACES, 10)
        stocked(self.store, 10, *PLACES)
        for external_id in ORDERS:
            accept(self.store, external_id)

    def teardown(self) -> None:
        self.store.close()

    def holds(self, external_id: str, place: str) -> int:
        """What an order holds at a place."""
        held = self.store.reserved(f"shop-{external_id}")
        return sum(a.quantity for a in held if a.location == place)

    def shelf(self, place: str) -> tuple[int, int]:
        level = next(level for level in self.store.levels("MUG") if level.location == place)
        return level.on_hand, level.reserved

    @rule(who=order_ids, place=places, quantity=units, timed=st.booleans(), again=st.booleans())
    def reserve(self, who: str, place: str, quantity: int, timed: bool, again: bool) -> None:
        on_hand, reserved = self.shelf(place)
        held = self.holds(who, place)
        wanted = [allocation(quantity, next(self.numbers), place=place)]
        until = NOON if timed else None
        short = self.store.reserve(f"shop-{who}", wanted, until)
        if again and not short:
            self.store.reserve(f"shop-{who}", wanted, until)
        enough = on_hand - reserved >= quantity
        assert bool(short) is not enough
        assert self.holds(who, place) == held + (quantity if enough else 0)

    @rule(
        who=order_ids,
        place=places,
        quantity=units,
        action=st.sampled_from(StockAction),
        repeats=st.integers(1, 2),
    )
    def ask(self, who: str, place: str, quantity: int, action: StockAction, repeats: int) -> None:
        on_hand, reserved = self.shelf(place)
        held = self.holds(who, place)
        moves = [move(action, quantity, f"m-{next(self.numbers)}", place)]
        for _ in range(repeats):
            self.store.project(progress(1, external_id=who), (), moves)
        taken = min(held, quantity)
        if action is StockAction.CONSUME:
            extra = quantity - taken
            free = on_hand - reserved >= extra
            self.on_hand[place] -= taken + (extra if free else 0)
        elif action is StockAction.RESTOCK:
            self.on_hand[place] += quantity
        if action in (StockAction.RELEASE, StockAction.CONSUME):
            assert self.holds(who, place) == held - taken
        else:
            assert self.holds(who, place) == held

    @rule(place=places, quantity=st.integers(-8, 8).filter(bool), repeats=st.integers(1, 2))
    def receive(self, place: str, quantity: int, repeats: int) -> None:
        on_hand, reserved = self.shelf(place)
        reason = MovementReason.RECEIPT if quantity > 0 else MovementReason.ADJUSTED
        key = f"in-{next(self.numbers)}"
        try:
            for _ in range(repeats):
                self.store.receive("MUG", place, quantity, reason=reason, key=key, actor="dock")
            self.on_hand[place] += quantity
        except DomainError as refusal:
            assert refusal.code == "below_reserved"  # noqa: PT017
            assert on_hand + quantity < reserved

    @rule()
    def expire(self) -> None:
        self.store.expire(NOON + timedelta(seconds=1))

    @rule(who=order_ids)
    def end(self, who: str) -> None:
        """Give all back, as an order that ends does; asked twice, it changes nothing more."""
        for n in range(2):
            moves = [
                move(StockAction.RELEASE, a.quantity, f"end-{next(self.numbers)}-{n}", a.location)
                for a in self.store.reserved(f"shop-{who}")
            ]
            self.store.project(progress(1, external_id=who), (), moves)
        assert self.store.reserved(f"shop-{who}") == []

    @invariant()
    def promises_hold(self) -> None:
        found = audit(self.store, NOON)
        assert [v for v in found if v.invariant in STOCK_INVARIANTS] == []
        for place in PLACES:
            assert self.shelf(place)[0] == self.on_hand[place]


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "memory"])
def test_stock_promises_hold_in_any_order(kind: str, fresh_url: Callable[[str], str]) -> None:
    class Machine(StockMachine):
        fresh_store = staticmethod(lambda: open_any(kind, fresh_url))

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=10 if kind == "postgres" else 30,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
