"""Return rules: what may come back, counted per unit. Pure."""

from collections.abc import Collection, Iterable

from domain.ledger import units_of
from domain.progress import LineProgress, ReturnProgress, ReturnStatus

OPEN = frozenset(
    {
        ReturnStatus.REQUESTED,
        ReturnStatus.AUTHORISED,
        ReturnStatus.LABEL_SENT,
        ReturnStatus.IN_TRANSIT,
        ReturnStatus.RECEIVED,
        ReturnStatus.INSPECTED,
    }
)
"""A return in one of these is under way; its units cannot be in a second one."""

NOT_ARRIVED = frozenset({ReturnStatus.AUTHORISED, ReturnStatus.LABEL_SENT, ReturnStatus.IN_TRANSIT})
BOOKED = frozenset({ReturnStatus.INSPECTED})
"""Open, but its units already count as returned."""


def returnable(
    lines: Iterable[LineProgress],
    returns: Iterable[ReturnProgress],
    unreturnable: Collection[str] = (),
) -> dict[str, int]:
    """Return, by line, the delivered units that are in no return and may come back.

    Units that inspection rejected stay with the customer and may not be sent in again.
    """
    taken: dict[str, int] = {}
    for one in returns:
        if one.status in OPEN - BOOKED:
            _add(taken, units_of(one.lines))
        _add(taken, units_of(one.rejected))
    return {
        line.line_id: count
        for line in lines
        if line.line_id not in unreturnable
        and (count := line.units.delivered - taken.get(line.line_id, 0)) > 0
    }


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for line_id, count in more.items():
        total[line_id] = total.get(line_id, 0) + count
