"""Keep personal data and secrets out of logs: by field name, and by what a text looks like.

A name in free running text looks like nothing and cannot be found. So: pass values as fields, never
inside the message; what frameworks print of values (pydantic's input, SQL parameters, a model's
``repr``) is cut here.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from adapters.storefronts.cards import is_card

GONE = "[redacted]"
MAX_TEXT = 4_000
_MAX_SCAN, _MAX_DEPTH, _MAX_ITEMS = 16_000, 6, 50


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PERSONAL = (
    "name email mail phone mobile address address1 address2 line1 line2 street city zip"
    " postal_code postcode zipcode company customer recipient ship_to bill_to shipping_address"
    " latitude longitude ip note birthday signed_by iban card pan cvc cvv"
)
SECRET = (
    "token secret secrets authorization password passwd pepper key keys cookie signature nonce"
    " credentials api_key apikey body payload headers params parameters"
)
DENIED = _words(f"{PERSONAL} {SECRET}")
IDS = _words(
    "order_id workflow_id run_id activity_id shipment_id return_id label_id hold_id delivery_id"
    " key_id tracking_number reference temporal_workflow temporal_activity"
)
"""Our ids and the providers': digits in them are neither cards nor phones."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-\s.]+")
_WORD = re.compile(r"\S+")
_MAIL = re.compile(r"\S(?:@|%40)\S", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer|basic|digest)\s+[^\s,;]{4,}", re.IGNORECASE)
_TOKEN = re.compile(
    r"\b(?:(?:sk|rk|pk|whsec|wb|wms|shp[a-z]{2}|shpss)_|EZ[AT]K)[\w-]{6,}"
    r"|\b\w{6,30}_secret_\w{6,}|\b[\w-]{6,}\.[\w-]{10,}\.[\w-]{20,}"
)
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"']+=[^\s\"']*")
_CARD = re.compile(r"\d+(?:[ .\-\u00a0\u2013]{1,2}\d+)*")
_PHONE = re.compile(
    r"(?:\+|\b00)[1-9](?:[ ().\-/]{0,2}\d){7,14}|\(\d{2,5}\)[ .\-]?\d[\d .\-]{4,10}\d"
    r"|\b\d{3}[ .\-]\d{3}[ .\-]\d{4}\b|\b0\d{2,4}[ /\-]\d{5,9}\b"
)
_NAMED = re.compile(
    r"\b((?:\w{1,40}_)?(?:" + "|".join(sorted(DENIED, key=len, reverse=True)) + r"))"
    r"(\\?[\"']?\s{0,3}[=:]\s{0,3}(?:SecretStr\()?)"
    r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\\\"[^\"]*\\\")",
    re.IGNORECASE,
)
_INPUT = re.compile(r"input_value=.{0,2000}?(?=, input_type=|$)", re.DOTALL)
_SQL = re.compile(r"\[parameters: .*?\](?=\s*(?:\n|$|\(Background))", re.DOTALL)


def redact(name: str, value: Any, depth: int = 0) -> Any:
    """Return what may be logged of a field: plain JSON values, short, without personal data."""
    if is_denied(name) and not isinstance(value, bool | None):
        return GONE
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return GONE if _has_card(str(value)) and name not in IDS else value
    if isinstance(value, str):
        return redact_text(value, ids=name in IDS)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth >= _MAX_DEPTH:
        return "[…]"
    if isinstance(value, BaseModel):
        value = {field: getattr(value, field) for field in type(value).model_fields}
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_MAX_ITEMS]
        return {redact_text(str(k)): redact(str(k), item, depth + 1) for k, item in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(name, item, depth + 1) for item in list(value)[:_MAX_ITEMS]]
    if isinstance(value, BaseException):
        return redact_text(f"{type(value).__name__}: {value}")
    return redact_text(str(value))


def is_denied(name: str) -> bool:
    """Whether a field's name says personal or secret: ``city``, ``firstName``, ``x-api-key``."""
    plain = _HUMP.sub("_", name).lower().strip("_")
    words = plain.split("_")
    tails = ("_".join(words[i:]) for i in range(max(0, len(words) - 3), len(words)))
    return plain not in IDS and any(tail in DENIED for tail in tails)


def redact_text(text: str, *, ids: bool = False) -> str:
    """Return a text without what looks personal or secret, cut to ``MAX_TEXT`` characters.

    Args:
        ids: the text is an id of ours: its digits stay.
    """
    text = _cut(text, _MAX_SCAN)
    text = _SQL.sub("[parameters]", _INPUT.sub("input_value=…", text))
    text = _NAMED.sub(rf"\1\2{GONE}", text)
    text = _TOKEN.sub(GONE, _BEARER.sub(rf"\1 {GONE}", _QUERY.sub("?…", text)))
    text = _WORD.sub(lambda word: GONE if _MAIL.search(word[0]) else word[0], text)
    if not ids:
        text = _CARD.sub(lambda run: GONE if _has_card(run[0]) else run[0], text)
        text = _PHONE.sub(GONE, text)
    return _cut(text, MAX_TEXT)


def _cut(text: str, limit: int) -> str:
    """Cut the middle out: an error's beginning and its end say most."""
    if len(text) <= limit:
        return text
    head, tail = text[: limit // 4], text[-(limit - limit // 4) :]
    return f"{head.rsplit(maxsplit=1)[0]} […] {tail.split(maxsplit=1)[-1]}"


def _has_card(digits: str) -> bool:
    """Whether consecutive groups of digits make a card number of any brand."""
    groups = re.findall(r"\d+", digits)
    for start in range(len(groups)):
        number = ""
        for group in groups[start : start + 19]:
            number += group
            if len(number) > 19:
                break
            if is_card(number):
                return True
    return False
