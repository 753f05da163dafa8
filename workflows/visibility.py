"""What the Temporal UI shows and finds: search attributes and the order's details. No personal
data: search attributes are never encrypted (TEMPORAL.md T11)."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from domain.progress import OrderProgress
    from workflows.state import OrderState

STATUS = SearchAttributeKey.for_keyword("WaybillStatus")
HOLD = SearchAttributeKey.for_keyword_list("WaybillHold")
CHANNEL = SearchAttributeKey.for_keyword("WaybillChannel")
LOCATION = SearchAttributeKey.for_keyword_list("WaybillLocation")
PROMISE = SearchAttributeKey.for_datetime("WaybillPromise")
GRADE = SearchAttributeKey.for_keyword("WaybillGrade")

SPACE = "\u00a0\u00a0"

Shown = dict[str, Any]


def shown(state: OrderState) -> Shown:
    """Return the values the UI should find the order by."""
    return {
        STATUS.name: state.status().value,
        HOLD.name: sorted({hold.kind.value for hold in state.holds.values()}),
        LOCATION.name: sorted({one.location for one in state.shipments.values()}),
        PROMISE.name: state.promise,
        GRADE.name: state.grade,
    }


def changes(before: Shown, after: Shown) -> list[SearchAttributeUpdate[Any]]:
    """Return the updates for what changed."""
    updates: list[SearchAttributeUpdate[Any]] = []
    keys: tuple[SearchAttributeKey[Any], ...] = (STATUS, HOLD, LOCATION, PROMISE, GRADE)
    for key in keys:
        value, old = after[key.name] or None, before.get(key.name) or None
        if value != old:
            updates.append(key.value_set(value) if value else key.value_unset())
    return updates


def details(progress: OrderProgress, page: str) -> str:
    """Return the order as a Markdown page for the UI's current details."""
    money = progress.money
    rows = [
        f"**{progress.status}** · version {progress.version}",
        "",
        f"| money ({money.currency}, minor units) | |",
        "|---|---|",
        f"| due | {money.due} |",
        f"| authorised | {money.authorised} |",
        f"| captured | {money.captured} |",
        f"| refunded | {money.refunded} |",
    ]
    if progress.holds:
        rows += _table(
            ("hold", "why", "until", "then"),
            [
                (
                    f"{one.kind} ({one.hold_id})",
                    one.reason,
                    f"{one.expires_at:%Y-%m-%d %H:%M}Z",
                    one.on_expiry,
                )
                for one in progress.holds
            ],
        )
    rows += _table(
        (
            *("line", "sku", "open", "waiting", "reserved", "in work", "gone", "delivered"),
            *("returned", "cancelled"),
        ),
        [
            (
                line.line_id,
                line.sku,
                line.units.open,
                line.units.backordered,
                line.units.reserved,
                line.units.released + line.units.packed,
                line.units.shipped,
                line.units.delivered,
                line.units.returned,
                line.units.cancelled,
            )
            for line in progress.lines
        ],
    )
    if progress.shipments:
        rows += _table(
            ("shipment", "from", "status", "tracking"),
            [
                (one.shipment_id, one.location, one.status, one.tracking_number or "-")
                for one in progress.shipments
            ],
        )
    rows += ["", f"The order's page: [{progress.order_id}]({page})"]
    return "\n".join(rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    return [
        "",
        _row(head),
        "|" + "---|" * len(head),
        *(_row(row) for row in rows),
    ]


def _row(cells: Sequence[object]) -> str:
    """Return a row; the UI draws no borders, so that each cell brings its own space."""
    return "| " + " | ".join(f"{cell}{SPACE}" for cell in cells) + " |"
