"""Deliveries that somebody without the secret could make of one that he has seen."""

import json
from collections.abc import Callable
from random import Random

from tests.door.senders import NOW, OTHER, Headers, Sender
from tests.storefronts.hostile import damaged, mutated

Forgery = tuple[list[tuple[str, str]], bytes]
ALPHABET = "ABCDEFabcdef0123456789+/=_- ,.vté☃\x00"


def forged(sender: Sender, headers: Headers, body: bytes, random: Random) -> Forgery:
    """Return a delivery with its body, its proof, its stamp, or the way they are sent changed.

    Args:
        headers: those that prove ``body``.
    """
    way = random.choice((_other_bytes, _other_json, _other_proof, _other_secret, _headers_played))
    return way(sender, dict(headers), body, random)


def _other_bytes(sender: Sender, headers: Headers, body: bytes, random: Random) -> Forgery:
    at = random.randrange(len(body))
    flipped = body[:at] + bytes([body[at] ^ 1 << random.randrange(8)]) + body[at + 1 :]
    ways = (flipped, damaged(body, random), body + b" ", b"\xef\xbb\xbf" + body, body[::-1], b"",
            body + b"\n" + body, body.upper(), body.replace(b'"', b"'"))  # fmt: skip
    return [*headers.items()], random.choice(ways)


def _other_json(sender: Sender, headers: Headers, body: bytes, random: Random) -> Forgery:
    value = json.loads(body)
    changed = mutated(value, random) if random.randrange(4) else value
    spaced = json.dumps(changed, indent=random.choice((None, 1)), sort_keys=random.random() < 0.5)
    text = spaced.encode("utf-8", "surrogatepass")
    if random.randrange(4) == 0:  # a key twice: two parsers read two bodies
        text = b'{"id": 1, ' + body.lstrip()[1:]
    return [*headers.items()], text


def _other_proof(sender: Sender, headers: Headers, body: bytes, random: Random) -> Forgery:
    name = random.choice([*headers])
    value = headers[name]
    at = random.randrange(len(value))
    ways: tuple[Callable[[], str], ...] = (
        lambda: value[:at] + random.choice(ALPHABET) + value[at + 1 :],
        lambda: value[:at] + random.choice(ALPHABET) + value[at:],
        lambda: value[:at] + value[at + 1 :],
        lambda: value[:at],
        lambda: value[at:],
        lambda: value.swapcase(),
        lambda: value.replace("v1", random.choice(("v0", "v1a", "v2", ""))),
        lambda: value.replace("=", random.choice(("", "==", "%3D"))),
        lambda: value.translate(str.maketrans("+/", "-_")),
        lambda: "",
        lambda: "\x00",
        lambda: value + ", " + value,
        lambda: " ".join(["v1,AAAA"] * random.choice((3, 25, 500)) + [value]),
        lambda: str(NOW + random.choice((-(10**6), -301, -1, 1, 301, 10**15))),
    )
    headers[name] = random.choice(ways)()
    return [*headers.items()], body


def _other_secret(sender: Sender, headers: Headers, body: bytes, random: Random) -> Forgery:
    wrong = sender.sign(body, secret=OTHER)
    extra = {} if random.randrange(2) else headers
    mixed = {**extra, **{k: v for k, v in wrong.items() if random.random() < 0.8}}
    return [*mixed.items()], body


def _headers_played(sender: Sender, headers: Headers, body: bytes, random: Random) -> Forgery:
    """Send headers twice, not at all, or with a fresh stamp beside an old one."""
    if sender.name in ("stripe", "generic") and random.randrange(2):
        return _old_stamp(sender, headers, body, random)
    pairs = [*headers.items()]
    twice = sender.sign(random.choice((body, b"{}")), secret=OTHER)
    ways = (
        [*pairs, *twice.items()],
        [*twice.items(), *pairs],
        pairs[1:],
        [],
        [(name.replace("-", "_"), value) for name, value in pairs],
        [(name, f"{twice[name]},{value}") for name, value in pairs],
    )
    changed = body if random.randrange(2) else damaged(body, random)
    return random.choice(ways), changed


def _old_stamp(sender: Sender, headers: Headers, body: bytes, random: Random) -> Forgery:
    """Play back a delivery that was genuine once, with a stamp that looks new."""
    old = NOW + random.choice((-(10**6), -301, 301, 10**6))
    signed = sender.sign(body, at=old)
    if sender.name == "generic":
        stamp = random.choice((str(NOW), str(old), f"{old} {NOW}", f"0{old}", f"{old}.0"))
        return [*(signed | {"webhook-timestamp": stamp}).items()], body
    value = signed["stripe-signature"]
    proof = value.split("v1=")[1]
    ways = (
        value,
        f"t={NOW},{value}",
        f"{value},t={NOW}",
        f"t={NOW},v1={proof}",
        f"t={old}={NOW},v1={proof}",
        f"t={NOW},t={old},v1={proof}",
        f" t={NOW},t={old},v1={proof}",
        f"t={old},v0={proof},t={NOW}",
        f"t={old} ,v1={proof}",
        f"t={NOW}, t={old},v1={proof}",
    )
    return [("stripe-signature", random.choice(ways))], body
