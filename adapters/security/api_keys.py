"""API keys: random, shown once, stored as a hash; and the scopes they may carry."""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from domain.errors import DomainError
from ports.access import Scope as Scope
from ports.stores import ApiKey

MARK = "wb_"
SECRET_BYTES = 32
PREFIX_LENGTH = 11


@dataclass(frozen=True)
class NewKey:
    """A key just made. ``secret`` is shown once and never stored; ``key_hash`` is."""

    key: ApiKey
    key_hash: str
    secret: str = field(repr=False)


def create(
    name: str,
    scopes: Iterable[Scope],
    *,
    pepper: str = "",
    channels: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key of 256 random bits.

    Args:
        scopes: at least one; what is not given is denied.
        pepper: from the settings; a stolen database alone then verifies no key.
        channels: whose orders it may touch; empty means all.
    """
    granted = tuple(sorted({Scope(scope).value for scope in scopes}))
    if not granted:
        raise DomainError("a key needs at least one scope", "no_scope")
    secret = MARK + secrets.token_urlsafe(SECRET_BYTES)
    key = ApiKey(
        key_id=secrets.token_hex(8),
        prefix=secret[:PREFIX_LENGTH],
        name=name,
        scopes=granted,
        channels=tuple(sorted(set(channels))),
        expires_at=expires_at,
    )
    return NewKey(key=key, key_hash=hash_of(secret, pepper), secret=secret)


def hash_of(secret: str, pepper: str = "") -> str:
    """Return the hash a key is stored and looked up by, 64 hex digits.

    One round suffices: 256 random bits cannot be guessed, whatever the speed of the hash. The look
    up by hash leaks nothing by its timing, for nobody can choose the hash of a guess.
    """
    return hmac.new(pepper.encode(), secret.encode(), sha256).hexdigest()


def verify(secret: str, key_hash: str, pepper: str = "") -> bool:
    """Whether a key is the one with this hash, in constant time."""
    return hmac.compare_digest(hash_of(secret, pepper), key_hash)


def may(scopes: Iterable[str], needed: Scope) -> bool:
    """Whether a key with these scopes may do what needs ``needed``."""
    held = frozenset(scopes)
    return needed.value in held or Scope.ADMIN.value in held
