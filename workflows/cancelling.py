"""Cancelling: a request with an answer (DESIGN section 3).

What has not been released is cancelled by our own decision, in one synchronous step. What is at
the warehouse is asked for; what has been captured goes, and a return is offered instead.
"""

import asyncio
from collections.abc import Mapping

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from contracts.commands import Cancel, CancelAnswer, CancelOutcome
    from contracts.steps import LineFacts
    from domain.holds import SYSTEM, Hold, HoldKind
    from domain.ledger import cancelled_value, units_of
    from domain.progress import LineUnits, ShipmentStatus
    from domain.stock import StockAction
    from domain.units import CANCELLABLE, UnitState
    from workflows.desk import Desk
    from workflows.money import Money
    from workflows.parcel import Parcel

Wanted = dict[str, int]
Gone = tuple[LineUnits, int]
"""Units that were cancelled, and what they were worth, minor units."""


class Cancelling:
    """Cancels units, wherever they are."""

    def __init__(self, desk: Desk, money: Money, parcels: Mapping[str, Parcel]) -> None:
        self._desk = desk
        self._state = desk.state
        self._money = money
        self._parcels = parcels

    async def cancel(self, ask: Cancel) -> CancelAnswer:
        """Cancel units and answer what came of it. The first step decides, then we wait."""
        wanted = self._wanted(ask.lines)
        asked = sum(wanted.values())
        gone = self._cancel_free(wanted, ask.actor, ask.reason)
        questions = self._questions(wanted)
        if questions:
            await self._desk.publish()
            answers = [self._ask(parcel, lines, wanted) for parcel, lines in questions]
            stopped = [one for answer in await asyncio.gather(*answers) for one in answer]
            self._note(stopped, ask.actor, ask.reason)
            gone += stopped
            gone += self._cancel_free(wanted, ask.actor, ask.reason)
        cancelled = tuple(
            LineUnits(line_id=line_id, quantity=count)
            for line_id, count in units_of(line for line, _ in gone).items()
        )
        amount = sum(value for _, value in gone) if self._money.collects else 0
        if cancelled:
            await self._settle(cancelled, amount, ask.reason)
        return CancelAnswer(
            outcome=self._outcome(sum(line.quantity for line in cancelled), asked),
            cancelled=cancelled,
            refunded=amount,
            may_return=any(
                line.units.shipped + line.units.delivered for line in self._state.lines.values()
            ),
        )

    def reject(self, reason: str, actor: str) -> None:
        """Turn the order away: nothing ships, nothing is kept; the customer is not told why."""
        if self._state.called_off:
            return
        self._state.rejected = True
        self._state.note("order.turned_away", workflow.now(), actor, reason)
        self.cancel_unreleased(actor, reason, told="")

    async def cancel_waiting(self, hold: Hold) -> None:
        """Cancel what a hold kept waiting, because its time is up."""
        lines: tuple[LineUnits, ...] = ()
        if hold.kind is HoldKind.BACKORDER:
            lines = self._state.standing(UnitState.BACKORDERED)
        reason = f"{hold.kind} hold ran out: {hold.reason}"
        await self.cancel(Cancel(actor=SYSTEM, reason=reason, lines=lines))

    def cancel_unreleased(self, actor: str, reason: str, told: str) -> None:
        """Cancel everything before its release. One step, no await.

        Args:
            told: the reason as the customer learns it.
        """
        if self._cancel_free(self._wanted(()), actor, reason):
            self._desk.tell("cancelled", reason=told)

    def take_in(self, added: tuple[LineFacts, ...]) -> bool:
        """Take over added lines; False when the order was called off while they were written, and
        has no use for them."""
        over = self._state.over
        self._state.add(added)
        for line in added if over else ():
            self._state.move(line.line_id, UnitState.OPEN, UnitState.CANCELLED, line.quantity)
        return not over

    def _cancel_free(self, wanted: Wanted, actor: str, reason: str) -> list[Gone]:
        """Cancel what has not been released yet; takes it off ``wanted``. One step, no await."""
        gone: list[Gone] = []
        for line_id in list(wanted):
            for source in CANCELLABLE:
                count = min(wanted[line_id], self._standing(line_id, source))
                if count == 0:
                    continue
                if source is UnitState.RESERVED:
                    self._unplan(line_id, count)
                self._state.move(line_id, source, UnitState.CANCELLED, count)
                wanted[line_id] -= count
                gone.append(self._worth(LineUnits(line_id=line_id, quantity=count)))
        self._note(gone, actor, reason)
        if gone and not self._state.standing(UnitState.BACKORDERED):
            self._state.lift_kind(HoldKind.BACKORDER, workflow.now(), actor, "nothing waits")
        self._state.given_up = self._state.given_up or self._state.all_cancelled()
        return gone

    def _note(self, gone: list[Gone], actor: str, reason: str) -> None:
        """Write down who cancelled how much, and why (INVARIANTS A2)."""
        if gone:
            self._state.cancel_reason = reason
            units = sum(line.quantity for line, _ in gone)
            self._state.note("units.cancelled", workflow.now(), actor, f"{units} units: {reason}")

    def _worth(self, line: LineUnits) -> Gone:
        return line, cancelled_value(self._state.lines[line.line_id], line.quantity)

    async def _ask(
        self, parcel: Parcel, lines: tuple[LineUnits, ...], wanted: Wanted
    ) -> list[Gone]:
        """Have a parcel's warehouse asked; puts back on ``wanted`` what it did not stop."""
        stopped = await parcel.stop(lines)
        for line_id, count in units_of(stopped).items():
            wanted[line_id] -= count
        for line in lines:
            wanted[line.line_id] += line.quantity
        return [self._worth(line) for line in stopped]

    def _unplan(self, line_id: str, count: int) -> None:
        """Take reserved units out of planned shipments and give their stock back."""
        for shipment in list(self._state.shipments.values()):
            if shipment.status is not ShipmentStatus.PLANNED or count == 0:
                continue
            for line in shipment.lines:
                if line.line_id == line_id:
                    some = (LineUnits(line_id=line_id, quantity=min(count, line.quantity)),)
                    self._state.stock(StockAction.RELEASE, shipment, some)
                    self._state.drop_from(shipment.shipment_id, some)
                    count -= some[0].quantity

    def _questions(self, wanted: Wanted) -> list[tuple[Parcel, tuple[LineUnits, ...]]]:
        """Return which parcels to ask for which of the units that are still wanted."""
        found: list[tuple[Parcel, tuple[LineUnits, ...]]] = []
        for parcel in self._parcels.values():
            if not parcel.stoppable:
                continue
            lines = tuple(
                LineUnits(line_id=line.line_id, quantity=count)
                for line in parcel.shipment.lines
                if (count := min(wanted.get(line.line_id, 0), line.quantity)) > 0
            )
            for line in lines:
                wanted[line.line_id] -= line.quantity
            if lines:
                parcel.being_asked()
                found.append((parcel, lines))
        return found

    async def _settle(self, lines: tuple[LineUnits, ...], amount: int, reason: str) -> None:
        self._desk.tell("cancelled", lines=lines, amount=amount, reason=reason)
        await self._desk.publish()
        self._desk.spawn(self._money.settle())

    def _wanted(self, lines: tuple[LineUnits, ...]) -> Wanted:
        if lines:
            return units_of(lines)
        return {
            line.line_id: line.units.ordered - line.units.cancelled
            for line in self._state.lines.values()
        }

    def _standing(self, line_id: str, source: UnitState) -> int:
        return int(getattr(self._state.lines[line_id].units, source.value))

    def _outcome(self, count: int, asked: int) -> CancelOutcome:
        if count == asked or self._state.given_up or self._state.all_cancelled():
            return CancelOutcome.CANCELLED
        return CancelOutcome.PARTLY_CANCELLED if count else CancelOutcome.TOO_LATE
