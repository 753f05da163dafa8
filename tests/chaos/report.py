"""What a run ends with: one line of JSON for machines, the faults in words for people."""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from cli.audit_books import Violation
from store.database import SqlStore
from store.effects import INTENT
from store.tables.audit import effects, messages
from tests.chaos.killing import Kill
from tests.chaos.plan import PARTS
from tests.chaos.verdict import percentile

GOALS = {"worker": (95, 5.0), "temporal": (100, 15.0)}
"""Part → the percentile, and within how many seconds it is to work again."""

FAULTS = ("workflow_task_failed", "key_reused", "order_conflict", "stock_mismatch")
"""Alerts that no kill excuses."""


@dataclass(frozen=True)
class Report:
    """Counts and faults of one run. ``repeats`` are requests sent again until they were answered,
    ``unsent`` messages that a dying worker had claimed (at most once, N1)."""

    seed: int
    kills: Sequence[Kill]
    orders: int
    answers: int
    repeats: int
    lost: Sequence[str]
    doubled: Sequence[str]
    stuck: Sequence[str]
    broken: Sequence[str]
    trouble: Sequence[str]
    unreplayable: Sequence[str]
    audit: Sequence[Violation]
    unsent: int = 0
    interrupted: Mapping[str, Sequence[float]] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every promise held. How long things took is said, and does not decide."""
        return not self.faults()

    def faults(self) -> list[str]:
        """Return everything that is wrong, readable."""
        kinds = {
            "lost": self.lost, "doubled": self.doubled, "stuck": self.stuck,
            "broken": self.broken, "trouble": self.trouble, "no replay": self.unreplayable,
            "never back": [
                f"{kill.part} {kill.pid}"
                for kill in self.kills
                if kill.back is None and not kill.overtaken
            ],
            "audit": [f"{one.promise} {one.order_id}: {one.text}" for one in self.audit],
        }  # fmt: skip
        return [f"{kind}: {text}" for kind, texts in kinds.items() for text in texts]

    def missed(self) -> list[str]:
        """Return which goals of time were missed."""
        found = []
        for part, (share, goal) in GOALS.items():
            took = percentile(self._back(part), share)
            if took is not None and took > goal:
                found.append(f"{part} p{share} {took} s, the goal is {goal:g} s")
        return found

    def line(self) -> str:
        """Return the run as one line of JSON."""
        kills = Counter(kill.part for kill in self.kills)
        return json.dumps(
            {
                "ok": self.ok,
                "seed": self.seed,
                "kills": {**{part: kills[part] for part in PARTS}, "total": len(self.kills)},
                "orders": self.orders,
                "ended": dict(self.places),
                "answers": self.answers,
                "repeats": self.repeats,
                "lost": len(self.lost),
                "doubled": len(self.doubled),
                "stuck": len(self.stuck),
                "broken": len(self.broken),
                "trouble": len(self.trouble),
                "unreplayable": len(self.unreplayable),
                "unsent": self.unsent,
                "recovery_p50": {part: percentile(self._back(part), 50) for part in PARTS},
                "recovery_p95": {part: percentile(self._back(part), 95) for part in PARTS},
                "recovery_max": {part: percentile(self._back(part), 100) for part in PARTS},
                "orders_moved_p95": {part: percentile(self._moved(part), 95) for part in PARTS},
                "interrupted_steps": self._steps(),
                "missed": self.missed(),
                "load_average": round(os.getloadavg()[1], 1),
                "audit": "clean" if not self.audit else [one.model_dump() for one in self.audit],
            }
        )

    def _back(self, part: str) -> list[float]:
        return [kill.back for kill in self.kills if kill.part == part and kill.back is not None]

    def _moved(self, part: str) -> list[float]:
        return [kill.moved for kill in self.kills if kill.part == part and kill.moved is not None]

    def _steps(self) -> dict[str, Any]:
        return {
            part: {"count": len(took), "p50": percentile(took, 50), "max": percentile(took, 100)}
            for part, took in self.interrupted.items()
        }


def unsettled(store: SqlStore) -> set[tuple[str, str]]:
    """Return (order, message) of every message of which nobody knows whether it went out."""
    open_ = select(messages).where(messages.c.outcome.in_(("", "unknown")))
    with store.database.read() as connection:
        return {(row.order_id, f"{row.template} no. {row.no}") for row in connection.execute(open_)}


def without(found: Sequence[Violation], unsent: set[tuple[str, str]]) -> list[Violation]:
    """Return the violations that are not the audit's report of such a message.

    A message is sent at most once: one that a kill left claimed is reported, for a person to look
    at. That is what was promised (N1).
    """
    return [
        one
        for one in found
        if one.promise != "N1" or (one.order_id, one.text.split(":")[0]) not in unsent
    ]


def alarms(store: SqlStore) -> list[str]:
    """Return what operators were told that should never happen."""
    return [f"{one['kind']}: {one['text']}" for one in store.alerts(1000) if one["kind"] in FAULTS]


def interrupted(store: SqlStore, kills: Sequence[Kill]) -> Mapping[str, Sequence[float]]:
    """Return by part how long calls to the outside that a kill met took to come to an end,
    in seconds from the restart."""
    with store.database.read() as connection:
        rows = connection.execute(
            select(effects.c.order_id, effects.c.key, effects.c.phase, effects.c.at)
        ).all()
    intents = {(row.order_id, row.key): row.at for row in rows if row.phase == INTENT}
    spans = [
        (intents[row.order_id, row.key], row.at)
        for row in rows
        if row.phase != INTENT and (row.order_id, row.key) in intents
    ]
    took: dict[str, list[float]] = {part: [] for part in PARTS}
    for kill in kills:
        at = datetime.fromtimestamp(kill.at, UTC)
        for began, ended in spans:
            if began < at < ended:
                took[kill.part].append((ended - at).total_seconds() - kill.away)
    return took
