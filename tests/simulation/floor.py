"""The warehouses' floor: picking, packing, short picks, hand-over to the carrier."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from contracts.commands import Milestone, MilestoneKind
from domain.parcel import Parcel
from domain.progress import LineUnits, ShipmentProgress, ShipmentStatus
from tests.fakes.desk import Row
from tests.simulation.case import Box, Case

if TYPE_CHECKING:
    from tests.simulation.shop import Shop

HOUR = 3600
BEFORE_LABEL = (ShipmentStatus.RELEASED, ShipmentStatus.PICKED, ShipmentStatus.PACKED)


class Floor:
    """What happens to a shipment after its warehouse has taken it."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._rng = shop.luck.rng
        shop.warehouse.ledger.watchers.append(self._saw)

    def _saw(self, row: Row) -> None:
        if row.kind == "release":
            case = self._shop.cases[row.order_id]
            if self._rng.random() < 0.1:
                self._shop.warehouse.stubborn.add(row.reference)
            self._later(0.3, 30, self._pick, case, row.reference)

    def _later(
        self, least: float, most: float, act: Callable[[Case, str], None], case: Case, name: str
    ) -> None:
        hours = self._rng.uniform(least, most)
        if self._rng.random() < 0.04:
            hours += 60  # late: somebody is told
        self._shop.agenda.after(hours * HOUR, act, case, name)

    def _pick(self, case: Case, shipment_id: str) -> None:
        picking = self._shop.warehouse.floor[shipment_id]
        if picking.stopped:
            return
        if self._rng.random() < 0.1:
            found = {line: self._rng.randint(0, left) for line, left in picking.left.items()}
            self._shop.say(case, f"warehouse finds only {found} of {picking.left}")
            self._shop.luck.count("short pick")
            self._shop.warehouse.find(shipment_id, found)
            self._tell(case, shipment_id, MilestoneKind.SHORT_PICKED, lines=_units(found))
        elif self._rng.random() < 0.6:
            self._tell(case, shipment_id, MilestoneKind.PICKED)
        if not picking.stopped:
            self._later(0.01, 4, self._pack, case, shipment_id)

    def _pack(self, case: Case, shipment_id: str) -> None:
        picking = self._shop.warehouse.floor[shipment_id]
        if picking.stopped or picking.packed:
            return
        packed = self._shop.warehouse.pack(shipment_id)
        contents = {line.line_id: line.quantity for line in packed.lines}
        self._shop.say(case, f"warehouse packs {shipment_id}: {contents}")
        case.boxes[shipment_id] = Box(shipment_id, contents)
        self._say_packed(case, shipment_id)
        self._later(0.2, 30, self._hand_over, case, shipment_id)

    def _say_packed(self, case: Case, shipment_id: str) -> None:
        grams = self._rng.choice((300, 700, 700, 2000))
        parcel = Parcel(weight_grams=grams)
        self._tell(case, shipment_id, MilestoneKind.PACKED, parcel=parcel)

    def _hand_over(self, case: Case, shipment_id: str) -> None:
        """Give a parcel to the carrier: what the API allows, by what the database shows."""
        shown = self._shown(case, shipment_id)
        if shown is None or shown.status is ShipmentStatus.CANCELLED or case.execution.ended:
            self._shop.say(case, f"warehouse unpacks {shipment_id}")
            return
        if shown.status in (*BEFORE_LABEL, ShipmentStatus.PLANNED):
            self._say_packed(case, shipment_id)
            self._later(4, 30, self._hand_over, case, shipment_id)
            return
        box = case.boxes[shipment_id]
        if self._rng.random() < 0.04 and shown.status is ShipmentStatus.LABELLED:
            self._lose_some(case, box)
            if not box.contents:
                return
        self._gives(case, box, shown)

    def _lose_some(self, case: Case, box: Box) -> None:
        """Find at the door that units are missing from the closed parcel."""
        found = {line: self._rng.randint(0, left) for line, left in box.contents.items()}
        self._shop.luck.count("warehouse says no after capture")
        self._shop.say(case, f"warehouse misses units at the door: {found} of {box.contents}")
        box.contents = {line: left for line, left in found.items() if left}
        kind = MilestoneKind.SHORT_PICKED
        self._sure(case, box.shipment_id, kind, lines=_units(found), detail="damaged")

    def _gives(self, case: Case, box: Box, shown: ShipmentProgress) -> None:
        box.tracking_number = shown.tracking_number
        box.handed_over_at = self._shop.agenda.now()
        self._shop.say(case, f"carrier takes {box.shipment_id}: {box.contents}")
        case.handed_over.update(box.contents)
        self._shop.promises.handed_over(case, box, shown.label_id)
        self._shop.carrier.scan(shown.label_id)
        if self._rng.random() < 0.9:
            self._tell(case, box.shipment_id, MilestoneKind.HANDED_OVER)
        self._shop.road.takes(case, box)
        self._shop.agenda.after(5 * 24 * HOUR, self._asked_for, case, box)

    def _asked_for(self, case: Case, box: Box) -> None:
        """Say again what has left: the operators ask when they are told that it is late."""
        shown = self._shown(case, box.shipment_id)
        if shown and shown.status is ShipmentStatus.LABELLED:
            self._sure(case, box.shipment_id, MilestoneKind.HANDED_OVER)

    def _shown(self, case: Case, shipment_id: str) -> ShipmentProgress | None:
        stored = self._shop.store.get(case.order_id)
        progress = stored.progress if stored else None
        shipments = progress.shipments if progress else ()
        return next((one for one in shipments if one.shipment_id == shipment_id), None)

    # telling

    def _tell(self, case: Case, shipment_id: str, kind: MilestoneKind, **more: object) -> None:
        """Call back: mostly once, now and then twice, late, or in the wrong order."""
        seconds = self._rng.choice((0.0, 0.0, 0.5, 30.0, 5000.0))
        for _ in range(2 if self._rng.random() < 0.08 else 1):
            self._shop.agenda.after(seconds, self._sure_later, case, shipment_id, kind, more)
            seconds += self._rng.uniform(0, 4000)

    def _sure_later(
        self, case: Case, shipment_id: str, kind: MilestoneKind, more: dict[str, object]
    ) -> None:
        self._sure(case, shipment_id, kind, **more)

    def _sure(self, case: Case, shipment_id: str, kind: MilestoneKind, **more: object) -> None:
        milestone = Milestone.model_validate(
            {"kind": kind, "subject": shipment_id, "at": self._shop.agenda.now(), **more}
        )
        self._shop.signal(case, milestone)


def _units(found: dict[str, int]) -> tuple[LineUnits, ...]:
    return tuple(LineUnits(line_id=line, quantity=count) for line, count in found.items())
