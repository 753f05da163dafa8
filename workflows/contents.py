"""What is in a parcel until it leaves, and what becomes of units that will not go."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.holds import SYSTEM
    from domain.ledger import units_of
    from domain.parcel import Parcel
    from domain.progress import LineUnits, ShipmentProgress, ShipmentStatus
    from domain.stock import Bar, StockAction
    from domain.units import UnitState
    from workflows.state import OrderState

UNWEIGHED = Parcel(weight_grams=500)
"""What a parcel counts as when the warehouse told neither weight nor size."""


class Contents:
    """The units of one parcel. Every change is one synchronous step."""

    def __init__(self, state: OrderState, shipment_id: str) -> None:
        self.shipment_id = shipment_id
        self.packed: Parcel | None = None
        self._state = state

    @property
    def shipment(self) -> ShipmentProgress:
        """The shipment as it stands."""
        return self._state.shipments[self.shipment_id]

    @property
    def gone(self) -> bool:
        """Whether nothing is left to send."""
        return self.shipment.status is ShipmentStatus.CANCELLED

    def release(self) -> None:
        """Give the units to the warehouse; their reservation does not run out any more."""
        self._state.update(self.shipment_id, status=ShipmentStatus.RELEASED)
        self._state.stock(StockAction.COMMIT, self.shipment, self.shipment.lines)
        self._state.move_all(self.shipment.lines, UnitState.RESERVED, UnitState.RELEASED)
        self.note("shipment.released", self.shipment.location)

    def pick(self) -> None:
        """Note that the units were found."""
        self._state.update(self.shipment_id, status=ShipmentStatus.PICKED)

    def pack(self, parcel: Parcel | None) -> None:
        """Note that the units are in a parcel; a second time changes nothing."""
        if self.packed is None:
            self._state.move_all(self.shipment.lines, UnitState.RELEASED, UnitState.PACKED)
            self.packed = parcel or UNWEIGHED
            self._state.update(self.shipment_id, status=ShipmentStatus.PACKED)
            self.note("shipment.packed", f"{self.packed.weight_grams} g")

    def leave(self) -> None:
        """Note that the carrier has the parcel."""
        self._state.move_all(self.shipment.lines, UnitState.PACKED, UnitState.SHIPPED)
        self._state.stock(StockAction.CONSUME, self.shipment, self.shipment.lines)
        self._state.update(
            self.shipment_id,
            status=ShipmentStatus.HANDED_OVER,
            handed_over_at=workflow.now(),
        )
        self.note("shipment.handed_over", self.shipment.tracking_number)

    def missing(self, found: tuple[LineUnits, ...]) -> tuple[LineUnits, ...]:
        """Return what the parcel should hold and was not found."""
        there = units_of(found)
        return tuple(
            LineUnits(line_id=line.line_id, quantity=short)
            for line in self.shipment.lines
            if (short := line.quantity - there.get(line.line_id, 0)) > 0
        )

    def give_up(self, lines: tuple[LineUnits, ...], why: str) -> None:
        """Put units back to be placed at another location."""
        self._take_out(lines, UnitState.OPEN)
        for line in lines:
            bar = Bar(line_id=line.line_id, location=self.shipment.location, reason=why)
            self._state.bars.append(bar)
        self.note("shipment.short", f"{why} at {self.shipment.location}")

    def cancel(self, lines: tuple[LineUnits, ...]) -> tuple[LineUnits, ...]:
        """Cancel units, as far as they are still in the parcel; returns which were."""
        there = units_of(self.shipment.lines) if not self.gone else {}
        some = tuple(
            LineUnits(line_id=line.line_id, quantity=count)
            for line in lines
            if (count := min(line.quantity, there.get(line.line_id, 0))) > 0
        )
        self._take_out(some, UnitState.CANCELLED)
        return some

    def _take_out(self, lines: tuple[LineUnits, ...], target: UnitState) -> None:
        source = UnitState.PACKED if self.packed else UnitState.RELEASED
        self._state.stock(StockAction.RELEASE, self.shipment, lines)
        self._state.move_all(lines, source, target)
        self._state.drop_from(self.shipment_id, lines)

    def note(self, kind: str, text: str) -> None:
        """Add a line about this parcel to the order's history."""
        self._state.note(kind, workflow.now(), SYSTEM, text, shipment=self.shipment_id)
