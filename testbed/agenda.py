"""What the testbed still has to do, in its database, so that a restart forgets nothing."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from testbed.database import Database, Json

log = logging.getLogger(__name__)

AT_ONCE = 64


class Clock:
    """Real time plus what the control API has added; epoch seconds, UTC."""

    def __init__(self, db: Database) -> None:
        self._db = db
        row = db.row("SELECT value FROM setting WHERE name = 'clock.offset'")
        self._offset = float(row["value"]) if row else 0.0

    def now(self) -> float:
        """Return the testbed's time."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> float:
        """Move the clock forward for good and return the new time."""
        self._offset += seconds
        self._db.run(
            "INSERT OR REPLACE INTO setting (name, value) VALUES ('clock.offset', ?)", self._offset
        )
        return self.now()


class Later(Exception):
    """The try failed and counts as one; do it again in some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class Task:
    """One thing to do at ``due``. Tasks of the same subject never run side by side."""

    id: int
    due: float
    kind: str
    subject: str
    payload: Json
    attempts: int


Local = Callable[[Task], None]
Remote = Callable[[Task], Awaitable[float | None]]


class Agenda:
    """Runs tasks when due: local ones in one transaction, remote ones at least once."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock
        self._local: dict[str, Local] = {}
        self._remote: dict[str, Remote] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._awake = asyncio.Event()

    def on(self, kind: str, do: Local) -> None:
        """Register a step that only changes our database; it commits together with its task."""
        self._local[kind] = do

    def on_call(self, kind: str, do: Remote) -> None:
        """Register a step that calls out: it returns seconds until the next step, None at the end.

        It raises ``Later`` when the step failed and has to be tried again.
        """
        self._remote[kind] = do

    def add(self, kind: str, subject: str, due: float, **payload: object) -> None:
        """Plan a task; inside a transaction it exists only if that commits."""
        self._db.insert("task", kind=kind, subject=subject, due=due, payload=json.dumps(payload))
        self.wake()

    def drop(self, kind: str, subject: str) -> None:
        """Forget the tasks of that kind for a subject."""
        self._db.run("DELETE FROM task WHERE kind = ? AND subject = ?", kind, subject)

    def wake(self) -> None:
        """Look again at once, because a task or the clock changed."""
        self._awake.set()

    async def run(self) -> None:
        """Work until cancelled; sleeps until the next task is due or something changes."""
        try:
            while True:
                self._awake.clear()
                # One look at the clock for both, or a task due in between would be overlooked.
                now = self._clock.now()
                self._start_what_is_due(now)
                await self._sleep(now)
        finally:
            for running in list(self._busy.values()):
                running.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def _start_what_is_due(self, now: float) -> None:
        rows = self._db.rows("SELECT * FROM task WHERE due <= ? ORDER BY due, id LIMIT 500", now)
        for row in rows:
            if len(self._busy) >= AT_ONCE:
                return
            if row["subject"] not in self._busy:
                task = Task(**{**row, "payload": json.loads(row["payload"])})
                self._busy[task.subject] = asyncio.create_task(self._do(task))

    async def _sleep(self, now: float) -> None:
        row = self._db.row("SELECT MIN(due) AS due FROM task WHERE due > ?", now)
        due = row["due"] if row else None
        wait = None if due is None else max(0.0, due - self._clock.now())
        try:
            await asyncio.wait_for(self._awake.wait(), wait)
        except TimeoutError:
            return

    async def _do(self, task: Task) -> None:
        try:
            if task.kind in self._local:
                with self._db.transaction():
                    self._local[task.kind](task)
                    self._db.run("DELETE FROM task WHERE id = ?", task.id)
            else:
                self._settle(task, await self._remote[task.kind](task))
        except Later as later:
            self._settle(task, later.seconds, task.attempts + 1)
        except Exception:
            log.exception("task %s of %s failed and is tried again", task.kind, task.subject)
            self._settle(task, 5.0, task.attempts + 1)
        finally:
            del self._busy[task.subject]
            self.wake()

    def _settle(self, task: Task, again_in: float | None, attempts: int = 0) -> None:
        if again_in is None:
            self._db.run("DELETE FROM task WHERE id = ?", task.id)
            return
        sql = "UPDATE task SET due = ?, attempts = ? WHERE id = ?"
        self._db.run(sql, self._clock.now() + again_in, attempts, task.id)
