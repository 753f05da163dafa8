"""Planted bugs around money, keys, stock, labels, mail and the database."""

import itertools
from typing import Any

import activities.effects
import activities.messages
import workflows.money
import workflows.returning
import workflows.state
import workflows.tracing
from activities.effects import Effects
from activities.messages import MessageActivities
from contracts.steps import PaymentStep
from domain.errors import DomainError, ProviderUnavailable
from domain.ledger import Held
from domain.money import part
from domain.stock import StockAction
from domain.units import UnitState
from tests.simulation.mutants.planting import Mutant, mutant, plant
from workflows.contents import Contents
from workflows.desk import Desk
from workflows.money import Money
from workflows.options import PAYMENTS, outside
from workflows.parcel import Parcel
from workflows.payment_calls import PaymentCalls
from workflows.placing import Placing
from workflows.returning import Returning
from workflows.state import OrderState

MUTANTS: list[Mutant] = []


@mutant(MUTANTS)
def keys_are_made_from_the_attempt() -> None:
    count = itertools.count()
    plant(
        activities.effects,
        "effect_key",
        lambda order, purpose, n: f"{order}:{purpose}:{n}.{next(count)}",
    )


@mutant(MUTANTS)
def one_key_for_all_captures() -> None:
    before = activities.effects.effect_key
    plant(
        activities.effects,
        "effect_key",
        lambda order, purpose, n: before(order, purpose, 1 if purpose == "refund" else n),
    )


@mutant(MUTANTS)
def capture_comes_before_the_label() -> None:
    async def label(self: Parcel) -> None:
        if self.committed:
            await before(self)

    async def capture(self: Parcel) -> None:
        await taken(self)
        await before(self)

    before, taken = plant(Parcel, "label", label), plant(Parcel, "capture", capture)


@mutant(MUTANTS)
def parcels_leave_unpaid() -> None:
    async def capture(self: Money, lines: Any) -> int:
        return 0

    plant(Money, "capture", capture)


@mutant(MUTANTS)
def lapsing_authorisations_are_captured() -> None:
    plant(Held, "live", lambda self, now: self.capturable > 0)


@mutant(MUTANTS)
def unknown_is_tried_anew_without_a_look() -> None:
    async def make(self: PaymentCalls, method: Any, ask: Any, purpose: str, text: str) -> Any:
        from temporalio.exceptions import ActivityError

        from workflows.desk import refusal_of

        while True:
            ask = ask.model_copy(update={"n": self._state.draw("effect")})
            try:
                patience = self._desk.clocks.provider_patience
                return await outside(method, ask, PAYMENTS, text, patience)
            except ActivityError as failed:
                if refused := refusal_of(failed):
                    raise refused from None

    plant(PaymentCalls, "make", make)


@mutant(MUTANTS)
def unknown_is_taken_for_failure() -> None:
    async def look_up(self: PaymentCalls, ask: Any, purpose: str, why: str) -> Any:
        raise DomainError(why, "unknown")

    plant(PaymentCalls, "_look_up", look_up)


@mutant(MUTANTS)
def authorisations_are_not_let_go() -> None:
    async def let_go(self: Money) -> None:
        return None

    plant(Money, "_let_go", let_go)


@mutant(MUTANTS)
def cancelled_money_is_kept() -> None:
    async def give_back(self: Money) -> int:
        return 0

    plant(Money, "_give_back", give_back)


@mutant(MUTANTS)
def refunds_from_recomputed_shares() -> None:
    def given_back(line: Any, units: int, shipping: int = 0) -> int:
        quantity = line.units.ordered - line.before
        return max(0, line.collect // quantity * units)

    plant(workflows.state, "given_back_for", given_back)


@mutant(MUTANTS)
def refunds_forget_what_was_refunded() -> None:
    before = workflows.money.refund_owed
    plant(workflows.money, "refund_owed", lambda lines, taken, given: before(lines, taken, 0))


@mutant(MUTANTS)
def refund_owed_ignores_cancelled_units() -> None:
    def owed(lines: Any, captured: int, refunded: int) -> int:
        keep = sum(
            part(one.collect, one.units.ordered - one.before or 1, 0, one.captured) - one.given_back
            for one in lines
        )
        return max(0, captured - refunded - keep)

    plant(workflows.money, "refund_owed", owed)


@mutant(MUTANTS)
def two_calls_about_money_at_once() -> None:
    class Open:
        async def __aenter__(self) -> None:
            return None

        async def __aexit__(self, *_: object) -> None:
            return None

    def init(self: Money, desk: Desk) -> None:
        before(self, desk)
        self._lock = Open()  # type: ignore[assignment]

    before = plant(Money, "__init__", init)


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


@mutant(MUTANTS)
def the_final_capture_takes_everything_that_is_held() -> None:
    def step(
        self: PaymentCalls, reference: str, amount: int = 0, final: bool = True
    ) -> PaymentStep:
        held = next((p for p in self._state.payments if p.reference == reference), None)
        more = 1 if held and amount and held.capturable > amount else 0
        return before(self, reference, amount + more, final)  # type: ignore[no-any-return]

    before = plant(PaymentCalls, "step", step)
