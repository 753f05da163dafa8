"""What the customers' side was told, written down as it was told: the client's own witness."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
ORDER, CANCEL, CALLED_OFF, RETURN, HOLD, LIFT, ADDRESS, METHOD = (
    "order", "cancel", "storefront cancel", "return", "hold", "lift", "address", "method",
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One final answer. ``key`` is the request's own id; asking again must give the same."""

    what: str
    order_id: str
    key: str
    path: str
    asked: Json
    status: int
    answer: Json
    tries: int = 1
    at: float = field(default_factory=time.time)

    @property
    def taken(self) -> bool:
        """Whether the answer says that it was done."""
        return self.status < 300


class Witness:
    """Keeps what was told, in memory and in a file that outlives the run."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._told: list[Told] = []
        self._trouble: list[str] = []

    def note(self, told: Told) -> None:
        """Write an answer down before anybody acts on it."""
        with self._lock:
            self._file.write(json.dumps(asdict(told)) + "\n")
            self._file.flush()
            self._told.append(told)

    def complain(self, text: str) -> None:
        """Write down what no customer should see: a bug's answer, or none for minutes."""
        with self._lock:
            self._file.write(json.dumps({"trouble": text, "at": time.time()}) + "\n")
            self._file.flush()
            self._trouble.append(text)

    def told(self, *whats: str) -> Sequence[Told]:
        """Return the answers of some kinds, or all, oldest first."""
        with self._lock:
            return [one for one in self._told if not whats or one.what in whats]

    @property
    def trouble(self) -> Sequence[str]:
        """What was complained of."""
        with self._lock:
            return list(self._trouble)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
