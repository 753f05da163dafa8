"""Units move along the diagram and are never lost; the order's status follows from them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidTransition
from domain.holds import SYSTEM, Expiry, Hold, HoldKind
from domain.progress import TERMINAL, MoneyProgress, OrderStatus
from domain.status import money_status, order_status
from domain.units import ARROWS, Units, UnitState

states = st.sampled_from(list(UnitState))


@given(st.integers(0, 50), st.lists(st.tuples(states, states, st.integers(-1, 60)), max_size=40))
def test_any_sequence_of_moves_keeps_the_sum_and_no_counter_goes_below_zero(
    ordered: int, moves: list[tuple[UnitState, UnitState, int]]
) -> None:
    units = Units(open=ordered)
    for source, target, quantity in moves:
        allowed = target in ARROWS[source] and 0 <= quantity <= getattr(units, source.value)
        if not allowed:
            with pytest.raises(InvalidTransition):
                units.move(source, target, quantity)
            continue
        units = units.move(source, target, quantity)
        assert units.ordered == ordered
        assert min(getattr(units, state.value) for state in UnitState) >= 0


def test_cancelled_and_returned_are_for_ever() -> None:
    assert not ARROWS[UnitState.CANCELLED]
    assert not ARROWS[UnitState.RETURNED]


def hold(kind: HoldKind) -> Hold:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Hold(
        hold_id="h1",
        kind=kind,
        reason="",
        placed_by=SYSTEM,
        placed_at=at,
        expires_at=at,
        on_expiry=Expiry.RELEASE,
    )


@pytest.mark.parametrize(
    ("units", "holds", "status"),
    [
        (Units(open=1), [], "processing"),
        (Units(reserved=1), [HoldKind.GRACE], "on_hold"),
        (Units(open=1), [HoldKind.DATA], "on_hold"),
        (Units(reserved=1), [HoldKind.SCHEDULE], "scheduled"),
        (Units(open=1), [HoldKind.PREORDER, HoldKind.GRACE], "scheduled"),
        (Units(open=1), [HoldKind.PREORDER, HoldKind.PAYMENT], "on_hold"),
        (Units(backordered=2), [HoldKind.BACKORDER], "backordered"),
        (Units(backordered=1, released=1), [HoldKind.BACKORDER], "processing"),
        (Units(shipped=1, packed=1), [], "partially_shipped"),
        (Units(shipped=1, cancelled=1), [], "shipped"),
        (Units(shipped=1, delivered=1), [], "partially_delivered"),
        (Units(delivered=1, open=1), [HoldKind.OPS], "partially_delivered"),
        (Units(delivered=1, returned=1), [], "delivered"),
    ],
)
def test_the_status_is_derived(units: Units, holds: list[HoldKind], status: str) -> None:
    assert order_status([units], [hold(kind) for kind in holds]) == status


@given(st.sampled_from(sorted(TERMINAL)), st.builds(Units, open=st.integers(0, 3)))
def test_an_ended_order_stays_ended_whatever_its_units_say(
    ended: OrderStatus, units: Units
) -> None:
    assert order_status([units], [hold(HoldKind.OPS)], ended) is ended


@pytest.mark.parametrize(
    ("money", "voided", "action", "status"),
    [
        ({}, False, False, "none"),
        ({"authorised": 5}, False, False, "authorised"),
        ({}, True, False, "voided"),
        ({}, False, True, "action_required"),
        ({"captured": 5, "due": 5}, False, False, "partially_captured"),
        ({"captured": 5}, False, False, "captured"),
        ({"captured": 5, "refunded": 2}, False, False, "partially_refunded"),
        ({"captured": 5, "refunded": 5}, True, False, "refunded"),
    ],
)
def test_the_moneys_status_is_derived(
    money: dict[str, int], voided: bool, action: bool, status: str
) -> None:
    assert money_status(MoneyProgress(currency="EUR", **money), voided, action) == status
