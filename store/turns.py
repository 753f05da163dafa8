"""Whose turn it is: orders of the queue for which free units lie on a shelf."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select, true

from domain.stock import Turn
from store.part import Part
from store.tables.stock import levels, locations, queue

_free = levels.c.on_hand - levels.c.reserved - levels.c.safety_stock
FREE = (
    select(levels.c.sku, func.sum(_free).label("free"))
    .join(locations, locations.c.code == levels.c.location)
    .where(levels.c.sku.in_(select(queue.c.sku)), _free > 0, locations.c.active == true())
    .group_by(levels.c.sku)
    .subquery()
)
_turn = (queue.c.priority, queue.c.since, queue.c.order_id, queue.c.line_id)
_so_far = func.sum(queue.c.quantity).over(partition_by=queue.c.sku, order_by=_turn)
IN_TURN = (
    select(queue, FREE.c.free, (_so_far - queue.c.quantity).label("before"))
    .join(FREE, FREE.c.sku == queue.c.sku)
    .subquery()
)
_in_turn = (IN_TURN.c.priority, IN_TURN.c.since, IN_TURN.c.order_id, IN_TURN.c.line_id)
SERVABLE = (
    select(IN_TURN.c.order_id, IN_TURN.c.sku, IN_TURN.c.free)
    .where(IN_TURN.c.before < IN_TURN.c.free)
    .order_by(*_in_turn)
    .limit(bindparam("at_most"))
)
SERVABLE_WITH = SERVABLE.where(IN_TURN.c.sku == bindparam("s"))


class Turns(Part):
    """The queue, as far as free units reach."""

    def servable(self, limit: int = 500, sku: str = "") -> Sequence[Turn]:
        """Return orders that wait for units which are free now: by priority, then age, and of each
        SKU only as many as its free units cover (the last one perhaps in part).

        Args:
            sku: only these units; all when empty.
        """
        asked = {"at_most": limit, "s": sku} if sku else {"at_most": limit}
        with self._database.read() as connection:
            rows = connection.execute(SERVABLE_WITH if sku else SERVABLE, asked)
            turns = [Turn(order_id=row.order_id, sku=row.sku, free=row.free) for row in rows]
        return list(dict.fromkeys(turns))
