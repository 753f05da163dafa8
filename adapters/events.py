"""Reading what a carrier or a payment provider sent, once its signature holds.

The same strict JSON as a storefront's, then a model of what we use of it: what is at fault is
named, what we do not use may be anything.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic import ValidationError as Invalid

from adapters.storefronts.assembly import problems_of
from adapters.storefronts.body import parse_body
from adapters.storefronts.cards import MESSAGE, card_fields
from domain import calendar
from domain.errors import InvalidOrder, UnreadableEvent

E = TypeVar("E", bound="Event")


class Event(BaseModel):
    """A part of an event: unknown fields are left alone, numbers may stand for text."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


def read_event(model: type[E], body: bytes, may_look_like_cards: str = "") -> E:
    """Return a body as a model.

    Args:
        may_look_like_cards: the name of a field whose numbers are nobody's card, however they look.

    Raises:
        UnreadableEvent: names every field at fault, never its value; so is one with a card number.
    """
    try:
        value = parse_body(body)
        found = [field for field in card_fields(value) if last_name(field) != may_look_like_cards]
    except InvalidOrder as refused:
        raise UnreadableEvent(refused.problems) from None
    if found:
        raise UnreadableEvent([(field, MESSAGE) for field in found[:100]])
    return validated(model, value)


def last_name(field: str) -> str:
    """Return the name at the end of a dotted path.

    >>> last_name("result.details[0].code")
    'code'
    """
    return field.rpartition(".")[2].partition("[")[0]


def validated(model: type[E], value: object, place: str = "") -> E:
    """Return a part of an event as a model; ``place`` is where it stands."""
    try:
        return model.model_validate(value)
    except Invalid as error:
        raise UnreadableEvent(problems_of(error, place)) from None


def _nothing(value: Any) -> Any:
    return "" if value is None else value


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _day(value: Any) -> Any:
    return (value[:10] or None) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_nothing)]
"""Text that may be missing; null is none."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""What names something; it becomes part of a key."""

Moment = Annotated[calendar.Moment, AfterValidator(_utc)]
"""ISO 8601; without a zone it is UTC."""

Day = Annotated[calendar.Day | None, BeforeValidator(_day)]
"""The calendar day of a midnight stamp."""
