"""The one place where Stripe's errors become ours.

CardError (402)                                  PaymentDeclined, Stripe's code kept
IdempotencyError (400, key with other params)    EffectRefused ``key_reused``
InvalidRequestError (400, 404)                   EffectRefused, Stripe's code kept
connection, 409 (key in use), 429, 5xx           ProviderUnavailable, Retry-After kept
401, 403                                         ProviderUnavailable: our key is wrong, not the
                                                 order; it waits until an operator mends the key

Source: https://docs.stripe.com/error-handling and https://docs.stripe.com/api/idempotent_requests.
"""

import stripe

from domain.errors import DomainError, EffectRefused, PaymentDeclined, ProviderUnavailable

LONGEST = 500


def translate(error: stripe.StripeError) -> DomainError | ProviderUnavailable:
    """Return our error for Stripe's; messages are cut to 500 characters."""
    text = str(error)[:LONGEST]
    if isinstance(error, stripe.CardError):
        return PaymentDeclined(_with_decline_code(error, text), error.code or "card_declined")
    if isinstance(error, stripe.IdempotencyError):
        return EffectRefused(text, "key_reused")
    if isinstance(error, stripe.InvalidRequestError):
        return EffectRefused(text, error.code)
    return ProviderUnavailable(text, _retry_after(error))


def _with_decline_code(error: stripe.CardError, text: str) -> str:
    reason = getattr(error.error, "decline_code", None)
    return f"{text} ({reason})" if reason else text


def _retry_after(error: stripe.StripeError) -> float | None:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None
