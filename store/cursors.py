"""Cursors of lists: opaque, URL-safe, and checked before they are used."""

import base64
import binascii
import json
from collections.abc import Sequence

from domain.errors import DomainError


def cursor_of(*position: str) -> str:
    """Return the cursor of a position in a list.

    >>> position_of(cursor_of("2026-01-01", "shop-1"), 2)
    ['2026-01-01', 'shop-1']
    """
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def position_of(cursor: str, parts: int) -> Sequence[str]:
    """Return the position that a cursor names.

    Raises:
        DomainError: ``bad_cursor``, it is not one of ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise DomainError("this is no cursor of this list", "bad_cursor") from error
    if (
        not isinstance(position, list)
        or len(position) != parts
        or not all(isinstance(part, str) for part in position)
    ):
        raise DomainError("this is no cursor of this list", "bad_cursor")
    return position
