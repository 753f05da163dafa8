"""Updates as the server keeps them: one id, one answer; a refusal is forgotten."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_commands import UpdateResponse

from tests.simulation.instance import PAYLOADS


@dataclass(frozen=True)
class Answer:
    """What a client learns: ``done`` with a value, ``refused``, ``failed`` or ``not_found``."""

    kind: str
    value: Any = None
    code: str = ""


Told = Callable[[Answer], None]


@dataclass
class Update:
    """One update id."""

    name: str
    waiting: list[Told] = field(default_factory=list)
    attempts: int = 0
    accepted: bool = False
    answer: Answer | None = None


class Updates:
    """The updates of one order."""

    def __init__(self) -> None:
        self._known: dict[str, Update] = {}

    def join(self, update_id: str, name: str, told: Told) -> bool:
        """Wait for an update's answer; True when it must be delivered to the order."""
        update = self._known.get(update_id)
        if update and update.answer:
            told(update.answer)
            return False
        if update:
            update.waiting.append(told)
            return False
        self._known[update_id] = Update(name, [told])
        return True

    def attempt(self, update_id: str) -> str:
        """Return the name of one delivery of an update."""
        update = self._known[update_id]
        update.attempts += 1
        return f"{update_id}/{update.attempts}"

    def respond(self, response: UpdateResponse) -> None:
        """Take what a complete task said about an update."""
        update_id = response.protocol_instance_id.rpartition("/")[0]
        update = self._known[update_id]
        if response.HasField("accepted"):
            update.accepted = True
        elif response.HasField("completed"):
            self._answer(update, Answer("done", PAYLOADS.from_payloads([response.completed])[0]))
        elif update.accepted:
            self._answer(update, Answer("failed", code=code_of(response.rejected)))
        else:
            del self._known[update_id]
            self._answer(update, Answer("refused", code=code_of(response.rejected)))

    def close(self) -> None:
        """The order has ended: who still waits learns that there is nobody to ask."""
        for update in self._known.values():
            if update.answer is None:
                self._answer(update, Answer("unfinished" if update.accepted else "not_found"))

    def _answer(self, update: Update, answer: Answer) -> None:
        update.answer = answer
        waiting, update.waiting = update.waiting, []
        for told in waiting:
            told(answer)


def code_of(failure: Failure) -> str:
    """Return the stable code of a refusal."""
    return failure.application_failure_info.type or failure.message
