"""Customer links: signed tokens that say which order, for what, and until when.

A token is ``secret id . payload . signature``: URL-safe and made by itsdangerous with one salt per
purpose, so that a link to look at an order never cancels it. It holds no personal data. Following
a link (GET) changes nothing, because mail scanners follow links; ``nonce`` is what
``AccessStore.use_once`` is told when the form behind it is posted.
"""

import secrets as random
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from itsdangerous import BadData, URLSafeSerializer

from domain.errors import DomainError
from domain.frozen import Frozen

MAX_TOKEN = 600
NONCE_BYTES = 9


class Purpose(StrEnum):
    """What a link is for."""

    VIEW = "view"
    CANCEL = "cancel"
    RETURN = "return"
    ADDRESS = "address"


class Claims(Frozen):
    """What a link says; ``nonce`` names it for single use."""

    order_id: str
    purpose: Purpose
    expires_at: datetime
    nonce: str


class Links:
    """Make and read links with the live secrets; the first signs."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or not all(secrets):
            raise DomainError("links need a secret", "bad_settings")
        self._secrets = {sha256(b"id:" + s.encode()).hexdigest()[:6]: s for s in secrets}
        self._active = next(iter(self._secrets))

    def issue(self, order_id: str, purpose: str, expires_at: datetime) -> str:
        """Return a token that is good until ``expires_at`` (UTC, whole seconds)."""
        nonce = random.token_urlsafe(NONCE_BYTES)
        body = [order_id, int(expires_at.timestamp()), nonce]
        signed = self._serialiser(self._active, Purpose(purpose)).dumps(body)
        return f"{self._active}.{signed.decode() if isinstance(signed, bytes) else signed}"

    def read(self, token: str, purpose: str, now: datetime) -> Claims:
        """Return what a token says.

        Raises:
            DomainError: code ``link_invalid`` (not ours, changed, of another purpose, its secret
                gone) or ``link_expired``.
        """
        secret_id, _, signed = token.partition(".")
        if len(token) > MAX_TOKEN or secret_id not in self._secrets:
            raise DomainError("this link is not valid", "link_invalid")
        try:
            order_id, expires, nonce = self._serialiser(secret_id, Purpose(purpose)).loads(signed)
            expires_at = datetime.fromtimestamp(expires, UTC)
        except (BadData, ValueError, TypeError):
            raise DomainError("this link is not valid", "link_invalid") from None
        if now >= expires_at:
            raise DomainError("this link is no longer valid", "link_expired")
        return Claims(
            order_id=order_id, purpose=Purpose(purpose), expires_at=expires_at, nonce=nonce
        )

    def _serialiser(self, secret_id: str, purpose: Purpose) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._secrets[secret_id],
            salt=f"waybill.link.{purpose.value}",
            signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
        )
