"""The rows of the fault matrix (INVARIANTS.md) that the simulator can hit, and how often it did."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

ROWS: dict[str, tuple[str, ...]] = {
    "9 provider time-out after effect": ("*: after", "effect done, answer lost"),
    "10 provider time-out before effect": ("payments*: before", "carriers*: before"),
    "11 provider 500 stored under the key": ("payments*: stuck*",),
    "12 provider 503 for an hour": ("payments*: unavailable", "carriers*: unavailable"),
    "13 decline, lapsed authorisation": ("payments.*: decline", "authorisation lapses early"),
    "14 chargeback": ("chargeback",),
    "15 webhook again": ("webhook again",),
    "17 webhooks reordered": ("cancel came before the order",),
    "18 same id, other body": ("same id, other body",),
    "21 cancel twice, with timer, with ship": (
        "double click*", "asked twice*", "operator stops the workflow",
    ),
    "22 refund and chargeback at once": ("chargeback", "return asked"),
    "23 label bought, cancelled at the same time": ("label bought after a cancel was asked",),
    "24 tracking out of order, repeated, late, wrong": ("tracking*", "carrier stays silent"),
    "25 split: lines short": ("short pick", "placed in several parcels"),
    "26 warehouse says no after capture": ("warehouse says no after capture",),
    "32 poison order": ("nothing works for this order",),
    "33 mail accepted, connection lost": ("mail.send: after",),
}  # fmt: skip
ALSO = (
    "worker dies in a workflow task",
    "worker dies in an activity",
    "all workers die",
    "replay",
    "several jobs in one activation",
    "task with a heartbeat: events come between its steps",
    "end refused: an event had come meanwhile",
    "asked while nobody worked",
    "attempt stalls",
    "reservation expires",
    "outcome of a money call stays unknown",
    "stock comes",
    "cancel answered cancelled",
    "cancel answered partly_cancelled",
    "cancel answered too_late",
)


def rows_of(hit: Mapping[str, int]) -> dict[str, int]:
    """Return how often each row was hit, and a few other things that must happen."""
    found = {
        row: sum(count for what, count in hit.items() if any(fnmatchcase(what, p) for p in words))
        for row, words in ROWS.items()
    }
    return found | {what: hit.get(what, 0) for what in ALSO}
