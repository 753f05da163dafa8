"""Cancelling: a request with an answer (DESIGN section 3).

What has not been released is cancelled by our own decision, in one synchronous step. What is at
the warehouse is asked for; what has been captured goes, and a return is offered instead.
"""

import asyncio
from collections.abc import Mapping

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from contracts.commands import Cancel, CancelAnswer, CancelOutcome
    from domain.holds import SYSTEM, Hold, HoldKind
    from domain.ledger import cancelled_value, units_of
    from domain.progress import LineUnits, ShipmentStatus
    from domain.stock import StockAction
    from domain.units import UnitState
    from workflows.desk import Desk
    from workflows.money import Money
    from workflows.parcel import Parcel

Wanted = dict[str, int]
AT_THE_WAREHOUSE = (UnitState.RELEASED, UnitState.PACKED)


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
        values = dict(self._state.lines)
        taken = units_of(self.cancel_free(wanted, ask.actor, ask.reason))
        questions = self._questions(wanted)
        await self._desk.publish()
        answers = await asyncio.gather(*(parcel.stop(lines) for parcel, lines in questions))
        for (_, lines), agreed in zip(questions, answers, strict=True):
            for line in lines if agreed else ():
                taken[line.line_id] = taken.get(line.line_id, 0) + line.quantity
        cancelled = tuple(LineUnits(line_id=k, quantity=v) for k, v in taken.items())
        amount = sum(cancelled_value(values[line.line_id], line.quantity) for line in cancelled)
        count = sum(line.quantity for line in cancelled)
        if count:
            await self._settle(cancelled, amount, ask)
        return CancelAnswer(
            outcome=self._outcome(count, asked),
            cancelled=cancelled,
            refunded=amount if self._money.collects else 0,
            may_return=any(
                line.units.shipped + line.units.delivered for line in self._state.lines.values()
            ),
        )

    async def cancel_waiting(self, hold: Hold) -> None:
        """Cancel what a hold kept waiting, because its time is up."""
        if hold.kind is HoldKind.BACKORDER:
            wanted = units_of(self._state.standing(UnitState.BACKORDERED))
        else:
            wanted = self._wanted(())
        values = dict(self._state.lines)
        taken = self.cancel_free(wanted, SYSTEM, f"{hold.kind} hold ran out: {hold.reason}")
        amount = sum(cancelled_value(values[line.line_id], line.quantity) for line in taken)
        ask = Cancel(actor=SYSTEM, reason=hold.reason)
        await self._settle(taken, amount, ask)

    def cancel_free(self, wanted: Wanted, actor: str, reason: str) -> tuple[LineUnits, ...]:
        """Cancel what has not been released yet; takes it off ``wanted``. One step, no await."""
        taken: Wanted = {}
        for line_id in list(wanted):
            for source in (UnitState.OPEN, UnitState.BACKORDERED, UnitState.RESERVED):
                count = min(wanted[line_id], self._standing(line_id, source))
                if count == 0:
                    continue
                if source is UnitState.RESERVED:
                    self._unplan(line_id, count)
                self._state.move(line_id, source, UnitState.CANCELLED, count)
                wanted[line_id] -= count
                taken[line_id] = taken.get(line_id, 0) + count
        lines = tuple(LineUnits(line_id=k, quantity=v) for k, v in taken.items())
        if lines:
            self._state.cancel_reason = reason
            units = sum(taken.values())
            self._state.note("order.cancelled", workflow.now(), actor, f"{units} units: {reason}")
        return lines

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

    async def _settle(self, lines: tuple[LineUnits, ...], amount: int, ask: Cancel) -> None:
        given = amount if self._money.collects else 0
        self._desk.tell("cancelled", lines=lines, amount=given, reason=ask.reason)
        await self._desk.publish()
        if self._state.money().captured:
            self._desk.spawn(self._give_back())

    async def _give_back(self) -> None:
        if await self._money.give_back():
            await self._desk.publish()

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
        if count == 0:
            return CancelOutcome.TOO_LATE
        return CancelOutcome.CANCELLED if count == asked else CancelOutcome.PARTLY_CANCELLED
