"""Forgetting a person, in memory: personal data goes, money and stock rows stay (A3)."""

from datetime import datetime

from domain.progress import TERMINAL
from ports.operators import Erased
from store.erasure import without_person
from tests.fakes.stores.orders import set_order
from tests.fakes.stores.tables import Part, transaction, utc

ENDED = frozenset(status.value for status in TERMINAL)
SILENT_SCAN = {"signed_by": "", "place": "", "message": ""}


class Erasure(Part):
    """What the customer may ask for."""

    @transaction
    def erase_customer(self, email: str, at: datetime) -> Erased:
        """Remove a customer's personal data from all orders that have ended."""
        mine = sorted(self.tables.by_email.get(email.strip().lower(), ()))
        over = [i for i in mine if self.tables.projections[i]["status"] in ENDED]
        for order_id in over:
            self._blank_words(order_id)
            self._blank_documents(order_id)
            self._blank_parcels(order_id)
            self._blank_progress(order_id, utc(at))
        return Erased(erased=tuple(over), still_open=tuple(i for i in mine if i not in over))

    def _blank_words(self, order_id: str) -> None:
        tables = self.tables
        events = tables.timeline.get(order_id, {})
        for no, event in events.items():
            events[no] = event.model_copy(update={"text": ""})
        for alert in tables.alerts:
            if alert["subject"] == order_id:
                alert["text"] = ""
        for request in tables.requests.values():
            if f'"{order_id}"' in request["body"]:
                request["body"] = ""

    def _blank_documents(self, order_id: str) -> None:
        tables = self.tables
        order = without_person(tables.orders[order_id]["order"])
        set_order(tables, order_id, order)
        tables.orders[order_id]["ship_to"] = order.ship_to
        if parked := tables.parked.get((order.channel, order.external_id)):
            parked["reason"] = ""
        former = tables.revisions.get(order_id, [])
        former[:] = [(without_person(one), replaced_at) for one, replaced_at in former]

    def _blank_parcels(self, order_id: str) -> None:
        tables, numbers = self.tables, set()
        for subject in [s for s, row in tables.labels.items() if row["order_id"] == order_id]:
            del tables.labels[subject]
        for key, (owner, parcel) in tables.shipments.items():
            if owner == order_id:
                numbers.add(parcel.tracking_number)
                tables.shipments[key] = (owner, parcel.model_copy(update={"signed_by": ""}))
        for key, (owner, back) in tables.returns.items():
            if owner == order_id:
                numbers.add(back.tracking_number)
                tables.returns[key] = (owner, back.model_copy(update={"reason": ""}))
        for number in numbers - {""}:
            scans = tables.scans.get(number, {})
            for scan_key, scan in scans.items():
                scans[scan_key] = scan.model_copy(update=SILENT_SCAN)

    def _blank_progress(self, order_id: str, at: datetime) -> None:
        projection = self.tables.projections[order_id]
        projection["updated_at"] = at
        if progress := projection["progress"]:
            without = {
                "cancel_reason": "",
                "holds": tuple(h.model_copy(update={"reason": ""}) for h in progress.holds),
                "returns": tuple(r.model_copy(update={"reason": ""}) for r in progress.returns),
                "shipments": tuple(
                    s.model_copy(update={"signed_by": ""}) for s in progress.shipments
                ),
            }
            projection["progress"] = progress.model_copy(update=without)
