"""A warehouse in memory: it takes pick orders, and agrees to stop them until they are packed."""

from dataclasses import dataclass

from domain.errors import EffectRefused
from ports.warehouses import ExpectedReturn, PickLine, PickOrder
from tests.fakes.desk import Clock, Desk, Ledger, standing_clock
from tests.fakes.faults import FaultPlan


@dataclass
class Picking:
    """A shipment on the warehouse floor; ``left`` is units still to pick, by line."""

    order: PickOrder
    left: dict[str, int]
    packed: bool = False
    stopped: bool = False


class FakeWarehouse:
    """A ``Warehouse``. ``pack`` makes a shipment too late to stop."""

    def __init__(self, now: Clock = standing_clock, faults: FaultPlan | None = None) -> None:
        self._desk = Desk("warehouse", now, faults or FaultPlan())
        self.floor: dict[str, Picking] = {}
        self.returns: dict[str, ExpectedReturn] = {}
        self.closed: set[str] = set()
        self.stubborn: set[str] = set()

    @property
    def ledger(self) -> Ledger:
        """The warehouse's own books: release, short, cancel, too_late, pack, return."""
        return self._desk.ledger

    async def release(self, order: PickOrder) -> None:
        """Take a pick order; locations in ``closed`` refuse."""
        key = f"release:{order.shipment_id}"
        self._desk.do("release", key, order, lambda: self._release(order, key))

    async def cancel(self, shipment_id: str, lines: tuple[PickLine, ...], *, key: str) -> bool:
        """Stop units of a shipment, or all of it; an unknown one is stopped already, and those in
        ``stubborn`` are never stopped."""
        return self._desk.do(
            "cancel", key, (shipment_id, lines), lambda: self._cancel(shipment_id, lines, key)
        )

    async def expect_return(self, expected: ExpectedReturn) -> None:
        """Note a return parcel."""
        key = f"return:{expected.return_id}"
        self._desk.do("expect_return", key, expected, lambda: self._expect(expected, key))

    def pack(self, shipment_id: str) -> PickOrder:
        """Pack a shipment; from now on it cannot be stopped. Returns what is in the parcel."""
        picking = self.floor[shipment_id]
        if picking.stopped:
            raise AssertionError(f"{shipment_id} was stopped and is packed all the same")
        picking.packed = True
        lines = tuple(
            line.model_copy(update={"quantity": picking.left[line.line_id]})
            for line in picking.order.lines
            if picking.left[line.line_id]
        )
        self._record("pack", picking.order, "")
        return picking.order.model_copy(update={"lines": lines})

    def find(self, shipment_id: str, found: dict[str, int]) -> None:
        """Find only so many units of each line; with none at all there is nothing to pack."""
        picking = self.floor[shipment_id]
        for line_id, left in picking.left.items():
            picking.left[line_id] = min(left, found.get(line_id, 0))
        picking.stopped = not any(picking.left.values())

    def miss(self, shipment_id: str, line_id: str, quantity: int) -> None:
        """Let units not be on the shelf; nobody looks for them any more."""
        picking = self.floor[shipment_id]
        self._stop(picking, line_id, quantity)
        self._record("short", picking.order, "")

    def _release(self, order: PickOrder, key: str) -> None:
        if order.location in self.closed:
            raise EffectRefused(f"{order.location} cannot ship today", "warehouse_refused")
        left = {line.line_id: line.quantity for line in order.lines}
        self.floor[order.shipment_id] = Picking(order, left)
        self._record("release", order, key)

    def _cancel(self, shipment_id: str, lines: tuple[PickLine, ...], key: str) -> bool:
        picking = self.floor.get(shipment_id)
        if picking is None or picking.stopped:
            return True
        if picking.packed or shipment_id in self.stubborn:
            self._record("too_late", picking.order, key)
            return False
        for line in lines or picking.order.lines:
            self._stop(picking, line.line_id, line.quantity)
        self._record("cancel", picking.order, key)
        return True

    def _stop(self, picking: Picking, line_id: str, quantity: int) -> None:
        picking.left[line_id] = max(0, picking.left[line_id] - quantity)
        picking.stopped = not any(picking.left.values())

    def _expect(self, expected: ExpectedReturn, key: str) -> None:
        self.returns[expected.return_id] = expected
        self._desk.record("return", expected.order_id, key, expected.return_id)

    def _record(self, kind: str, order: PickOrder, key: str) -> None:
        self._desk.record(kind, order.order_id, key, order.shipment_id, detail=order.location)
