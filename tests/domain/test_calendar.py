"""Dates across DST, leap days and year ends: whole days, UTC, no hour lost or doubled."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import promise_date, release_date, start_of

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("wished", "released"),
    [
        (date(2026, 3, 31), date(2026, 3, 25)),  # over the European change to summer time
        (date(2026, 10, 27), date(2026, 10, 21)),  # and back
        (date(2028, 3, 2), date(2028, 2, 25)),  # over a leap day
        (date(2027, 3, 2), date(2027, 2, 24)),
        (date(2027, 1, 3), date(2026, 12, 28)),  # over a year end
    ],
)
def test_release_counts_whole_days_back_from_the_wished_date(wished: date, released: date) -> None:
    assert release_date(wished, transit_days=5, handling_days=1) == released


def test_an_order_without_a_wished_date_is_released_at_once() -> None:
    assert release_date(None, 5, 1) is None


def test_an_order_late_on_new_years_eve_is_promised_for_the_new_year() -> None:
    assert promise_date(datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC), 2, 0) == date(2028, 1, 2)
    assert promise_date(datetime(2028, 2, 28, 23, tzinfo=UTC), 1, 0) == date(2028, 2, 29)


@given(DAYS)
def test_days_follow_each_other_in_steps_of_24_hours(day: date) -> None:
    assert start_of(day + timedelta(days=1)) - start_of(day) == timedelta(hours=24)
    assert start_of(day).utcoffset() == timedelta()


@given(DAYS, st.integers(0, 30), st.integers(0, 10))
def test_what_is_released_in_time_is_promised_for_the_wished_date(
    wished: date, transit: int, handling: int
) -> None:
    released = release_date(wished, transit, handling)
    assert released is not None
    assert promise_date(start_of(released), transit, handling) == wished
