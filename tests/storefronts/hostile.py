"""What nobody should send: values that break parsers and databases, put anywhere into a body."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

CARD = "4111111111111111"
HOSTILE: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63, -(2**63) - 1, 10**30,
    10**400, 0.5, 1.5, -0.0, 1e308, -1e308, 5e-324, float("inf"), float("nan"), "-5.00",
    "1e999999999", "", "  ", "0", "true", "null", "\ud800", "\x00", "a\x00b", "a\r\nBcc: b@c.d",
    "\x1b[31m", "\u202e", "\ufeff", "é" * 40, "\U0001f600" * 101, "١٢", "x" * 101, "x" * 5000,
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-13-45", "2026-02-30",
    "USD", "XAU", CARD, "=1+1", "<script>", "../../etc", "gid://shopify/Order/x", "order.created",
    [], {}, [[]], [None], [0], {"a": []}, {"": {"": None}}, [{}] * 501, ["x"] * 1001,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a JSON value."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield (*path, key)
            yield from places(inner, (*path, key))


def mutated(body: Any, random: Random) -> Any:
    """Return a copy of a JSON value with one to three places changed, added, moved or gone."""
    body = copy.deepcopy(body)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        found = list(places(body))
        if not found:
            return random.choice(HOSTILE)
        *parents, last = random.choice(found)
        target = body
        for key in parents:
            target = target[key]
        match random.randrange(8):
            case 0:
                del target[last]
            case 1 if isinstance(target, dict):
                target[random.choice(("new", "", "\x00", "__class__", "x" * 200))] = target[last]
            case 1:
                target.append(copy.deepcopy(target[last]))
            case 2:
                target[last] = copy.deepcopy(_at(body, random.choice(found)))
            case 3:
                target[last] = nested(random.choice((5, 20, 31, 33, 200)), target[last])
            case _:
                target[last] = copy.deepcopy(random.choice(HOSTILE))
    return body


def nested(depth: int, value: Any) -> Any:
    """Return a value inside ``depth`` lists."""
    for _ in range(depth):
        value = [value]
    return value


def text_of(body: Any, random: Random) -> bytes:
    """Return a JSON value as its sender may write it: in one in eight, broken on the way."""
    raw = json.dumps(body, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    return damaged(raw, random) if random.randrange(8) == 0 else raw


def damaged(raw: bytes, random: Random) -> bytes:
    """Return bytes with a few of them lost, changed, doubled or put in."""
    at = random.randint(0, len(raw))
    cut = at + random.choice((0, 1, 1, 2, 9))
    put = random.choice((b"", b" ", b"\x00", b"\xff", b"\\u0000", b'"', b"}", b"9" * 400, b"\r\n"))
    return random.choice((raw[:at] + put + raw[cut:], raw[:at], raw[at:], raw + raw[:at]))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value
