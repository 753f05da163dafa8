"""Payment card numbers are never accepted: find them in any JSON body (PCI DSS 3.2.1, 3.4).

A hit is 13-19 digits (single spaces and dashes between groups allowed) whose first digits and
length belong to a card brand and whose Luhn check holds. To leave ordinary numbers alone:

- JSON integers in fields named as ids (``id``, ``*_id``) are skipped: platforms number their rows
  with 13-19 digits. Text is always looked at, except ``gid://`` references;
- in phone fields up to 13 digits are a phone number, as is what follows a ``+``;
- in product code fields (``sku``, ``barcode`` …) 13 or 14 digits whose GS1 check digit holds are
  an EAN or GTIN, not one of the few 13-digit cards left;
- a ``{"key"|"name": …, "value": …}`` pair counts as a field of that name.
"""

import re
import unicodedata
from collections.abc import Iterator

from domain.errors import InvalidOrder

MESSAGE = "looks like a card number"

# Brand prefixes with the lengths issued (ISO/IEC 7812 ranges as the networks publish them).
_BRANDS = re.compile(
    r"4(\d{12}|\d{15}|\d{18})"  # Visa
    r"|(5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|(6011|65\d\d|64[4-9]\d|62\d\d|35\d\d)\d{12,15}",  # Discover, UnionPay, JCB
    re.ASCII,
)
_RUN = re.compile(r"[0-9]++(?:[ -]{1,3}[0-9]++)*+")
_ID_NAME = re.compile(r"(^|_)ids?$|Id$")
_PHONE_NAME = re.compile(r"phone|mobile|(^|_)(tel|fax)", re.IGNORECASE)
_CODE_NAME = re.compile(r"sku|barcode|ean|gtin|upc|isbn|(^|_)code$", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_@-]{1,60}", re.ASCII)


def refuse_cards(value: object) -> None:
    """Raise for a JSON value that holds a card number anywhere, keys included.

    Raises:
        InvalidOrder: names every field at fault; the number itself is never in the message.
    """
    fields = list(card_fields(value))
    if fields:
        raise InvalidOrder([(field, MESSAGE) for field in fields[:100]])


def card_fields(value: object) -> Iterator[str]:
    """Yield the dotted path of each field that holds a card number."""
    waiting: list[tuple[str, str, object]] = [("", "", value)]
    while waiting:
        path, name, item = waiting.pop()
        if isinstance(item, dict):
            for key, inner in item.items():
                if holds_card(key):
                    yield f"{path}.(a field name)".lstrip(".")
                waiting.append((_joined(path, key), _meaning(item, key), inner))
        elif isinstance(item, list):
            waiting.extend((f"{path}[{i}]", name, inner) for i, inner in enumerate(item))
        elif _leaf_holds_card(item, name):
            yield path or "body"


def holds_card(text: str, name: str = "") -> bool:
    """Tell whether text holds a card number; ``name`` is the field's, for the exceptions above."""
    if len(text) < 13 or text.startswith("gid://"):
        return False
    plain = unicodedata.normalize("NFKC", text)
    return any(
        is_card(digits, name) for run in _RUN.finditer(plain) for digits in _candidates(plain, run)
    )


def _leaf_holds_card(item: object, name: str) -> bool:
    if isinstance(item, str):
        return holds_card(item, name)
    if isinstance(item, bool) or not isinstance(item, int) or not 10**12 <= item < 10**19:
        return False
    return not _ID_NAME.search(name) and is_card(str(item), name)


def _candidates(text: str, run: re.Match[str]) -> Iterator[str]:
    """Yield the 13-19 digits of neighbouring groups: an expiry date may follow the number."""
    groups = re.split(r"[ -]+", run.group())
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    first = 1 if before.isalpha() or before in ("+", "_") else 0
    last = len(groups) - (1 if after.isalpha() or after == "_" else 0)
    for start in range(first, last):
        if groups[start][0] not in "23456":  # no brand begins otherwise
            continue
        digits = ""
        for group in groups[start : min(start + 19, last)]:
            digits += group
            if len(digits) > 19:
                break
            if len(digits) >= 13:
                yield digits


def is_card(digits: str, name: str = "") -> bool:
    """Tell whether digits alone are a card number; ``name`` as for ``holds_card``."""
    if not _BRANDS.fullmatch(digits) or not luhn(digits):
        return False
    if len(digits) == 13 and _PHONE_NAME.search(name):
        return False
    return not (len(digits) <= 14 and _CODE_NAME.search(name) and _gs1(digits))


def luhn(digits: str) -> bool:
    """Tell whether the check digit is right (ISO/IEC 7812-1)."""
    total = sum(map(int, digits[-1::-2]))
    return (total + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])) % 10 == 0


def _gs1(digits: str) -> bool:
    return (sum(map(int, digits[-1::-2])) + 3 * sum(map(int, digits[-2::-2]))) % 10 == 0


def _joined(path: str, key: str) -> str:
    # A path is shown and logged; a key that is no plain name may itself be personal data.
    name = key if _PLAIN_NAME.fullmatch(key) and not holds_card(key) else "(a field)"
    return f"{path}.{name}" if path else name


def _meaning(item: dict[str, object], key: str) -> str:
    if key in ("value", "display_value"):
        named = item.get("key") or item.get("name")
        if isinstance(named, str):
            return named
    return key
