"""The testbed's own SQLite file. One connection on one event loop: a transaction is never split."""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Json = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS object (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  owner TEXT NOT NULL, order_id TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_owner ON object (kind, owner);
CREATE INDEX IF NOT EXISTS object_order ON object (kind, order_id);
CREATE TABLE IF NOT EXISTS stored_answer (
  scope TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
  status INTEGER NOT NULL, body TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (scope, key));
CREATE TABLE IF NOT EXISTS task (
  id INTEGER PRIMARY KEY, due REAL NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
  payload TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS task_due ON task (due);
CREATE INDEX IF NOT EXISTS task_subject ON task (kind, subject);
CREATE TABLE IF NOT EXISTS fault_rule (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
  seen INTEGER NOT NULL DEFAULT 0, hits INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS delivery (
  seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL, provider TEXT NOT NULL, type TEXT NOT NULL,
  subject TEXT NOT NULL, body TEXT NOT NULL, created REAL NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, last_status INTEGER);
CREATE TABLE IF NOT EXISTS ledger (
  seq INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, order_id TEXT NOT NULL,
  purpose TEXT, intent TEXT NOT NULL, object_id TEXT NOT NULL, amount INTEGER NOT NULL,
  currency TEXT NOT NULL, metadata TEXT NOT NULL, idempotency_key TEXT);
CREATE INDEX IF NOT EXISTS ledger_order ON ledger (order_id);
CREATE INDEX IF NOT EXISTS ledger_intent ON ledger (intent);
CREATE TRIGGER IF NOT EXISTS ledger_kept BEFORE DELETE ON ledger
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS ledger_fixed BEFORE UPDATE ON ledger
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TABLE IF NOT EXISTS parcel (
  tracking_number TEXT PRIMARY KEY, shipment_id TEXT NOT NULL, tracker_id TEXT NOT NULL,
  reference TEXT NOT NULL, carrier TEXT NOT NULL, service TEXT NOT NULL, cost INTEGER NOT NULL,
  currency TEXT NOT NULL, is_return INTEGER NOT NULL, status TEXT NOT NULL, fate TEXT,
  scans INTEGER NOT NULL DEFAULT 0, bought_at REAL NOT NULL, refund_status TEXT,
  refund_requested_at REAL, refunded_at REAL, handed_over_at REAL, delivered_at REAL);
CREATE INDEX IF NOT EXISTS parcel_shipment ON parcel (shipment_id);
CREATE TABLE IF NOT EXISTS warehouse_shipment (
  shipment_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, location TEXT NOT NULL,
  request TEXT NOT NULL, lines TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
  tracking_number TEXT, polls INTEGER NOT NULL DEFAULT 0, accepted_at REAL NOT NULL,
  packed_at REAL, handed_over_at REAL, cancelled_at REAL);
CREATE INDEX IF NOT EXISTS warehouse_shipment_order ON warehouse_shipment (order_id);
CREATE TABLE IF NOT EXISTS warehouse_return (
  return_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, location TEXT NOT NULL,
  tracking_number TEXT NOT NULL, request TEXT NOT NULL, lines TEXT NOT NULL,
  status TEXT NOT NULL, reason TEXT, announced_at REAL NOT NULL, received_at REAL,
  inspected_at REAL);
CREATE INDEX IF NOT EXISTS warehouse_return_tracking ON warehouse_return (tracking_number);
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,
  subject TEXT NOT NULL, order_id TEXT NOT NULL, body TEXT NOT NULL, html TEXT, raw BLOB NOT NULL);
"""


def new_id(prefix: str) -> str:
    """Return a fresh provider-style id such as ``pi_3f…``."""
    return f"{prefix}_{secrets.token_hex(12)}"


class Database:
    """Plain rows, and JSON documents (the wire objects themselves) kept by id."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; nothing may be called after."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside or nothing; an inner transaction joins the outer one."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement and return how many rows it touched."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, table: str, **row: Any) -> int:
        """Insert one row and return its row id; table and column names are the caller's own."""
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
        return int(self._connection.execute(sql, tuple(row.values())).lastrowid or 0)

    def rows(self, sql: str, *values: Any) -> list[Json]:
        """Return all rows as dictionaries."""
        return [dict(row) for row in self._connection.execute(sql, values)]

    def row(self, sql: str, *values: Any) -> Json | None:
        """Return the first row, or None."""
        row = self._connection.execute(sql, values).fetchone()
        return dict(row) if row else None

    def put(self, kind: str, body: Json, owner: str = "", order_id: str = "") -> Json:
        """Store or replace a wire object; its place in the list order never changes."""
        self.run(
            "INSERT INTO object (id, kind, owner, order_id, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body, order_id = excluded.order_id",
            *(body["id"], kind, owner, order_id, json.dumps(body)),
        )
        return body

    def get(self, object_id: str, kind: str | None = None) -> Json | None:
        """Return a wire object, or None if there is none of that id (and kind)."""
        row = self.row("SELECT kind, body FROM object WHERE id = ?", object_id)
        if row is None or (kind and row["kind"] != kind):
            return None
        body: Json = json.loads(row["body"])
        return body
