"""The fault plan: what goes wrong, where, how often; seeded, so that a run can be repeated."""

import json
import random
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from testbed.database import Database, Json

Kind = Literal[
    "fail_before", "fail_after", "slow", "status", "decline", "duplicate", "reorder", "drop",
    "lost", "return_to_sender", "exception", "failure", "delayed",
    "short_pick", "refuse", "too_late", "damaged",
]  # fmt: skip


class FaultRule(BaseModel):
    """One thing that goes wrong. The first rule of the plan that fires decides the call.

    ``match`` is an operation name or a pattern (``payment_intents.*``); ``where`` compares fields
    of the call for equality, dotted for nested ones. ``how`` says what a failed caller sees: a 500
    or a dropped connection; ``stored`` keeps that 500 under the idempotency key as Stripe may.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = ""
    match: str
    where: dict[str, str | int | bool] = {}
    kind: Kind
    probability: float = Field(default=1.0, ge=0, le=1)
    times: int | None = Field(default=None, ge=1)
    skip: int = Field(default=0, ge=0)
    seconds: float | None = Field(default=None, ge=0)
    how: Literal["error", "drop"] = "error"
    stored: bool = False
    status: int = Field(default=503, ge=400, le=599)
    code: str | None = None
    quantity: int | None = Field(default=None, ge=1)

    def applies(self, operation: str, fields: Mapping[str, Any]) -> bool:
        """Tell whether the rule speaks about this call; a list field matches by any member."""
        return fnmatchcase(operation, self.match) and all(
            _holds(fields.get(name), wanted) for name, wanted in self.where.items()
        )


def _holds(value: Any, wanted: str | int | bool) -> bool:
    if isinstance(value, list):
        return any(_holds(member, wanted) for member in value)
    return value is not None and str(value).lower() == str(wanted).lower()


def flat(body: Mapping[str, Any], prefix: str = "") -> Json:
    """Return nested fields under dotted names, and lists of objects as lists per field name."""
    fields: Json = {}
    for name, value in body.items():
        if isinstance(value, Mapping):
            fields.update(flat(value, f"{prefix}{name}."))
        elif isinstance(value, list):
            for member in value:
                for key, one in member.items() if isinstance(member, Mapping) else ():
                    fields.setdefault(key, []).append(one)
        else:
            fields[prefix + name] = value
    return fields


class FaultPlan:
    """The rules in the database with their counters; they survive a restart."""

    def __init__(self, db: Database, seed: int) -> None:
        self._db, self._seed = db, seed

    def draw(self, operation: str, fields: Mapping[str, Any]) -> FaultRule | None:
        """Return the first rule that fires for this call, and count it."""
        for row in self._db.rows("SELECT * FROM fault_rule ORDER BY seq"):
            rule = FaultRule.model_validate_json(row["body"])
            if not rule.applies(operation, fields):
                continue
            if rule.times is not None and row["hits"] >= rule.times:
                continue
            fires = row["seen"] >= rule.skip and self._dice(rule, row["seen"]) < rule.probability
            sql = "UPDATE fault_rule SET seen = seen + 1, hits = hits + ? WHERE id = ?"
            self._db.run(sql, int(fires), rule.id)
            if fires:
                return rule
        return None

    def _dice(self, rule: FaultRule, seen: int) -> float:
        return random.Random(f"{self._seed}:{rule.id}:{seen}").random()

    def add(self, rule: FaultRule) -> None:
        """Append a rule, or replace the one with the same id; its counters start at nought."""
        self.remove(rule.id)
        if not rule.id:
            last = self._db.row("SELECT MAX(seq) AS seq FROM fault_rule")
            rule = rule.model_copy(update={"id": f"fault-{((last and last['seq']) or 0) + 1}"})
        self._db.insert("fault_rule", id=rule.id, body=rule.model_dump_json())

    def replace(self, rules: list[FaultRule]) -> None:
        """Make this the whole plan."""
        with self._db.transaction():
            self.clear()
            for rule in rules:
                self.add(rule)

    def remove(self, rule_id: str) -> bool:
        """Take one rule out; False if there was none."""
        return self._db.run("DELETE FROM fault_rule WHERE id = ?", rule_id) > 0

    def clear(self) -> None:
        """Take all rules out."""
        self._db.run("DELETE FROM fault_rule")

    def listed(self) -> list[Json]:
        """Return the plan with ``seen`` (calls looked at) and ``hits`` (calls spoiled) per rule."""
        rows = self._db.rows("SELECT body, seen, hits FROM fault_rule ORDER BY seq")
        return [
            {**json.loads(row["body"]), "seen": row["seen"], "hits": row["hits"]} for row in rows
        ]
