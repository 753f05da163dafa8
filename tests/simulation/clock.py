"""A clock that stands until something is due, and the agenda that moves it."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any


class Appointment:
    """Something due at a time; ``cancel`` takes it off the agenda."""

    __slots__ = ("act", "args", "due")

    def __init__(self, due: datetime, act: Callable[..., None] | None, args: Any) -> None:
        self.due = due
        self.act = act
        self.args = args

    def cancel(self) -> None:
        """Let it never happen."""
        self.act = None


class Agenda:
    """What happens when. Appointments of one instant happen in the order they were made."""

    def __init__(self, start: datetime) -> None:
        self.time = start
        self._count = 0
        self._heap: list[tuple[datetime, int, Appointment]] = []

    def now(self) -> datetime:
        """Return the time, UTC."""
        return self.time

    def at(self, due: datetime, act: Callable[..., None], *args: Any) -> Appointment:
        """Let something happen at a time; one that has passed is now."""
        if due < self.time:
            due = self.time
        self._count += 1
        one = Appointment(due, act, args)
        heapq.heappush(self._heap, (due, self._count, one))
        return one

    def after(self, seconds: float, act: Callable[..., None], *args: Any) -> Appointment:
        """Let something happen some seconds from now."""
        return self.at(self.time + timedelta(seconds=seconds), act, *args)

    def step(self) -> bool:
        """Do the next appointment; False when there is none."""
        while self._heap:
            due, _, one = heapq.heappop(self._heap)
            if one.act is None:
                continue
            self.time = due
            act, one.act = one.act, None
            act(*one.args)
            return True
        return False
