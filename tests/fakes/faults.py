"""What goes wrong at a fake provider, when; scripted or seeded, and the same in every run."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase


class Fault(StrEnum):
    """What happens to one call.

    ``before``: fails, no effect. ``after``: fails although the effect is done. ``unavailable``: as
    ``before``, and the provider says when to come back. ``decline``/``refuse``: the provider says
    no. ``stuck``/``stuck_after``: a 500 that is stored under the key and answered for ever,
    without or with the effect (fault 11 of the matrix).
    """

    BEFORE = "before"
    AFTER = "after"
    UNAVAILABLE = "unavailable"
    DECLINE = "decline"
    REFUSE = "refuse"
    STUCK = "stuck"
    STUCK_AFTER = "stuck_after"


@dataclass
class Rule:
    """One scripted fault; ``call`` and ``key`` may be patterns (``payments.*``)."""

    call: str
    fault: Fault
    times: int
    key: str = "*"


@dataclass
class FaultPlan:
    """Scripted faults first, then seeded ones.

    Args:
        seed: chooses the run.
        rates: call pattern to the probability of each fault, for example
            ``{"payments.*": {Fault.AFTER: 0.02}}``.

    The dice are thrown by (seed, call, key, attempt), so the order of concurrent calls does not
    matter.
    """

    seed: int = 0
    rates: Mapping[str, Mapping[Fault, float]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    struck: list[tuple[str, str, Fault]] = field(default_factory=list)
    _attempts: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, call: str, fault: Fault, times: int = 1, key: str = "*") -> None:
        """Let the next ``times`` calls that match fail."""
        self.rules.append(Rule(call, fault, times, key))

    def draw(self, call: str, key: str) -> Fault | None:
        """Return what happens to this call, and count it."""
        fault = self._scripted(call, key) or self._seeded(call, key)
        if fault:
            self.struck.append((call, key, fault))
        return fault

    def _scripted(self, call: str, key: str) -> Fault | None:
        for rule in self.rules:
            if rule.times and fnmatchcase(call, rule.call) and fnmatchcase(key, rule.key):
                rule.times -= 1
                return rule.fault
        return None

    def _seeded(self, call: str, key: str) -> Fault | None:
        if not any(fnmatchcase(call, pattern) for pattern in self.rates):
            return None
        attempt = self._attempts[call, key] = self._attempts.get((call, key), 0) + 1
        dice = random.Random(f"{self.seed}:{call}:{key}:{attempt}").random()
        for pattern, faults in self.rates.items():
            if not fnmatchcase(call, pattern):
                continue
            for fault, rate in faults.items():
                if dice < rate:
                    return fault
                dice -= rate
        return None
