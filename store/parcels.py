"""Label documents and carrier scans."""

from collections.abc import Sequence

from sqlalchemy import BindParameter, bindparam, select

from ports.carriers import Scan
from store.part import Part, put, put_once
from store.tables.orders import returns, shipments
from store.tables.parcels import labels, scans

PUT_LABEL = put(labels)
LABEL = select(labels.c.tracking_number, labels.c.pdf).where(labels.c.subject == bindparam("id"))
_number: BindParameter[str] = bindparam("number")
SUBJECTS = (
    select(labels.c.order_id, labels.c.subject).where(labels.c.tracking_number == _number),
    select(shipments.c.order_id, shipments.c.shipment_id).where(
        shipments.c.tracking_number == _number
    ),
    select(returns.c.order_id, returns.c.return_id).where(returns.c.tracking_number == _number),
)
PUT_SCAN = put_once(scans)
OF_NUMBER = (
    select(scans)
    .where(scans.c.tracking_number == bindparam("number"))
    .order_by(scans.c.at, scans.c.code)
)


class Parcels(Part):
    """What carriers gave us."""

    def save_label(self, subject: str, order_id: str, tracking_number: str, pdf: bytes) -> None:
        """Keep a label document of a shipment or return; a repeat replaces it."""
        row = {"subject": subject, "order_id": order_id, "tracking_number": tracking_number}
        with self._database.write_one() as connection:
            connection.execute(PUT_LABEL, {**row, "pdf": pdf})

    def label(self, subject: str) -> tuple[str, bytes] | None:
        """Return (tracking number, PDF) of a shipment or return."""
        with self._database.read() as connection:
            row = connection.execute(LABEL, {"id": subject}).one_or_none()
        return (row.tracking_number, bytes(row.pdf)) if row else None

    def subject_of(self, tracking_number: str) -> tuple[str, str] | None:
        """Return (order id, shipment or return id) that a tracking number belongs to."""
        if not tracking_number:
            return None
        with self._database.read() as connection:
            for statement in SUBJECTS:
                row = connection.execute(statement, {"number": tracking_number}).first()
                if row:
                    return str(row[0]), str(row[1])
        return None

    def add_scans(self, carrier: str, tracking_number: str, scans: Sequence[Scan]) -> int:
        """Add scans, a set keyed by (carrier, number, code, at); return how many were new."""
        parcel = {"carrier": carrier, "tracking_number": tracking_number}
        rows = [scan.model_dump() | parcel | {"state": scan.state.value} for scan in scans]
        with self._database.write() as connection:
            return sum(connection.execute(PUT_SCAN, row).rowcount for row in rows)

    def scans(self, tracking_number: str) -> Sequence[Scan]:
        """Return all scans, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(OF_NUMBER, {"number": tracking_number}).mappings()
            return [Scan(**row) for row in rows]
