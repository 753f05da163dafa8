"""Everything the parts of the testbed share: database, clock, agenda, fault plan, settings."""

import json
from typing import Any

import httpx

from testbed.agenda import Agenda, Clock
from testbed.database import Database
from testbed.faults import FaultPlan
from testbed.settings import Settings


class World:
    """One outside world on one database file. Built once per process, used on one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.db = Database(settings.db)
        self.clock = Clock(self.db)
        self.agenda = Agenda(self.db, self.clock)
        self.faults = FaultPlan(self.db, settings.seed)
        self.settings = settings.changed(self._kept_settings())
        self.http = httpx.AsyncClient(timeout=10.0, trust_env=False, follow_redirects=False)

    def now(self) -> float:
        """Return the testbed's time in epoch seconds."""
        return self.clock.now()

    def change_settings(self, patch: dict[str, Any]) -> Settings:
        """Apply and keep run-time settings; they win over start-up ones after a restart too.

        Raises:
            ValueError: an unknown or start-up-only name, or a value out of range.
        """
        changed = self.settings.changed(patch)
        kept = {**self._kept_settings(), **{name: getattr(changed, name) for name in patch}}
        self.db.run(
            "INSERT OR REPLACE INTO setting (name, value) VALUES ('run-time', ?)", json.dumps(kept)
        )
        self.settings = changed
        self.agenda.wake()
        return changed

    def backoff(self, attempts: int) -> float:
        """Return the seconds to wait after that many failed tries, doubling up to the ceiling."""
        doubled = self.settings.retry_seconds * 2.0 ** min(attempts, 30)
        return min(doubled, self.settings.retry_ceiling_seconds)

    async def close(self) -> None:
        """Let go of connections and the database file."""
        await self.http.aclose()
        self.db.close()

    def _kept_settings(self) -> dict[str, Any]:
        row = self.db.row("SELECT value FROM setting WHERE name = 'run-time'")
        kept: dict[str, Any] = json.loads(row["value"]) if row else {}
        return kept
