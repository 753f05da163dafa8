"""Did the effect with this key happen? Told by marks, after Stripe has forgotten the key.

Stripe's search lags behind by a minute, at worst an hour, so it is trusted only for what is older
than two hours; younger intents are listed, and a list is consistent at once. With the payment's
``reference`` the payment itself is read: no index is needed, and a payment that was adopted a
moment ago is covered too. A void leaves no mark: it is repeated, under any key.

Source: https://docs.stripe.com/search (data freshness).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import stripe

from adapters.payments import stripe_reading as reading
from adapters.payments.stripe_calls import Json, ask, is_unknown_object, pages, typed
from domain.errors import EffectRefused
from ports.payments import Authorisation, Capture, Refund

INDEXED_AFTER = timedelta(hours=2)
FEE = ["latest_charge.balance_transaction"]


@dataclass(frozen=True)
class Dialect:
    """What the server speaks. Stripe speaks all of it; small test servers refuse some.

    ``search``: the search API. ``created_filter``: lists by time. ``capture_metadata``: metadata
    on a capture; without it ``find`` cannot prove a capture. ``multi_capture``: asking for it.
    """

    search: bool = True
    created_filter: bool = True
    capture_metadata: bool = True
    multi_capture: bool = True


class Lookup:
    """Reads intents and refunds by what is written on them."""

    def __init__(self, client: stripe.StripeClient, dialect: Dialect) -> None:
        self._client, self._dialect = client, dialect

    async def find(
        self, order_id: str, key: str, reference: str = ""
    ) -> Authorisation | Capture | Refund | None:
        """Return the effect with this key; ``None`` proves that there is none."""
        intents = self._one(reference) if reference else self._of_order(order_id)
        async for intent in intents:
            if reading.owner_of(intent) != order_id:
                continue
            if reading.belongs(intent, order_id, key):
                return reading.read_intent(intent)
            if capture := reading.read_capture(intent, key):
                return capture
            if reading.charge_of(intent) and (refund := await self._refund(intent, order_id, key)):
                return refund
        return None

    async def intent(self, reference: str) -> Json:
        """Return a payment intent with its charge and fee."""
        call = self._client.v1.payment_intents.retrieve_async
        return await ask(call(reference, typed({"expand": FEE})))

    async def _one(self, reference: str) -> AsyncIterator[Json]:
        try:
            yield await self.intent(reference)
        except EffectRefused as refused:
            if not is_unknown_object(refused):
                raise

    async def _of_order(self, order_id: str) -> AsyncIterator[Json]:
        intents = self._client.v1.payment_intents
        recent: Json = {"limit": 100}
        if self._dialect.created_filter:
            since = datetime.now(UTC) - INDEXED_AFTER
            recent["created"] = {"gte": int(since.timestamp())}
        async for intent in pages(intents.list_async(typed(recent))):
            if reading.owner_of(intent) == order_id:
                yield await self.intent(str(intent["id"]))
        if self._dialect.search:
            wanted = order_id.replace("\\", "\\\\").replace("'", "\\'")
            query = f"metadata['{reading.OWNER}']:'{wanted}'"
            async for intent in pages(intents.search_async(typed({"query": query, "limit": 100}))):
                # The index may also show an old state: what counts is read afresh.
                yield await self.intent(str(intent["id"]))

    async def _refund(self, intent: Json, order_id: str, key: str) -> Refund | None:
        params = typed({"payment_intent": intent["id"], "limit": 100})
        async for refund in pages(self._client.v1.refunds.list_async(params)):
            if reading.belongs(refund, order_id, key):
                return reading.read_refund(refund)
        return None
