"""The key ring: which keys payloads are encrypted with, and which still open older ones."""

from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import DomainError

KEY_BYTES = (16, 24, 32)


@dataclass(frozen=True)
class KeyRing:
    """AES keys by id. ``active`` encrypts; every key decrypts.

    An id is written on each payload, so keep it short; a key may seal 2^32 payloads (NIST
    SP 800-38D, random 96-bit nonces), then rotate.
    """

    active: str
    ciphers: Mapping[str, AESGCM] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read ``id1:base64key,id0:base64key``; the first is the active one.

        Raises:
            DomainError: code ``bad_keys``, naming the entry by id or position, never its content.
        """
        ciphers: dict[str, AESGCM] = {}
        for place, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
            key_id, colon, encoded = entry.partition(":")
            if not colon or not key_id or len(key_id) > 20 or not key_id.isascii():
                raise DomainError(f"key {place} is not written as id:base64", "bad_keys")
            if key_id in ciphers:
                raise DomainError(f"key id {key_id!r} stands twice", "bad_keys")
            ciphers[key_id] = AESGCM(_key_of(key_id, encoded))
        if not ciphers:
            raise DomainError("no encryption key is given", "bad_keys")
        return cls(active=next(iter(ciphers)), ciphers=ciphers)


def _key_of(key_id: str, encoded: str) -> bytes:
    try:
        key = b64decode(encoded, validate=True)
    except (BadBase64, ValueError):
        raise DomainError(f"key {key_id!r} is not base64", "bad_keys") from None
    if len(key) not in KEY_BYTES:
        raise DomainError(f"key {key_id!r} has {len(key)} bytes, not 16, 24 or 32", "bad_keys")
    return key
