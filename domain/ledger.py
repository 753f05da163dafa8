"""The order's own money rules: what to capture, what is due, what must go back. Pure.

Units whose money was taken have the lowest numbers of their line, cancelled ones the highest
(``domain.shares``), so every amount follows from counters and is the same whenever it is asked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.frozen import Wire
from domain.money import part
from domain.progress import LineProgress, LineUnits


class Held(Wire):
    """A payment at the provider that this order uses, minor units.

    It is captured only before ``safe_until`` (INVARIANTS M7); one that is ``renewable`` is let go
    then and taken anew.
    """

    reference: str
    capturable: int = 0
    captured: int = 0
    refunded: int = 0
    expires_at: datetime | None = None
    safe_until: datetime | None = None
    renewable: bool = False
    multi_capture: bool = False

    def live(self, now: datetime) -> bool:
        """Whether something can still be captured, safely before the expiry."""
        return self.capturable > 0 and (self.safe_until is None or now < self.safe_until)


def safe_until(now: datetime, expires_at: datetime | None, margin: timedelta) -> datetime | None:
    """Return until when a new authorisation may be captured: a margin before its end, but never in
    the first half of its life, or one shorter than the margin would be renewed for ever."""
    if expires_at is None:
        return None
    return max(expires_at - margin, now + (expires_at - now) / 2)


def collectable(line: LineProgress) -> int:
    """Return how many units of a line are to be paid for: all that are not cancelled."""
    return line.units.ordered - line.units.cancelled


def due(lines: Iterable[LineProgress]) -> int:
    """Return what remains to be collected for units that are not cancelled."""
    return sum(_value(line, line.captured, collectable(line)) for line in lines)


def to_capture(line: LineProgress, units: int) -> tuple[int, int]:
    """Return (units, amount) to capture when ``units`` of a line are about to leave.

    Units whose money is already here (captured by the storefront, or for a sister unit that was
    cancelled after its capture) are not captured again.
    """
    count = max(0, min(units, collectable(line) - line.captured))
    return count, _value(line, line.captured, line.captured + count)


def given_back_for(line: LineProgress, units: int, shipping: int = 0) -> int:
    """Return what the next ``units`` returned units are worth to the customer.

    Args:
        shipping: the part of the line's total that is shipping and is kept, minor units.
    """
    before = line.units.returned
    quantity = line.units.ordered - line.before
    value = _value(line, before, before + units)
    kept = part(shipping, quantity, before, before + units) if shipping > 0 else 0
    scaled = kept * line.collect // line.total if line.total > 0 else 0
    return max(0, value - scaled)


def cancelled_value(line: LineProgress, units: int) -> int:
    """Return what the ``units`` of a line that were cancelled last are worth."""
    start = collectable(line)
    return _value(line, start, start + units)


def refund_owed(lines: Iterable[LineProgress], captured: int, refunded: int) -> int:
    """Return what was taken and must go back; never more than is left (INVARIANTS M2)."""
    keep = sum(
        _value(line, 0, min(line.captured, collectable(line))) - line.given_back for line in lines
    )
    return max(0, min(captured - refunded, captured - refunded - keep))


def refund_parts(held: Sequence[Held], amount: int) -> list[tuple[str, int]]:
    """Split a refund over payments, newest first, none over what it still has."""
    parts = []
    for payment in reversed(held):
        share = min(amount, payment.captured - payment.refunded)
        if share > 0:
            parts.append((payment.reference, share))
            amount -= share
    return parts


def units_of(lines: Iterable[LineUnits]) -> dict[str, int]:
    """Return units by line id; a line named twice adds up."""
    counted: dict[str, int] = {}
    for line in lines:
        counted[line.line_id] = counted.get(line.line_id, 0) + line.quantity
    return counted


def _value(line: LineProgress, start: int, stop: int) -> int:
    quantity = line.units.ordered - line.before
    return part(line.collect, quantity, start, max(start, stop)) if quantity else 0
