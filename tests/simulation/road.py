"""The carriers' road: scans late, repeated, reordered or missing; parcels that get lost."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from api.routes.hooks import MILESTONES, news
from contracts.commands import Milestone
from ports.carriers import Scan, TrackingState
from tests.simulation.case import Box, Case

if TYPE_CHECKING:
    from tests.simulation.shop import Shop

T = TrackingState
CARRIER = "TestPost"


class Road:
    """What happens to a parcel after the carrier has it."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._rng = shop.luck.rng

    def takes(self, case: Case, box: Box) -> None:
        """Carry a parcel to its end, and tell of it as carriers do."""
        days = self._rng.uniform(0.5, 6)
        if self._rng.random() < 0.02:
            days = 60
            self._shop.luck.count("tracking after 60 days")
        fate = self._rng.choices(
            (T.DELIVERED, T.LOST, T.RETURNED_TO_SENDER, T.PRE_TRANSIT), (86, 5, 4, 5)
        )[0]
        end = self._shop.agenda.now() + timedelta(days=days)
        scans = self._scans(self._shop.agenda.now(), end, fate)
        if fate is T.DELIVERED:
            self._shop.agenda.at(end, self._arrive, case, box)
        if fate is T.PRE_TRANSIT:
            self._shop.luck.count("carrier stays silent")
        if self._rng.random() < 0.25 and len(scans) > 1:
            self._shop.luck.count("tracking out of order or repeated")
            self._rng.shuffle(scans)
            scans += scans[: self._rng.randint(0, 2)]
        for scan in scans:
            late = self._rng.uniform(0, 3 * 86400) if self._rng.random() < 0.2 else 0
            due = max(scan.at, self._shop.agenda.now()) + timedelta(seconds=late)
            number = box.tracking_number
            if self._rng.random() < 0.03:
                self._shop.luck.count("tracking of a strange parcel")
                self._shop.agenda.at(due, self._webhook, "TRK_nobody", [scan])
            self._shop.agenda.at(due, self._webhook, number, [scan])

    def _scans(self, begin: datetime, end: datetime, fate: TrackingState) -> list[Scan]:
        middle = begin + (end - begin) / 2
        scans = [Scan(state=T.IN_TRANSIT, code="hub", at=begin + timedelta(hours=3))]
        if self._rng.random() < 0.15:
            scans.append(Scan(state=T.EXCEPTION, code="weather", at=middle, message="snow"))
        if fate is not T.PRE_TRANSIT:
            signed = "A. Marker" if fate is T.DELIVERED else ""
            scans.append(Scan(state=fate, code=fate.value, at=end, signed_by=signed))
        elif self._rng.random() < 0.5:
            scans = []
        if fate is T.RETURNED_TO_SENDER and self._rng.random() < 0.3:
            scans.append(Scan(state=T.DELIVERED, code="wrong", at=end + timedelta(days=1)))
        return scans

    def _arrive(self, case: Case, box: Box) -> None:
        box.delivered_at = self._shop.agenda.now()
        self._shop.say(case, f"{box.shipment_id} is with the customer")

    def _webhook(self, number: str, scans: list[Scan]) -> None:
        """Take a carrier's webhook as the API does: milestones first, then the rows."""
        owner = self._shop.store.subject_of(number)
        if owner is not None:
            order_id, subject = owner
            for scan in news(self._shop.store.scans(number), scans):
                milestone = Milestone(
                    kind=MILESTONES[scan.state],
                    subject=subject,
                    at=scan.at,
                    tracking_number=number,
                    signed_by=scan.signed_by,
                    detail=scan.message or scan.code,
                )
                self._shop.signal(self._shop.cases[order_id], milestone)
        self._shop.store.add_scans(CARRIER, number, scans)
