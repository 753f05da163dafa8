"""The fraud vendor's verdict (C12)."""

import asyncio
from collections.abc import Mapping

from temporalio import activity

from activities.errors import translated
from contracts.steps import Graded, GradeStep, effect_key
from domain.errors import EffectRefused
from ports.fraud import FraudVendor
from ports.stores import OrderStore


class FraudActivities:
    """Asks the vendor that the policy names."""

    def __init__(self, vendors: Mapping[str, FraudVendor], orders: OrderStore) -> None:
        self._vendors = vendors
        self._orders = orders

    @activity.defn(name="ask_fraud_vendor")
    async def grade(self, step: GradeStep) -> Graded:
        """Return the vendor's verdict on an order."""
        with translated():
            vendor = self._vendors.get(step.vendor)
            stored = await asyncio.to_thread(self._orders.get, step.order_id)
            if vendor is None or stored is None:
                raise EffectRefused(f"cannot ask fraud vendor {step.vendor!r}", "no_vendor")
            answer = await vendor.grade(
                stored.order, key=effect_key(step.order_id, "grade", step.n)
            )
            return Graded(grade=answer.grade, score=answer.score, reasons=answer.reasons)
