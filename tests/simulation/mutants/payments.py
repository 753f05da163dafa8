"""Planted bugs around money and its keys."""

import itertools
from typing import Any

import activities.effects
import activities.messages
import workflows.money
import workflows.returning
import workflows.state
import workflows.tracing
from contracts.steps import PaymentStep
from domain.errors import DomainError
from domain.ledger import Held
from domain.money import part
from tests.simulation.mutants.planting import Mutant, mutant, plant
from workflows.desk import Desk
from workflows.money import Money
from workflows.options import PAYMENTS, outside
from workflows.parcel import Parcel
from workflows.payment_calls import PaymentCalls
from workflows.purse import Purse

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
    plant(Purse, "renew_at", None)


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
def the_final_capture_takes_everything_that_is_held() -> None:
    def step(
        self: PaymentCalls, reference: str, amount: int = 0, final: bool = True
    ) -> PaymentStep:
        held = next((p for p in self._state.payments if p.reference == reference), None)
        more = 1 if held and amount and held.capturable > amount else 0
        return before(self, reference, amount + more, final)  # type: ignore[no-any-return]

    before = plant(PaymentCalls, "step", step)
