"""Dates of an order: when it may go, when it should arrive. Pure; UTC in, UTC out."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

D = TypeVar("D", bound=date)

FIRST_YEAR, LAST_YEAR = 1970, 2199


def reckonable(day: D) -> D:
    """Refuse a year that only a slip of the pen names: sums with it leave the calendar, and an
    order whose deadline cannot be reckoned stands still."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return day


def iso_text(value: object) -> object:
    """Refuse a number: pydantic would read seconds or milliseconds, whichever looks likelier."""
    if not isinstance(value, str | date):
        raise ValueError("is not ISO 8601 text")
    return value


Day = Annotated[date, BeforeValidator(iso_text), AfterValidator(reckonable)]
Moment = Annotated[datetime, BeforeValidator(iso_text), AfterValidator(reckonable)]
AwareMoment = Annotated[AwareDatetime, BeforeValidator(iso_text), AfterValidator(reckonable)]


def release_date(deliver_on: date | None, transit_days: int, handling_days: int) -> date | None:
    """Return the day on which an order with a wished delivery date is released."""
    if deliver_on is None:
        return None
    return deliver_on - timedelta(days=transit_days + handling_days)


def promise_date(now: datetime, transit_days: int, handling_days: int) -> date:
    """Return the day by which an order placed now should arrive."""
    return (now + timedelta(days=handling_days + transit_days)).date()


def start_of(day: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)
