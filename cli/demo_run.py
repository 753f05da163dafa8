"""Driving the sample orders to their ends, and telling how far each one is."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cli.api_client import Api
from cli.scenarios import Json, Scenario
from cli.storefront_desk import StorefrontDesk
from domain.errors import DomainError
from domain.progress import TERMINAL

TRY_AGAIN = 20
"""How often a step that is refused is tried again: the order may not be ready for it yet."""


@dataclass
class Track:
    """One order under way. ``result`` is empty until it is known: ``ok`` or ``broken``."""

    name: str
    scenario: Scenario | None = None
    order_id: str = ""
    status: str = ""
    doing: str = ""
    result: str = ""
    why: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    next_step: int = 0
    refusals: int = 0
    seen: Json | None = None

    def end(self, result: str, *why: str) -> None:
        """Write down how it ended."""
        self.result, self.why, self.doing = result, list(why), ""
        self.seconds = round(time.monotonic() - self.began, 1)

    def row(self) -> Json:
        """Return what people are shown."""
        return {
            "scenario": self.name,
            "order": self.order_id,
            "status": self.status,
            "result": self.result,
            "seconds": self.seconds or None,
            "notes": "; ".join(self.why) or self.doing,
        }


class DemoRun:
    """Sends orders, takes each through its scenario's steps, and sees how it ends."""

    def __init__(self, api: Api, desk: StorefrontDesk) -> None:
        self._api, self._desk = api, desk
        self.tracks: list[Track] = []

    def begin(self, scenarios: Sequence[Scenario], files: Sequence[Path]) -> None:
        """Send all orders; what is refused has ended already."""
        for scenario in scenarios:
            for rule in scenario.faults:
                self._desk.break_on_purpose(rule)
        for scenario in scenarios:
            track = Track(scenario.name, scenario)
            self._sent(track, partial(self._desk.example, scenario.file))
        for path in files:
            self._sent(Track(path.name), partial(self._desk.file, path))

    def ask(self, method: str, path: str, body: Json) -> Any:
        """Ask the API on a scenario's behalf."""
        return self._api.ask(method, path, json=body)

    def send(self, file: str) -> None:
        """Send another example on a scenario's behalf."""
        self._desk.example(file)

    def until_ended(self, seconds: float, show: Callable[[], None]) -> None:
        """Look after all orders until each has ended or the time is over."""
        deadline = time.monotonic() + seconds
        while any(not track.result for track in self.tracks):
            self.look()
            show()
            if time.monotonic() > deadline:
                for track in self.tracks:
                    if not track.result:
                        track.end("late", f"not ended after {seconds:g} s: {track.doing}")
                show()
                return
            time.sleep(0.4)

    def look(self) -> None:
        """See how far the orders are, and do the next step where one is due."""
        rows = {row["order_id"]: row for row in self._api.get("/orders", limit=200)["rows"]}
        for track in self.tracks:
            row = rows.get(track.order_id)
            if track.result or row is None:
                continue
            track.status = row["status"]
            track.doing = " and ".join(f"{hold} hold" for hold in row["holds"])
            if track.seen == row and not self._retrying(track):
                continue
            order = self._api.get(f"/orders/{track.order_id}")
            track.seen = row
            self._advance(track, order)

    def _sent(self, track: Track, send: Callable[[], str]) -> None:
        self.tracks.append(track)
        try:
            track.order_id = send()
        except DomainError as refused:
            # A file that is no order must be refused, with the field at fault.
            track.status = "refused"
            track.end("broken" if track.scenario else "ok", str(refused))
            return
        if not track.order_id:
            track.status = "ignored"
            track.end("broken" if track.scenario else "ok", "made no order")

    def _retrying(self, track: Track) -> bool:
        return 0 < track.refusals < TRY_AGAIN

    def _advance(self, track: Track, order: Json) -> None:
        track.status = order["status"]
        if order["status"] not in TERMINAL:
            self._step(track, order)
        if track.result:
            return
        if track.scenario is None:
            self._settle_file(track, order)
        elif order["status"] in TERMINAL:
            complaints = track.scenario.complaints(order)
            track.end("broken" if complaints else "ok", *complaints)

    def _step(self, track: Track, order: Json) -> None:
        steps = track.scenario.steps if track.scenario else ()
        if track.next_step >= len(steps) or not steps[track.next_step].when(order):
            return
        step = steps[track.next_step]
        track.doing = step.says
        try:
            step.do(self, order)
        except DomainError as refused:
            track.refusals += 1
            if track.refusals >= TRY_AGAIN:
                track.end("broken", f"{step.says}: {refused}")
            return
        track.next_step, track.refusals = track.next_step + 1, 0

    def _settle_file(self, track: Track, order: Json) -> None:
        """A given payload has come to its end when it is over, or waits for a person to mend it."""
        waiting = [hold for hold in order["holds"] if hold["kind"] != "grace"]
        if order["status"] in TERMINAL:
            track.end("ok")
        elif waiting:
            track.end("ok", *(f"{hold['kind']} hold: {hold['reason']}" for hold in waiting))


def verdict(tracks: Sequence[Track], violations: Sequence[Mapping[str, Any]]) -> bool:
    """Whether everything went as it should."""
    return not violations and all(track.result == "ok" for track in tracks)
