"""Money steps. Each is one keyed effect at the payment provider."""

import asyncio
from collections.abc import Mapping

from temporalio import activity

from activities.effects import Effects
from activities.errors import translated
from contracts.steps import AuthoriseRequest, Found, PaymentStep, effect_key
from domain.errors import EffectRefused
from domain.money import Money
from domain.order import Payment
from ports.payments import Authorisation, Capture, PaymentGateway, Refund
from ports.stores import EffectStore, OrderStore


class PaymentActivities:
    """Money steps; the providers arrive through the constructor, by name."""

    def __init__(
        self, gateways: Mapping[str, PaymentGateway], orders: OrderStore, effects: EffectStore
    ) -> None:
        self._gateways = gateways
        self._orders = orders
        self._effects = Effects(effects)

    @activity.defn(name="authorise")
    async def authorise(self, ask: AuthoriseRequest) -> Authorisation:
        """Reserve an amount on the customer's method."""
        payment = await self._payment(ask.order_id)
        gateway = self._gateway(payment.provider)
        return await self._effects.make(
            ask.order_id,
            "authorise",
            ask.n,
            {"amount": str(ask.amount), "currency": ask.currency},
            lambda key: gateway.authorise(
                ask.order_id,
                Money(amount=ask.amount, currency=ask.currency),
                customer=ask.customer or payment.customer,
                method=ask.method or payment.method,
                multi_capture=ask.multi_capture,
                key=key,
            ),
        )

    @activity.defn(name="adopt_payment")
    async def adopt(self, step: PaymentStep) -> Authorisation:
        """Take over a payment that the storefront made."""
        gateway = await self._gateway_of(step)
        return await self._effects.make(
            step.order_id,
            "adopt",
            step.n,
            {"reference": step.reference},
            lambda key: gateway.adopt(step.order_id, step.reference, key=key),
        )

    @activity.defn(name="capture")
    async def capture(self, step: PaymentStep) -> Capture:
        """Take an amount of an authorisation."""
        gateway = await self._gateway_of(step)
        return await self._effects.make(
            step.order_id,
            "capture",
            step.n,
            _detail(step),
            lambda key: gateway.capture(
                step.order_id, step.reference, _money(step), final=step.final, key=key
            ),
        )

    @activity.defn(name="void_payment")
    async def void(self, step: PaymentStep) -> None:
        """Release an authorisation; one that never was is no error."""
        gateway = await self._gateway_of(step)
        await self._effects.make(
            step.order_id,
            "void",
            step.n,
            {"reference": step.reference},
            lambda key: gateway.void(step.order_id, step.reference, key=key),
        )

    @activity.defn(name="refund")
    async def refund(self, step: PaymentStep) -> Refund:
        """Give back an amount of what was captured."""
        gateway = await self._gateway_of(step)
        return await self._effects.make(
            step.order_id,
            "refund",
            step.n,
            _detail(step),
            lambda key: gateway.refund(step.order_id, step.reference, _money(step), key=key),
        )

    @activity.defn(name="find_payment_effect")
    async def find(self, step: PaymentStep) -> Found:
        """Look up whether an effect whose outcome we never learnt exists at the provider."""
        gateway = await self._gateway_of(step)
        with translated():
            effect = await gateway.find(
                step.order_id,
                effect_key(step.order_id, step.purpose, step.n),
                reference=step.reference,
            )
        return Found(
            authorisation=effect if isinstance(effect, Authorisation) else None,
            capture=effect if isinstance(effect, Capture) else None,
            refund=effect if isinstance(effect, Refund) else None,
        )

    @activity.defn(name="retrieve_payment")
    async def retrieve(self, step: PaymentStep) -> Authorisation:
        """Return how a payment stands at the provider."""
        gateway = await self._gateway_of(step)
        with translated():
            return await gateway.retrieve(step.reference)

    async def _payment(self, order_id: str) -> Payment:
        with translated():
            stored = await asyncio.to_thread(self._orders.get, order_id)
            if stored is None:
                raise EffectRefused(f"{order_id} is not in the database", "order_unknown")
            return stored.order.payment

    async def _gateway_of(self, step: PaymentStep) -> PaymentGateway:
        return self._gateway(step.provider or (await self._payment(step.order_id)).provider)

    def _gateway(self, provider: str) -> PaymentGateway:
        """Return the provider by name; an order that names none is paid through the only one."""
        if not provider and len(self._gateways) == 1:
            return next(iter(self._gateways.values()))
        with translated():
            if provider not in self._gateways:
                raise EffectRefused(f"no payment provider {provider!r} is set up", "no_provider")
            return self._gateways[provider]


def _money(step: PaymentStep) -> Money:
    return Money(amount=step.amount, currency=step.currency)


def _detail(step: PaymentStep) -> dict[str, str]:
    return {"reference": step.reference, "amount": str(step.amount), "currency": step.currency}
