"""Reading fields of a storefront's JSON object: a value of the right type, or a noted problem.

A getter never raises. It notes what is wrong under the field's dotted path and returns a neutral
value, so that one pass names every field at fault.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from adapters.storefronts.amounts import exponent_of, minor_units
from domain.errors import InvalidOrder

MOST_UNITS = 1_000_000
_MOST_PROBLEMS = 100


class Problems:
    """What is wrong with a body, field by field, each field's first problem only."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def add(self, field: str, message: str) -> None:
        if len(self._found) < _MOST_PROBLEMS:
            self._found.setdefault(field[:200], message)

    def raise_any(self) -> None:
        """Raise ``InvalidOrder`` with all problems, if there is one."""
        if self._found:
            raise InvalidOrder(list(self._found.items()))


class Reading:
    """One JSON object of a body, read field by field; null, absent and ``""`` are the same."""

    def __init__(self, fields: Mapping[str, object], path: str, problems: Problems) -> None:
        self.fields = fields
        self._path = path
        self.problems = problems

    def __contains__(self, name: str) -> bool:
        return self.fields.get(name) not in (None, "")

    def wrong(self, name: str, message: str) -> None:
        """Note a problem of the field ``name``."""
        self.problems.add(f"{self._path}.{name}" if self._path else name, message)

    def need(self, *names: str) -> None:
        """Note each field of ``names`` that is absent."""
        for name in names:
            if name not in self:
                self.wrong(name, "is missing")

    def text(self, name: str, longest: int = 200) -> str:
        """Return text as given; a number becomes its digits (ids, postal codes)."""
        value = self.fields.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            self.wrong(name, "is not text")
            return ""
        text = str(value).strip()
        if len(text) > longest:
            self.wrong(name, f"is longer than {longest} characters")
            return ""
        return text

    def clipped(self, name: str, longest: int) -> str:
        """Return text for people to read, cut where it is too long to keep."""
        value = self.fields.get(name)
        return value.strip()[:longest] if isinstance(value, str) else self.text(name, longest)

    def amount(self, name: str, currency: str) -> int:
        """Return minor units; 0 when absent, or when the currency itself could not be read."""
        if name not in self or not currency:
            return 0
        try:
            return minor_units(self.fields[name], currency)
        except ValueError as error:
            self.wrong(name, str(error))
            return 0

    def currency(self, name: str) -> str:
        """Return an ISO 4217 code, ``""`` when there is none."""
        code = self.text(name).upper()
        try:
            exponent_of(code)
        except ValueError as error:
            self.wrong(name, str(error) if code else "is missing")
            return ""
        return code

    def whole(self, name: str, most: int = MOST_UNITS) -> int:
        """Return a whole number of 0 to ``most``; 0 when absent."""
        value = self.fields.get(name)
        if value is None:
            return 0
        if isinstance(value, Decimal) and value.is_finite() and abs(value) <= most:
            value = int(value) if value == int(value) else value
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, "is not a whole number")
        elif value < 0:
            self.wrong(name, "is negative")
        elif value > most:
            self.wrong(name, f"is more than {most}")
        else:
            return value
        return 0

    def flag(self, name: str, default: bool = False) -> bool:
        """Return true or false as JSON has it."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            self.wrong(name, "is not true or false")
        return value if isinstance(value, bool) else default

    def moment(self, name: str, assumed: tzinfo | None = None) -> datetime | None:
        """Return a time as UTC.

        Args:
            assumed: the zone of a time that is written without one; without it that is a problem.
        """
        text = self.text(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None and assumed is None:
                self.wrong(name, "has no UTC offset")
                return None
            return (moment if moment.tzinfo else moment.replace(tzinfo=assumed)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.wrong(name, "is not an ISO 8601 time")
            return None

    def part(self, name: str) -> "Reading":
        """Return the object in a field; an empty one when absent (PHP writes ``[]`` for that)."""
        value = self.fields.get(name)
        if value in (None, "", []):
            value = {}
        if not isinstance(value, dict):
            self.wrong(name, "is not an object")
            value = {}
        return Reading(value, f"{self._path}.{name}" if self._path else name, self.problems)

    def parts(self, name: str) -> "list[Reading]":
        """Return the objects of a list; none when absent."""
        value = self.fields.get(name)
        if value in (None, "", {}):
            return []
        if not isinstance(value, list):
            self.wrong(name, "is not a list")
            return []
        path = f"{self._path}.{name}" if self._path else name
        found = []
        for i, item in enumerate(value):
            if isinstance(item, dict):
                found.append(Reading(item, f"{path}[{i}]", self.problems))
            else:
                self.wrong(f"{name}[{i}]", "is not an object")
        return found

    def texts(self, name: str, key: str = "name") -> dict[str, str]:
        """Return name/value pairs: a list of ``{key: …, "value": …}``, one such, or an object.

        Cut to 100 and 500 characters; a list or object as value is left out.
        """
        value = self.fields.get(name)
        if isinstance(value, dict):
            value = [value] if key in value else [{key: k, "value": v} for k, v in value.items()]
        pairs: dict[str, str] = {}
        for item in value if isinstance(value, list) else []:
            if isinstance(item, dict) and _plain(item.get("value")) and _plain(item.get(key)):
                pairs[str(item[key])[:100]] = str(item["value"])[:500]
        return pairs


def _plain(value: object) -> bool:
    return isinstance(value, str | int | Decimal)
