"""The audit of external effects: intent before, outcome after, chained by hashes (A1)."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from domain.errors import EffectRefused
from store.alerts import raise_alert
from store.intake import put_reference
from store.part import Part, put
from store.tables.audit import effect_heads, effects

INTENT = "intent"
GENESIS = "0" * 64
"""What the first row of a chain follows on."""

OF_KEY = (
    select(effects.c.phase, effects.c.kind, effects.c.detail)
    .where(effects.c.order_id == bindparam("order"), effects.c.key == bindparam("k"))
    .order_by(effects.c.seq)
)
OF_ORDER = select(effects).where(effects.c.order_id == bindparam("order")).order_by(effects.c.seq)
HEAD = select(effect_heads.c.seq, effect_heads.c.hash).where(
    effect_heads.c.order_id == bindparam("order")
)
ADD = insert(effects)
SET_HEAD = put(effect_heads)


class Effects(Part):
    """What was asked of the world, and what came of it."""

    def intend(self, order_id: str, key: str, kind: str, detail: dict[str, str]) -> None:
        """Write that an effect is about to be asked for; a repeat is a no-op.

        Raises:
            EffectRefused: ``key_reused``, the same key for another effect; operators are alerted.
        """
        with self._database.write() as connection:
            rows = self._of_key(connection, order_id, key)
            intent = next((row for row in rows if row.phase == INTENT), None)
            if intent is None:
                self._append(connection, order_id, key, INTENT, kind, detail)
                return
            if intent.kind == kind and json.loads(intent.detail) == detail:
                return
            text = f"key {key} was meant for {intent.kind}, now {kind} with other parameters"
            raise_alert(connection, "key_reused", order_id, text, self._database.now())
        raise EffectRefused(f"{order_id}: {text}", "key_reused")

    def conclude(self, order_id: str, key: str, outcome: str, detail: dict[str, str]) -> None:
        """Write what came of an effect; keyed by (key, outcome).

        A ``reference`` in ``detail`` (the provider's) is remembered as this order's, for
        ``order_of_payment``.
        """
        with self._database.write() as connection:
            rows = self._of_key(connection, order_id, key)
            if any(row.phase == outcome for row in rows):
                return
            kind = rows[0].kind if rows else ""
            self._append(connection, order_id, key, outcome, kind, detail)
            if detail.get("reference"):
                put_reference(connection, order_id, detail["reference"])

    def outcome(self, order_id: str, key: str) -> tuple[str, dict[str, str]] | None:
        """Return the last conclusion of an effect, when there is one."""
        with self._database.read() as connection:
            rows = connection.execute(OF_KEY, {"order": order_id, "k": key}).all()
            concluded = [row for row in rows if row.phase != INTENT]
            return (concluded[-1].phase, json.loads(concluded[-1].detail)) if concluded else None

    def effects(self, order_id: str) -> Sequence[dict[str, Any]]:
        """Return all rows of an order in order, with their hashes."""
        with self._database.read() as connection:
            rows = connection.execute(OF_ORDER, {"order": order_id}).mappings()
            return [{**row, "detail": json.loads(row["detail"])} for row in rows]

    def verify_chain(self, order_id: str) -> bool:
        """Return whether no row was removed or changed, the last one included."""
        with self._database.read() as connection:
            rows = connection.execute(OF_ORDER, {"order": order_id}).mappings().all()
            head = connection.execute(HEAD, {"order": order_id}).one_or_none()
            return chain_holds(rows, (head.seq, head.hash) if head else None)

    def _of_key(self, connection: Connection, order_id: str, key: str) -> Sequence[Any]:
        self._database.lock(connection, "effects", order_id)
        return connection.execute(OF_KEY, {"order": order_id, "k": key}).all()

    def _append(
        self,
        connection: Connection,
        order_id: str,
        key: str,
        phase: str,
        kind: str,
        detail: dict[str, str],
    ) -> None:
        head = connection.execute(HEAD, {"order": order_id}).one_or_none()
        row = {
            "order_id": order_id,
            "seq": head.seq + 1 if head else 1,
            "key": key,
            "phase": phase,
            "kind": kind,
            "detail": json.dumps(detail, sort_keys=True),
            "at": self._database.now(),
        }
        row["hash"] = link(head.hash if head else GENESIS, row)
        connection.execute(ADD, row)
        connection.execute(SET_HEAD, {k: row[k] for k in ("order_id", "seq", "hash")})


def link(previous: str, row: Any) -> str:
    """Return the hash of a row that follows on ``previous``."""
    at: datetime = row["at"]
    content = [previous, row["order_id"], row["seq"], row["key"], row["phase"], row["kind"]]
    text = json.dumps([*content, json.loads(row["detail"]), at.isoformat()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def chain_holds(rows: Sequence[Any], head: tuple[int, str] | None) -> bool:
    """Return whether an order's rows link up from the first to the recorded head."""
    previous = GENESIS
    for seq, row in enumerate(rows, start=1):
        if row["seq"] != seq or row["hash"] != link(previous, row):
            return False
        previous = row["hash"]
    return (len(rows), previous) == (head or (0, GENESIS))
