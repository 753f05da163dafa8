"""The audit of effects, messages, labels and scans, in memory."""

import json
from collections.abc import Sequence
from typing import Any

from domain.errors import EffectRefused
from ports.carriers import Scan
from store.effects import GENESIS, INTENT, link
from tests.fakes.stores.alerts import raise_alert
from tests.fakes.stores.tables import Part, Row, transaction, utc


class Effects(Part):
    """What was asked of the world, and what came of it. Hashes are made when they are asked for."""

    @transaction
    def intend(self, order_id: str, key: str, kind: str, detail: dict[str, str]) -> None:
        """Write that an effect is about to be asked for; a repeat is a no-op."""
        rows = self.tables.of_key.get((order_id, key), ())
        intent = next((row for row in rows if row["phase"] == INTENT), None)
        if intent is None:
            self._append(order_id, key, INTENT, kind, detail)
        elif (intent["kind"], intent["detail"]) != (kind, detail):
            text = f"key {key} was meant for {intent['kind']}, now {kind} with other parameters"
            raise_alert(self.tables, "key_reused", order_id, text, self.now())
            raise EffectRefused(f"{order_id}: {text}", "key_reused")

    @transaction
    def conclude(self, order_id: str, key: str, outcome: str, detail: dict[str, str]) -> None:
        """Write what came of an effect; keyed by (key, outcome)."""
        rows = self.tables.of_key.get((order_id, key), ())
        if any(row["phase"] == outcome for row in rows):
            return
        self._append(order_id, key, outcome, rows[0]["kind"] if rows else "", detail)
        if detail.get("reference"):
            self.tables.references.setdefault(detail["reference"], order_id)

    @transaction
    def outcome(self, order_id: str, key: str) -> tuple[str, dict[str, str]] | None:
        """Return the last conclusion of an effect, when there is one."""
        for row in reversed(self.tables.of_key.get((order_id, key), ())):
            if row["phase"] != INTENT:
                return row["phase"], dict(row["detail"])
        return None

    @transaction
    def effects(self, order_id: str) -> Sequence[dict[str, Any]]:
        """Return all rows of an order in order, with their hashes."""
        self.link_up(order_id)
        return [dict(row) for row in self.tables.effects.get(order_id, ())]

    @transaction
    def verify_chain(self, order_id: str) -> bool:
        """Return whether no row was removed, or changed since its hash was first asked for."""
        self.link_up(order_id)
        rows, previous = self.tables.effects.get(order_id, []), GENESIS
        for seq, row in enumerate(rows, start=1):
            if row["seq"] != seq or row["hash"] != _link(previous, row):
                return False
            previous = row["hash"]
        return len(rows) == self.tables.effect_counts.get(order_id, 0)

    def _append(
        self, order_id: str, key: str, phase: str, kind: str, detail: dict[str, str]
    ) -> None:
        rows = self.tables.effects.setdefault(order_id, [])
        count = self.tables.effect_counts.get(order_id, 0) + 1
        self.tables.effect_counts[order_id] = count
        row: Row = {"order_id": order_id, "seq": count, "key": key, "phase": phase, "kind": kind}
        row |= {"detail": dict(detail), "at": self.now()}
        rows.append(row)
        self.tables.of_key.setdefault((order_id, key), []).append(row)

    def link_up(self, order_id: str) -> None:
        """Hash the rows of an order that have no hash yet."""
        previous = GENESIS
        for row in self.tables.effects.get(order_id, ()):
            if "hash" not in row:
                row["hash"] = _link(previous, row)
            previous = row["hash"]


def _link(previous: str, row: Row) -> str:
    return link(previous, row | {"detail": json.dumps(row["detail"])})


class Messages(Part):
    """At most one send per (order, template, subject number)."""

    @transaction
    def claim(self, order_id: str, template: str, no: int) -> bool:
        """Claim a message before it is sent; False when it was claimed before, unless it is certain
        that nothing went out then."""
        rows = self.tables.messages.setdefault(order_id, {})
        known = rows.get((template, no))
        if known is not None and known["outcome"] != "not_sent":
            return False
        row: Row = {"order_id": order_id, "template": template, "no": no, "outcome": ""}
        rows[template, no] = row | {"claimed_at": self.now(), "settled_at": None}
        return True

    @transaction
    def settle(self, order_id: str, template: str, no: int, outcome: str) -> None:
        """Write ``sent``, ``refused``, ``unknown`` or ``not_sent``."""
        row = self.tables.messages.get(order_id, {}).get((template, no))
        if row is not None:
            row.update(outcome=outcome, settled_at=self.now())

    @transaction
    def messages(self, order_id: str) -> Sequence[dict[str, Any]]:
        """Return the order's messages with their outcomes; empty is claimed and never settled."""
        rows = self.tables.messages.get(order_id, {}).values()
        turn = ("claimed_at", "template", "no")
        return [dict(row) for row in sorted(rows, key=lambda row: [row[k] for k in turn])]


class Parcels(Part):
    """What carriers gave us."""

    @transaction
    def save_label(self, subject: str, order_id: str, tracking_number: str, pdf: bytes) -> None:
        """Keep a label document of a shipment or return; a repeat replaces it."""
        row = {"subject": subject, "order_id": order_id, "tracking_number": tracking_number}
        self.tables.labels[subject] = row | {"pdf": pdf}
        self.tables.numbers["label"][tracking_number] = subject

    @transaction
    def label(self, subject: str) -> tuple[str, bytes] | None:
        """Return (tracking number, PDF) of a shipment or return."""
        row = self.tables.labels.get(subject)
        return (row["tracking_number"], row["pdf"]) if row else None

    @transaction
    def subject_of(self, tracking_number: str) -> tuple[str, str] | None:
        """Return (order id, shipment or return id) that a tracking number belongs to."""
        tables = self.tables
        subjects = {kind: of.get(tracking_number, "") for kind, of in tables.numbers.items()}
        label = tables.labels.get(subjects["label"])
        if not tracking_number:
            return None
        if label and label["tracking_number"] == tracking_number:
            return label["order_id"], subjects["label"]
        for subject, found in (
            (subjects["shipment"], tables.shipments.get(subjects["shipment"])),
            (subjects["return"], tables.returns.get(subjects["return"])),
        ):
            if found and found[1].tracking_number == tracking_number:
                return found[0], subject
        return None

    @transaction
    def add_scans(self, carrier: str, tracking_number: str, scans: Sequence[Scan]) -> int:
        """Add scans, a set keyed by (carrier, number, code, at); return how many were new."""
        rows = self.tables.scans.setdefault(tracking_number, {})
        dated = [scan.model_copy(update={"at": utc(scan.at)}) for scan in scans]
        before = len(rows)
        for scan in dated:
            rows.setdefault((carrier, scan.code, scan.at), scan)
        return len(rows) - before

    @transaction
    def scans(self, tracking_number: str) -> Sequence[Scan]:
        """Return all scans, oldest first."""
        rows = self.tables.scans.get(tracking_number, {}).values()
        return sorted(rows, key=lambda scan: (scan.at, scan.code))
