"""A request body as JSON, strictly: what two parsers could read differently is refused."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import NoReturn

from domain.errors import InvalidOrder

LARGEST_BODY = 1024 * 1024
DEEPEST = 32


def parse_body(body: bytes) -> object:
    """Return a JSON body with decimals as ``Decimal`` and integers exact.

    Raises:
        InvalidOrder: over 1 MiB, no UTF-8 JSON, nested deeper than 32, a key given twice, NaN or
            Infinity, a number too long to count with, or text that no database can store.
    """
    if len(body) > LARGEST_BODY:
        raise _refused("is larger than 1 MiB")
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise _refused(f"is nested deeper than {DEEPEST} levels") from None
    except (ValueError, ArithmeticError) as error:
        raise _refused(f"is not JSON we can read: {_why(error)}") from None
    _check_depth_and_text(value)
    return value


def _refused(message: str) -> InvalidOrder:
    return InvalidOrder([("body", message)])


def _why(error: Exception) -> str:
    # Only messages known to quote no part of the body, which may hold personal data.
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, _Ambiguous):
        return str(error)
    return "bad text or number"


class _Ambiguous(ValueError):
    pass


def _no_number(name: str) -> NoReturn:
    raise _Ambiguous(f"{name} is not a number")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _Ambiguous("an object has the same key twice")
    return fields


def _check_depth_and_text(value: object) -> None:
    level: list[object] = [value]
    for _ in range(DEEPEST + 1):
        if not level:
            return
        if not all(_storable(item) for item in level):
            raise _refused("holds a character that cannot be stored (NUL or half a surrogate pair)")
        level = [inner for item in level for inner in _inside(item)]
    if level:
        raise _refused(f"is nested deeper than {DEEPEST} levels")


def _inside(item: object) -> Iterator[object]:
    if isinstance(item, dict):
        yield from item
        yield from item.values()
    elif isinstance(item, list):
        yield from item


def _storable(item: object) -> bool:
    if not isinstance(item, str):
        return True
    try:
        item.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\x00" not in item
