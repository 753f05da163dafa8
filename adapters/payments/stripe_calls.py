"""One call to Stripe's SDK: plain dictionaries in and out, our errors instead of Stripe's."""

from collections.abc import AsyncIterator, Awaitable
from typing import Any

import stripe

from adapters.payments.stripe_errors import translate
from domain.errors import EffectRefused

Json = dict[str, Any]


def typed(params: Json) -> Any:
    """Let a plain dictionary pass where the SDK declares one typed dict per call."""
    return params


async def ask(call: Awaitable[stripe.StripeObject]) -> Json:
    """Return the answer of one call; raises our errors."""
    try:
        return dict((await call).to_dict())
    except stripe.StripeError as error:
        raise translate(error) from error


async def pages(first: Awaitable[Any]) -> AsyncIterator[Json]:
    """Yield the objects of all pages of a list or search; raises our errors."""
    try:
        async for item in (await first).auto_paging_iter():
            yield item.to_dict()
    except stripe.StripeError as error:
        raise translate(error) from error


def is_unknown_object(refused: EffectRefused) -> bool:
    """Tell whether Stripe refused because the object does not exist."""
    cause = refused.__cause__
    return isinstance(cause, stripe.InvalidRequestError) and cause.http_status == 404
