"""The product's own audit over a store in memory: its rows are poured into SQLite's real tables,
whose checks and keys they must pass."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Engine, StaticPool, create_engine, insert

from store.audit import Violation, violations
from store.columns import table_of
from store.database import SqlStore
from store.intake import content_of
from store.tables import access, audit, intake, metadata, orders, parcels, stock
from tests.fakes.stores.memory import MemoryStore
from tests.fakes.stores.tables import Row, Tables

__all__ = ["audited", "poured"]

Rows = Iterator[Row]


def audited(store: MemoryStore, now: datetime) -> Sequence[Violation]:
    """Return what ``waybill audit`` would find, by invariant and subject.

    Raises:
        sqlalchemy.exc.IntegrityError: a row breaks a check of the real tables.
    """
    with poured(store) as database:
        return violations(cast(SqlStore, database), now)


@contextmanager
def poured(store: MemoryStore) -> Iterator["Poured"]:
    """Fill the real tables, in a database in memory, with the rows of a store."""
    for order_id in store.tables.effects:
        store.link_up(order_id)
    with _engine().connect() as connection:
        try:
            for table, rows in _everything(store.tables):
                if rows:
                    connection.execute(insert(table), rows)
            yield Poured(connection)
        finally:
            connection.rollback()


class Poured:
    """As much of a ``SqlStore`` and of its ``Database`` as the audit asks for."""

    sqlite = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def database(self) -> "Poured":
        """This."""
        return self

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read what was poured."""
        yield self._connection


@cache
def _engine() -> Engine:
    engine = create_engine(
        "sqlite://",
        poolclass=StaticPool,
        json_serializer=lambda value: value if isinstance(value, str) else json.dumps(value),
        json_deserializer=lambda text: text,
    )
    metadata.create_all(engine)
    return engine


def _everything(tables: Tables) -> Iterator[tuple[Any, list[Row]]]:
    yield intake.orders, list(_orders(tables))
    yield intake.revisions, list(_revisions(tables))
    yield intake.deliveries, list(tables.deliveries.values())
    yield intake.parked_cancels, list(_parked(tables))
    references = tables.references.items()
    yield intake.payment_references, [{"reference": r, "order_id": o} for r, o in references]
    yield orders.projections, list(_projections(tables))
    yield orders.order_lines, list(_lines(tables))
    yield orders.shipments, list(_parcels(tables.shipments, orders.ShipmentRecord))
    yield orders.returns, list(_parcels(tables.returns, orders.ReturnRecord))
    yield orders.status_changes, [row for rows in tables.changes.values() for row in rows]
    yield orders.timeline, list(_timeline(tables))
    yield (
        stock.locations,
        [
            {"code": p.code, "active": p.active, "document": p.model_dump_json()}
            for p in tables.locations.values()
        ],
    )
    yield (
        stock.products,
        [{"sku": p.sku, "document": p.model_dump_json()} for p in tables.products.values()],
    )
    yield stock.levels, list(_levels(tables))
    yield stock.reservations, [r for rows in tables.reservations.values() for r in rows.values()]
    yield stock.movements, list(tables.booked.values())
    yield stock.inbounds, list(tables.inbounds.values())
    queued = [entry for rows in tables.queue.values() for entry in rows.values()]
    yield stock.queue, [entry.model_dump() for entry in queued]
    yield audit.effects, list(_effects(tables))
    yield audit.effect_heads, list(_heads(tables))
    yield audit.messages, [row for rows in tables.messages.values() for row in rows.values()]
    yield audit.alerts, tables.alerts
    yield parcels.labels, list(tables.labels.values())
    yield parcels.scans, list(_scans(tables))
    yield (
        access.idempotency,
        [{"caller": caller, "key": key} | row for (caller, key), row in tables.requests.items()],
    )


def _orders(tables: Tables) -> Rows:
    for order_id, row in tables.orders.items():
        order, ship_to = row["order"], row["ship_to"]
        yield content_of(order) | {
            "order_id": order_id,
            "channel": order.channel,
            "external_id": order.external_id,
            "number": order.number,
            "body_hash": row["body_hash"],
            "ship_to": ship_to.model_dump_json() if ship_to else None,
            "currency": order.currency,
            "policy_version": row["policy_version"],
            "started": order_id not in tables.unstarted,
            "placed_at": order.placed_at,
            "created_at": row["created_at"],
        }


def _revisions(tables: Tables) -> Rows:
    for order_id, former in tables.revisions.items():
        for no, (order, at) in enumerate(former, start=1):
            row = {"order_id": order_id, "no": no, "document": order.model_dump_json()}
            yield row | {"replaced_at": at}


def _parked(tables: Tables) -> Rows:
    for (channel, external_id), row in tables.parked.items():
        document = row["delivery"].model_dump_json()
        yield row | {"channel": channel, "external_id": external_id, "delivery": document}


def _projections(tables: Tables) -> Rows:
    for order_id, row in tables.projections.items():
        progress, order = row["progress"], tables.orders[order_id]["order"]
        money = progress.money if progress else None
        holds = [hold.kind.value for hold in progress.holds] if progress else []
        yield row | {
            "order_id": order_id,
            "holds": "," + "".join(f"{kind}," for kind in holds),
            "progress": progress.model_dump_json() if progress else None,
            "currency": money.currency if money else order.currency,
            "authorised": money.authorised if money else 0,
            "captured": money.captured if money else 0,
            "refunded": money.refunded if money else 0,
            "promise": progress.promise if progress else None,
            "ended_at": progress.ended_at if progress else None,
        }


def _lines(tables: Tables) -> Rows:
    for order_id, rows in tables.lines.items():
        for line_id, line in rows.items():
            key = {"order_id": order_id, "line_id": line_id, "sku": line.sku}
            yield key | {"ordered": line.units.ordered} | line.units.model_dump()


def _parcels(parcels: dict[str, tuple[str, Any]], record: Any) -> Rows:
    columns = [column.name for column in table_of(record).columns if column.name != "order_id"]
    for order_id, parcel in parcels.values():
        yield {name: getattr(parcel, name) for name in columns} | {"order_id": order_id}


def _timeline(tables: Tables) -> Rows:
    for order_id, events in tables.timeline.items():
        for event in events.values():
            yield dict(event) | {"order_id": order_id, "data": json.dumps(event.data)}


def _levels(tables: Tables) -> Rows:
    for sku, places in tables.levels.items():
        for location, level in places.items():
            units = {"on_hand": level.on_hand, "reserved": level.reserved}
            key = {"sku": sku, "location": location}
            yield key | units | {"safety_stock": level.safety_stock}


def _effects(tables: Tables) -> Rows:
    for rows in tables.effects.values():
        for row in rows:
            yield row | {"detail": json.dumps(row["detail"], sort_keys=True)}


def _heads(tables: Tables) -> Rows:
    for order_id, count in tables.effect_counts.items():
        rows = tables.effects.get(order_id)
        yield {"order_id": order_id, "seq": count, "hash": rows[-1]["hash"] if rows else ""}


def _scans(tables: Tables) -> Rows:
    for number, rows in tables.scans.items():
        for (carrier, _, _), scan in rows.items():
            yield dict(scan) | {"carrier": carrier, "tracking_number": number}
