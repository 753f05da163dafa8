"""Planted bugs around stock, labels, mail, returns and the database."""

from typing import Any

import activities.effects
import activities.messages
import workflows.money
import workflows.returning
import workflows.state
import workflows.tracing
from activities.effects import Effects
from activities.messages import MessageActivities
from domain.errors import ProviderUnavailable
from domain.stock import StockAction
from domain.units import UnitState
from tests.simulation.mutants.planting import Mutant, mutant, plant
from workflows.contents import Contents
from workflows.desk import Desk
from workflows.parcel import Parcel
from workflows.placing import Placing
from workflows.returning import Returning
from workflows.state import OrderState

MUTANTS: list[Mutant] = []


@mutant(MUTANTS)
def stock_is_released_twice() -> None:
    def take_out(self: Contents, lines: Any, target: UnitState) -> None:
        self._state.stock(StockAction.RELEASE, self.shipment, lines)
        before(self, lines, target)

    before = plant(Contents, "_take_out", take_out)


@mutant(MUTANTS)
def stock_is_not_released() -> None:
    def stock_at(self: OrderState, action: StockAction, location: str, lines: Any) -> None:
        if action is not StockAction.RELEASE:
            before(self, action, location, lines)

    before = plant(OrderState, "stock_at", stock_at)


@mutant(MUTANTS)
def what_leaves_is_not_taken_off_the_shelf() -> None:
    def stock_at(self: OrderState, action: StockAction, location: str, lines: Any) -> None:
        if action is not StockAction.CONSUME:
            before(self, action, location, lines)

    before = plant(OrderState, "stock_at", stock_at)


@mutant(MUTANTS)
def a_kit_gives_back_one_part_only() -> None:
    def stock_at(self: OrderState, action: StockAction, location: str, lines: Any) -> None:
        kept = len(self.moves)
        before(self, action, location, lines)
        if action is StockAction.RELEASE and len(lines) == 1:
            del self.moves[kept + 1 :]

    before = plant(OrderState, "stock_at", stock_at)


@mutant(MUTANTS)
def a_reservation_that_ran_out_is_still_counted_on() -> None:
    plant(Placing, "reservation_lost", lambda self: None)


@mutant(MUTANTS)
def reservations_are_not_committed() -> None:
    def stock_at(self: OrderState, action: StockAction, location: str, lines: Any) -> None:
        if action is not StockAction.COMMIT:
            before(self, action, location, lines)

    before = plant(OrderState, "stock_at", stock_at)


@mutant(MUTANTS)
def units_may_come_back_twice() -> None:
    def returnable(lines: Any, returns: Any, unreturnable: Any = ()) -> dict[str, int]:
        return {one.line_id: one.units.ordered for one in lines}

    plant(workflows.returning, "returnable", returnable)


@mutant(MUTANTS)
def refunded_is_said_before_it_is_done() -> None:
    async def refund(self: Returning, return_id: str) -> None:
        one = self._state.returns[return_id]
        self._desk.tell("refunded", return_id, one.lines, 10**9)
        await before(self, return_id)

    before = plant(Returning, "_refund", refund)


@mutant(MUTANTS)
def shipped_is_said_when_the_label_is_bought() -> None:
    async def hand_over(self: Parcel) -> None:
        self._desk.tell("shipped", self.shipment_id, self.shipment.lines)
        await before(self)

    before = plant(Parcel, "hand_over", hand_over)


@mutant(MUTANTS)
def mail_is_sent_without_a_claim() -> None:
    def claimed(self: MessageActivities, step: Any) -> Any:
        stored = self._store.get(step.order_id)
        if stored is None:
            return None
        return self._composer.compose(step, stored, self._store.policy(stored.policy_version)[1])

    plant(MessageActivities, "_claimed", claimed)


@mutant(MUTANTS)
def mail_of_unknown_outcome_is_sent_again() -> None:
    async def sent(self: MessageActivities, step: Any, message: Any) -> str:
        outcome = await before(self, step, message)
        if outcome == "unknown":
            await self._settle(step, "not_sent")
            raise ProviderUnavailable("again")
        return str(outcome)

    before = plant(MessageActivities, "_sent", sent)


@mutant(MUTANTS)
def effects_have_no_intent() -> None:
    async def make(
        self: Effects, order_id: str, purpose: str, n: int, detail: Any, call: Any
    ) -> Any:
        from activities.errors import translated

        with translated():
            return await call(activities.effects.effect_key(order_id, purpose, n))

    plant(Effects, "make", make)


@mutant(MUTANTS)
def outcomes_are_not_concluded() -> None:
    async def make(
        self: Effects, order_id: str, purpose: str, n: int, detail: Any, call: Any
    ) -> Any:
        from activities.errors import translated

        key = activities.effects.effect_key(order_id, purpose, n)
        with translated():
            self._store.intend(order_id, key, purpose, detail)
            return await call(key)

    plant(Effects, "make", make)


@mutant(MUTANTS)
def the_last_picture_is_not_written() -> None:
    async def publish(self: Desk, alert: Any = None) -> None:
        if self.state.ended is None:
            await before(self, alert)

    before = plant(Desk, "publish", publish)


@mutant(MUTANTS)
def versions_do_not_rise() -> None:
    async def publish(self: Desk, alert: Any = None) -> None:
        self.state.version = min(self.state.version, 3)
        await before(self, alert)

    before = plant(Desk, "publish", publish)


@mutant(MUTANTS)
def a_label_is_bought_twice() -> None:
    async def label(self: Parcel) -> None:
        await before(self)
        await before(self)

    before = plant(Parcel, "label", label)
