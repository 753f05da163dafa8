"""Chance, from one seed: how long things take, and what goes wrong."""

import random
from dataclasses import dataclass


@dataclass
class Fate:
    """What becomes of one attempt: at its n-th pause it dies or stalls; or its answer is lost."""

    pauses: int = 0
    dies: bool = False
    stalls: float = 0.0
    answer_lost: bool = False


@dataclass
class Weather:
    """How much goes wrong in a shop: chances per attempt, task or call."""

    dies: float = 0.0
    stalls: float = 0.0
    answer_lost: float = 0.0
    task_lost: float = 0.0
    evicted: float = 0.0
    heartbeat: float = 0.0
    slow: float = 0.0
    deaths: int = 0
    outages: int = 0


class Luck:
    """Seeded choices of one shop."""

    def __init__(self, seed: str, weather: Weather) -> None:
        self.rng = random.Random(seed)
        self.weather = weather
        self.storm = True
        self.in_step = False
        self.hit: dict[str, int] = {}

    def count(self, what: str) -> None:
        """Count that something happened."""
        self.hit[what] = self.hit.get(what, 0) + 1

    def strikes(self, chance: float) -> bool:
        """Whether something with this chance happens now; never when the faults have ended."""
        return self.storm and self.rng.random() < chance

    def queue_delay(self) -> float:
        """Return the seconds until a worker takes a step."""
        return self.rng.random() * 0.05

    def call_time(self, name: str) -> float:
        """Return the seconds until a step has reached the outside."""
        if self.strikes(self.weather.slow):
            return self.rng.uniform(5, 90)
        return 0.05 + self.rng.random() * 2

    def local_time(self) -> float:
        """Return the seconds that a database step takes."""
        if self.strikes(self.weather.slow):
            return self.rng.uniform(1, 9)
        return 0.002 + self.rng.random() * 0.02

    def task_delay(self) -> float:
        """Return the seconds until a worker takes a workflow task."""
        return self.rng.random() * 0.2

    def fate(self, name: str) -> Fate:
        """Return what becomes of an attempt."""
        weather = self.weather
        dice = self.rng.random()
        if not self.storm or dice >= weather.dies + weather.stalls + weather.answer_lost:
            return Fate()
        if dice < weather.dies:
            self.count("worker dies in an activity")
            return Fate(pauses=self.rng.randint(1, 4), dies=True)
        if dice < weather.dies + weather.stalls:
            self.count("attempt stalls")
            return Fate(pauses=self.rng.randint(1, 3), stalls=self.rng.uniform(20, 90))
        self.count("effect done, answer lost")
        return Fate(answer_lost=True)
