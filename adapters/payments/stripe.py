"""Payments through Stripe's official SDK (API of stripe 16.1).

Which effect a key had can be told without the key, after Stripe has forgotten it (24 h): intents
and refunds carry the order and the key in their metadata, and a capture writes its key into the
intent's metadata in the very call that captures.

A 500 that Stripe has stored under a key is answered for ever: look up with ``find``, and draw a
new key only when it returns ``None``.
"""

from collections.abc import Sequence

import stripe

from adapters.payments import stripe_reading as reading
from adapters.payments.stripe_amounts import to_stripe
from adapters.payments.stripe_calls import Json, ask, is_unknown_object, typed
from adapters.payments.stripe_lookup import FEE, Dialect, Lookup
from domain.errors import EffectRefused
from domain.money import Money
from ports.payments import Authorisation, Capture, PaymentState, Refund

CHARGE = ["latest_charge"]


class StripeGateway:
    """A ``ports.payments.PaymentGateway``. References are payment intent ids (``pi_…``).

    Args:
        api_key: a secret or restricted key that may write payment intents and refunds.
        base_url: another server that speaks Stripe; empty for Stripe itself.
        timeout: seconds for one call. The SDK's own retries are off: the caller repeats.
        payment_method_types: sent as is; the methods must know manual capture.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = "",
        timeout: float = 20.0,
        *,
        payment_method_types: Sequence[str] = ("card",),
        dialect: Dialect | None = None,
    ) -> None:
        self._http = stripe.HTTPXClient(timeout=timeout)
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": base_url.rstrip("/")} if base_url else {},
            http_client=self._http,
            max_network_retries=0,
        )
        self._types = list(payment_method_types)
        self._dialect = dialect or Dialect()
        self._lookup = Lookup(self._client, self._dialect)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def authorise(
        self,
        order_id: str,
        amount: Money,
        *,
        customer: str,
        method: str,
        multi_capture: bool,
        key: str,
    ) -> Authorisation:
        """Create and confirm a manual-capture intent; off session when there is a customer."""
        params: Json = {
            "amount": to_stripe(amount),
            "currency": amount.currency.lower(),
            "capture_method": "manual",
            "payment_method_types": self._types,
            "payment_method": method,
            "confirm": True,
            "metadata": reading.marks(order_id, key),
            "expand": CHARGE,
        }
        if customer:
            params |= {"customer": customer, "off_session": True}
        if multi_capture and self._dialect.multi_capture:
            wish = {"request_multicapture": "if_available"}
            params["payment_method_options"] = {"card": wish}
        intents = self._client.v1.payment_intents
        made = await ask(intents.create_async(typed(params), {"idempotency_key": key}))
        return reading.read_intent(made)

    async def adopt(self, order_id: str, reference: str, *, key: str) -> Authorisation:
        """Look up the storefront's intent (or charge) and mark it with our order id.

        Raises:
            EffectRefused: another order has adopted it (code ``adopted_by_another_order``).
        """
        intent = await self._lookup.intent(await self._intent_id(reference))
        owner = reading.owner_of(intent)
        if owner not in ("", order_id):
            text = f"{reference} belongs to order {owner}"
            raise EffectRefused(text, "adopted_by_another_order")
        if not reading.belongs(intent, order_id, key):
            marks = reading.marks(order_id, key, intent.get("metadata"))
            update = self._client.v1.payment_intents.update_async
            params = typed({"metadata": marks, "expand": CHARGE})
            intent = await ask(update(intent["id"], params, {"idempotency_key": key}))
        return reading.read_intent(intent)

    async def capture(
        self, order_id: str, reference: str, amount: Money, *, final: bool, key: str
    ) -> Capture:
        """Capture; ``final_capture`` is sent only to keep the rest, as it is true by default.

        Not final without multi-capture on the authorisation is refused, by Stripe or by us.
        """
        taken = to_stripe(amount)
        params: Json = {"amount_to_capture": taken, "expand": FEE}
        if not final:
            if not self._dialect.multi_capture:
                raise EffectRefused("the server captures once only", "multi_capture_unavailable")
            params["final_capture"] = False
        if self._dialect.capture_metadata:
            params["metadata"] = {reading.capture_mark(key): f"{taken} {key}"}
        call = self._client.v1.payment_intents.capture_async
        intent = await ask(call(reference, typed(params), {"idempotency_key": key}))
        capture = reading.read_capture(intent, key, taken)
        assert capture is not None
        return capture

    async def void(self, order_id: str, reference: str, *, key: str) -> None:
        """Cancel the intent; void already, lapsed and unknown are all right.

        Raises:
            EffectRefused: it is captured (code ``already_captured``): refund instead.
        """
        cancel = self._client.v1.payment_intents.cancel_async
        try:
            await ask(cancel(reference, typed({}), {"idempotency_key": key}))
        except EffectRefused as refused:
            if is_unknown_object(refused):
                return
            now = await self.retrieve(reference)
            if now.capturable == 0 and now.captured:
                raise EffectRefused(f"{reference} is captured", "already_captured") from refused
            if now.state is not PaymentState.VOIDED:
                raise

    async def refund(self, order_id: str, reference: str, amount: Money, *, key: str) -> Refund:
        """Refund part or all of the intent's captured amount."""
        params: Json = {
            "payment_intent": reference,
            "amount": to_stripe(amount),
            "metadata": reading.marks(order_id, key),
        }
        create = self._client.v1.refunds.create_async
        made = await ask(create(typed(params), {"idempotency_key": key}))
        return reading.read_refund(made)

    async def find(
        self, order_id: str, key: str, *, reference: str = ""
    ) -> Authorisation | Capture | Refund | None:
        """Look an effect up by the marks it carries; see ``stripe_lookup``."""
        return await self._lookup.find(order_id, key, reference)

    async def retrieve(self, reference: str) -> Authorisation:
        """Return how the intent stands now."""
        return reading.read_intent(await self._lookup.intent(reference))

    async def _intent_id(self, reference: str) -> str:
        """Return the intent of a storefront's reference, which may be a charge."""
        if not reference.startswith("ch_"):
            return reference
        charge = await ask(self._client.v1.charges.retrieve_async(reference))
        if not charge.get("payment_intent"):
            raise EffectRefused(f"{reference} has no payment intent", "no_payment_intent")
        return str(charge["payment_intent"])
