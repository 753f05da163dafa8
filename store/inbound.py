"""Units on their way: announced, then used up by the receipts that bring them."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from domain.stock import Inbound
from store.levels import Place
from store.part import Part, put_once
from store.tables.stock import inbounds

ANNOUNCE = put_once(inbounds)
COMING = (
    select(inbounds)
    .where(inbounds.c.sku == bindparam("s"), inbounds.c.remaining > 0)
    .order_by(inbounds.c.expected_on, inbounds.c.key)
)
COMING_HERE = COMING.where(inbounds.c.location == bindparam("l")).with_for_update()
ARRIVED = update(inbounds).where(inbounds.c.key == bindparam("k"))


class Inbounds(Part):
    """What is on its way."""

    def inbound(self, sku: str) -> Sequence[Inbound]:
        """Return what is still on its way, soonest first."""
        with self._database.read() as connection:
            return [
                Inbound(
                    sku=row.sku,
                    location=row.location,
                    quantity=row.remaining,
                    expected_on=row.expected_on,
                )
                for row in connection.execute(COMING, {"s": sku})
            ]

    def save_inbound(self, inbound: Inbound, key: str) -> None:
        """Announce units on their way; a repeat of ``key`` is a no-op."""
        row = inbound.model_dump() | {"key": key, "remaining": inbound.quantity}
        with self._database.write() as connection:
            connection.execute(ANNOUNCE, row)


def use_up(connection: Connection, place: Place, units: int) -> None:
    """Take received units off what was announced for a place, soonest first."""
    coming = connection.execute(COMING_HERE, {"s": place[0], "l": place[1]}).all()
    for row in coming:
        arrived = min(units, row.remaining)
        if arrived == 0:
            return
        connection.execute(ARRIVED, {"k": row.key, "remaining": row.remaining - arrived})
        units -= arrived
