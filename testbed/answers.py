"""Answers kept under idempotency keys, the way Stripe keeps them."""

import json
from dataclasses import dataclass, field
from typing import Literal

from fastapi.responses import JSONResponse

from testbed.database import Json
from testbed.world import World


@dataclass(frozen=True)
class Answer:
    """Status, JSON body and headers of a response."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        """Return it as an HTTP response."""
        return JSONResponse(self.body, status_code=self.status, headers=self.headers)


class StoredAnswers:
    """First answers by key, kept for ``idempotency_seconds`` whatever they said, errors too.

    Source: https://docs.stripe.com/api/idempotent_requests
    """

    def __init__(self, world: World, scope: str) -> None:
        self._world, self._scope = world, scope
        self._in_progress: set[str] = set()

    def begin(self, key: str | None) -> bool:
        """Take the key; False while another request holds it."""
        if key in self._in_progress:
            return False
        if key:
            self._in_progress.add(key)
        return True

    def end(self, key: str | None) -> None:
        """Give the key back."""
        if key:
            self._in_progress.discard(key)

    def known(self, key: str | None, fingerprint: str) -> Answer | Literal[False] | None:
        """Return the kept answer, False if the key was used for other parameters, or None."""
        if not key:
            return None
        oldest = self._world.now() - self._world.settings.idempotency_seconds
        row = self._world.db.row(
            "SELECT * FROM stored_answer WHERE scope = ? AND key = ? AND at > ?",
            *(self._scope, key, oldest),
        )
        if row is None:
            return None
        if row["fingerprint"] != fingerprint:
            return False
        body: Json = json.loads(row["body"])
        return Answer(row["status"], body, {"Idempotent-Replayed": "true"})

    def keep(self, key: str | None, fingerprint: str, answer: Answer) -> None:
        """Keep the answer of a request that began to execute."""
        if not key or self._refused_before_executing(answer):
            return
        if self.known(key, fingerprint) is not None:
            return
        self._world.db.run(
            "INSERT OR REPLACE INTO stored_answer (scope, key, fingerprint, status, body, at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(self._scope, key, fingerprint, answer.status, json.dumps(answer.body)),
            self._world.now(),
        )

    @staticmethod
    def _refused_before_executing(answer: Answer) -> bool:
        # Stripe keeps nothing when the parameters themselves did not pass.
        error = answer.body.get("error")
        return isinstance(error, dict) and error.get("code") == "parameter_missing"
