"""The order's own book: its counters, its holds, and its history until the next publish."""

from datetime import datetime, timedelta

from domain.holds import SYSTEM, Expiry, Hold, HoldKind
from domain.progress import TimelineEvent


class Book:
    """Numbers, holds and history of one order. Never awaits."""

    def __init__(self) -> None:
        self.holds: dict[str, Hold] = {}
        self.events: list[TimelineEvent] = []
        self._counters = {"event": 0, "effect": 0, "hold": 0, "shipment": 0, "return": 0}

    def draw(self, counter: str) -> int:
        """Return the next number of one of the order's own counters."""
        self._counters[counter] += 1
        return self._counters[counter]

    def hold(
        self,
        kind: HoldKind,
        reason: str,
        now: datetime,
        seconds: float,
        on_expiry: Expiry,
        placed_by: str = SYSTEM,
        fields: tuple[str, ...] = (),
    ) -> Hold:
        """Place a hold with its deadline."""
        hold = Hold(
            hold_id=f"h{self.draw('hold')}",
            kind=kind,
            reason=reason,
            placed_by=placed_by,
            placed_at=now,
            expires_at=now + timedelta(seconds=seconds),
            on_expiry=on_expiry,
            fields=fields,
        )
        self.holds[hold.hold_id] = hold
        self.note("hold.placed", now, placed_by, f"{kind}: {reason}", hold_id=hold.hold_id)
        return hold

    @property
    def was_held(self) -> bool:
        """Whether the order has ever been held."""
        return self._counters["hold"] > 0

    def lift(self, hold_id: str, now: datetime, actor: str, why: str = "") -> None:
        """Lift a hold; one that is gone already is no error."""
        hold = self.holds.pop(hold_id, None)
        if hold:
            self.note("hold.lifted", now, actor, f"{hold.kind}: {why or hold.reason}")

    def lift_kind(self, kind: HoldKind, now: datetime, actor: str, why: str = "") -> None:
        """Lift all holds of a kind."""
        for hold in [one for one in self.holds.values() if one.kind is kind]:
            self.lift(hold.hold_id, now, actor, why)

    def note(self, kind: str, at: datetime, actor: str, text: str = "", **data: str) -> None:
        """Add a line to the order's history."""
        no = self.draw("event")
        self.events.append(
            TimelineEvent(no=no, kind=kind, at=at, actor=actor, text=text, data=data)
        )
