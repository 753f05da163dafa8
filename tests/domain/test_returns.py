"""Which units may come back: counted per unit, never more than were delivered."""

from hypothesis import given
from hypothesis import strategies as st

from domain.progress import LineProgress, LineUnits, ReturnProgress, ReturnStatus
from domain.returns import OPEN, returnable
from domain.units import Units

STATUSES = list(ReturnStatus)


def line(delivered: int, **more: int) -> LineProgress:
    return LineProgress(line_id="1", sku="MUG", units=Units(delivered=delivered, **more))


def back(quantity: int, status: ReturnStatus, rejected: int = 0) -> ReturnProgress:
    kept = (LineUnits(line_id="1", quantity=rejected),) if rejected else ()
    return ReturnProgress(
        return_id=f"r{quantity}{status}",
        lines=(LineUnits(line_id="1", quantity=quantity),),
        status=status,
        rejected=kept,
    )


def test_only_delivered_units_may_come_back() -> None:
    assert returnable([line(2, shipped=3, cancelled=1)], []) == {"1": 2}
    assert returnable([line(0, shipped=3)], []) == {}


def test_units_in_an_open_return_are_taken() -> None:
    assert returnable([line(3)], [back(1, ReturnStatus.REQUESTED)]) == {"1": 2}
    assert returnable([line(3)], [back(3, ReturnStatus.RECEIVED)]) == {}


def test_units_of_a_return_that_came_to_nothing_are_free_again() -> None:
    for status in (ReturnStatus.CANCELLED, ReturnStatus.EXPIRED):
        assert returnable([line(3)], [back(2, status)]) == {"1": 3}


def test_units_that_inspection_rejected_do_not_come_again() -> None:
    assert returnable([line(3)], [back(1, ReturnStatus.REJECTED, rejected=1)]) == {"1": 2}
    assert returnable([line(2, returned=1)], [back(1, ReturnStatus.REFUNDED, 1)]) == {"1": 1}


def test_units_already_booked_as_returned_are_not_counted_twice() -> None:
    assert returnable([line(1, returned=2)], [back(2, ReturnStatus.INSPECTED)]) == {"1": 1}


def test_what_is_not_returnable_stays() -> None:
    assert returnable([line(3)], [], unreturnable={"1"}) == {}


@given(
    st.integers(0, 9),
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from(STATUSES)), max_size=5),
)
def test_open_returns_and_what_may_still_come_never_exceed_what_was_delivered(
    delivered: int, asked: list[tuple[int, ReturnStatus]]
) -> None:
    returns: list[ReturnProgress] = []
    for quantity, status in asked:
        if quantity <= returnable([line(delivered)], returns).get("1", 0):
            returns.append(back(quantity, status))
    open_units = sum(
        one.lines[0].quantity
        for one in returns
        if one.status in OPEN and one.status is not ReturnStatus.INSPECTED
    )
    assert open_units + returnable([line(delivered)], returns).get("1", 0) <= delivered
