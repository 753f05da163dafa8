"""Messages are claimed before they are sent, so that none is sent twice (N1)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from store.part import Part, put_once
from store.tables.audit import messages

CLAIM = put_once(messages)
SETTLE = update(messages).where(
    messages.c.order_id == bindparam("o"),
    messages.c.template == bindparam("t"),
    messages.c.no == bindparam("subject"),
)
AGAIN = SETTLE.where(messages.c.outcome == "not_sent")
OF_ORDER = (
    select(messages)
    .where(messages.c.order_id == bindparam("order"))
    .order_by(messages.c.claimed_at, messages.c.template, messages.c.no)
)


class Messages(Part):
    """At most one send per (order, template, subject number)."""

    def claim(self, order_id: str, template: str, no: int) -> bool:
        """Claim a message before it is sent; False when it was claimed before, unless it is certain
        that nothing went out then."""
        key = {"o": order_id, "t": template, "subject": no}
        row = {"order_id": order_id, "template": template, "no": no, "outcome": ""}
        with self._database.write() as connection:
            claimed = {"claimed_at": self._database.now(), "settled_at": None}
            if connection.execute(CLAIM, row | claimed).rowcount == 1:
                return True
            return connection.execute(AGAIN, key | claimed | {"outcome": ""}).rowcount == 1

    def settle(self, order_id: str, template: str, no: int, outcome: str) -> None:
        """Write ``sent``, ``refused``, ``unknown`` or ``not_sent``."""
        key = {"o": order_id, "t": template, "subject": no}
        with self._database.write_one() as connection:
            settled = {"outcome": outcome, "settled_at": self._database.now()}
            connection.execute(SETTLE, key | settled)

    def messages(self, order_id: str) -> Sequence[dict[str, Any]]:
        """Return the order's messages with their outcomes; empty is claimed and never settled."""
        with self._database.read() as connection:
            rows = connection.execute(OF_ORDER, {"order": order_id}).mappings()
            return [dict(row) for row in rows]
