"""The signature scheme that Shopify and WooCommerce share: base64 HMAC-SHA256 of the raw body."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from ports.storefronts import Unauthentic


def verify_body_signature(signature: str | None, body: bytes, secrets: Sequence[str]) -> None:
    """Check a signature over the raw body against each live secret, in constant time.

    Every secret is tried, also after one fits, so that the time tells nothing about which.

    Raises:
        Unauthentic: no signature, no secret configured, or none that fits.
    """
    if not signature:
        raise Unauthentic("the signature header is missing")
    given = signature.strip().encode()
    fits = [
        hmac.compare_digest(body_signature(body, secret).encode(), given)
        for secret in secrets
        if secret
    ]
    if not any(fits):
        raise Unauthentic("no live secret gives this signature")


def body_signature(body: bytes, secret: str) -> str:
    """Return what a storefront that knows ``secret`` puts into its signature header."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
