"""Payload encryption: Temporal's server, its database and its UI see no clear text.

AES-GCM over the whole payload, its metadata included. What stands beside it is the encoding and
the key's id, which is bound as associated data. A payload of ours is::

    nonce (12) | AES-GCM( form (1) | Payload, perhaps deflated ) + tag (16)

Not covered: workflow ids, search attributes (TEMPORAL.md T11), and that a result is ``None``.
"""

import os
import zlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from adapters.temporal.keys import KeyRing
from adapters.temporal.words import WORDS_1
from domain.errors import ProviderUnavailable

ENCODING = b"sealed/"
"""Followed by the key's id, so that a history carries one short word beside each payload."""

NONCE = 12
MAX_BYTES = 8 << 20
_PLAIN, _DEFLATED_1 = b"\0", b"\1"
_EMPTY = b"binary/null"


class UnreadablePayload(ProviderUnavailable):
    """A payload that the keys here do not open: a missing key, or bytes that were changed.

    Not a refusal by rule: with the key deployed again the same payload can be read, so Temporal
    goes on asking.
    """


class EncryptionCodec(PayloadCodec):
    """Seal payloads with the active key of a ring; open those of any of its keys."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal each payload; one that is sealed, or empty, stays as it is."""
        return [self._seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open each payload; one that was never sealed passes through.

        Raises:
            UnreadablePayload: its key is not in the ring, or it was changed.
        """
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        encoding = payload.metadata.get("encoding", b"")
        if encoding == _EMPTY or encoding.startswith(ENCODING):
            return payload
        key_id = self._keys.active.encode()
        nonce = os.urandom(NONCE)
        clear = _deflated(payload.SerializeToString())
        sealed = self._keys.ciphers[self._keys.active].encrypt(nonce, clear, key_id)
        return Payload(metadata={"encoding": ENCODING + key_id}, data=nonce + sealed)

    def _open(self, payload: Payload) -> Payload:
        encoding = payload.metadata.get("encoding", b"")
        if not encoding.startswith(ENCODING):
            return payload
        key_id = encoding.removeprefix(ENCODING)
        cipher = self._keys.ciphers.get(key_id.decode(errors="replace"))
        if cipher is None:
            raise UnreadablePayload(
                f"no key {key_id[:20]!r} in the ring; was it removed too early?"
            )
        nonce, sealed = payload.data[:NONCE], payload.data[NONCE:]
        try:
            return Payload.FromString(_inflated(cipher.decrypt(nonce, sealed, key_id)))
        except (InvalidTag, ValueError):
            raise UnreadablePayload(f"a payload of key {key_id!r} was changed") from None


def _deflated(clear: bytes) -> bytes:
    """Deflate when that is smaller. Raw deflate: GCM is the checksum, the form names the words."""
    if len(clear) >= MAX_BYTES:
        return _PLAIN + clear
    deflate = zlib.compressobj(6, wbits=-15, zdict=WORDS_1)
    small = deflate.compress(clear) + deflate.flush()
    return _DEFLATED_1 + small if len(small) < len(clear) else _PLAIN + clear


def _inflated(form_and_body: bytes) -> bytes:
    form, body = form_and_body[:1], form_and_body[1:]
    if form == _PLAIN:
        return body
    if form != _DEFLATED_1:
        raise UnreadablePayload(f"payload form {form!r} is of a newer version of Waybill")
    inflate = zlib.decompressobj(wbits=-15, zdict=WORDS_1)
    clear = inflate.decompress(body, MAX_BYTES)
    if inflate.unconsumed_tail:
        raise UnreadablePayload(f"a payload inflates to more than {MAX_BYTES} bytes")
    return clear
