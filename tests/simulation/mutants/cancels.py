"""Planted bugs around cancels, holds and people's commands."""

import random
from datetime import timedelta
from typing import Any

from contracts.commands import CancelOutcome
from domain.holds import Hold
from domain.progress import LineUnits
from tests.simulation.mutants.planting import Mutant, mutant, plant
from workflows.cancelling import Cancelling
from workflows.commands import Commands
from workflows.contents import Contents
from workflows.desk import Desk
from workflows.labels import Labels
from workflows.parcel import Parcel
from workflows.placing import Placing

MUTANTS: list[Mutant] = []


@mutant(MUTANTS)
def cancel_always_answers_cancelled() -> None:
    plant(Cancelling, "_outcome", lambda self, count, asked: CancelOutcome.CANCELLED)


@mutant(MUTANTS)
def warehouse_no_is_taken_for_yes() -> None:
    async def ask(self: Parcel, lines: Any) -> bool:
        await before(self, lines)
        return True

    before = plant(Parcel, "_ask_to_stop", ask)


@mutant(MUTANTS)
def parcel_does_not_wait_for_the_warehouses_answer() -> None:
    async def unhindered(self: Parcel) -> None:
        asked, self._questions = self._questions, 0
        try:
            await before(self)
        finally:
            self._questions += asked

    before = plant(Parcel, "_unhindered", unhindered)


@mutant(MUTANTS)
def parcel_goes_on_while_an_operator_holds_the_order() -> None:
    async def unhindered(self: Parcel) -> None:
        return None

    plant(Parcel, "_unhindered", unhindered)


@mutant(MUTANTS)
def label_is_kept_when_the_parcel_will_not_go() -> None:
    async def void(self: Labels, shipment_id: str) -> None:
        return None

    plant(Labels, "void", void)


@mutant(MUTANTS)
def handlers_are_not_waited_for() -> None:
    async def finish(self: Desk) -> None:
        return None

    plant(Desk, "finish", finish)


@mutant(MUTANTS)
def decision_on_a_stale_count_after_an_await() -> None:
    def free(self: Cancelling, wanted: dict[str, int], actor: str, reason: str) -> Any:
        gone = before(self, wanted, actor, reason)
        return gone or [
            (LineUnits(line_id=line_id, quantity=count), 0)
            for line_id, count in wanted.items()
            if count and actor == "customer"
        ]

    before = plant(Cancelling, "_cancel_free", free)


@mutant(MUTANTS)
def address_may_change_after_the_release() -> None:
    plant(Commands, "_unreleased", lambda self: None)


@mutant(MUTANTS)
def rejection_cancels_nothing() -> None:
    def reject(self: Cancelling, reason: str, actor: str) -> None:
        self._state.rejected = True

    plant(Cancelling, "reject", reject)


@mutant(MUTANTS)
def holds_have_no_deadline() -> None:
    async def watch(self: Desk, hold_id: str) -> None:
        return None

    plant(Desk, "_watch", watch)


@mutant(MUTANTS)
def the_warehouse_is_waited_for_without_a_deadline() -> None:
    async def patient(self: Desk, condition: Any, *_: Any) -> None:
        from workflows.waiting import wait_for

        await wait_for(condition)

    plant(Desk, "patient", patient)


@mutant(MUTANTS)
def deadlines_are_spread_by_true_chance() -> None:
    def jitter(self: Desk, hold: Hold) -> timedelta:
        return timedelta(seconds=random.SystemRandom().uniform(0, 5))

    plant(Desk, "_jitter", jitter)


@mutant(MUTANTS)
def a_validator_leaves_a_trace() -> None:
    def opened(self: Commands) -> None:
        self.state.draw("effect")
        before(self)

    before = plant(Commands, "_open", opened)


@mutant(MUTANTS)
def a_wait_is_broken_off_by_an_operators_stop() -> None:
    import workflows.desk as desk
    import workflows.waiting as waiting

    plant(waiting, "cancelled", lambda: True)
    plant(desk, "cancelled", lambda: True)


@mutant(MUTANTS)
def added_lines_are_taken_after_the_end() -> None:
    def take_in(self: Cancelling, added: Any) -> bool:
        self._state.add(added)
        return True

    plant(Cancelling, "take_in", take_in)


@mutant(MUTANTS)
def what_was_cancelled_while_it_was_placed_ships() -> None:
    plant(Placing, "_still_open", lambda self, lines: (lines, ()))


@mutant(MUTANTS)
def cancelled_units_stay_in_the_parcel() -> None:
    def cancel(self: Contents, lines: Any) -> Any:
        return lines if not self.gone else ()

    plant(Contents, "cancel", cancel)
