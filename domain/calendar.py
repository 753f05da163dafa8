"""Dates of an order: when it may go, when it should arrive. Pure; UTC in, UTC out."""

from datetime import UTC, date, datetime, time, timedelta


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
