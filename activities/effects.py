"""An external effect and its audit: intent before the call, outcome after (INVARIANTS A1)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from activities.errors import translated
from contracts.steps import effect_key
from domain.errors import DomainError, PaymentDeclined
from domain.frozen import Wire
from ports.stores import EffectStore

Out = TypeVar("Out", bound=Wire | bool | None)


class Effects:
    """Makes external effects at most once, and keeps account of them."""

    def __init__(self, store: EffectStore) -> None:
        self._store = store

    async def make(
        self,
        order_id: str,
        purpose: str,
        n: int,
        detail: dict[str, str],
        call: Callable[[str], Awaitable[Out]],
    ) -> Out:
        """Write the intent, call the provider with the effect's key, write the outcome.

        A database that is away stops the effect before it begins. An unknown outcome leaves the
        intent without a conclusion, for the next attempt or the audit.

        Raises:
            ApplicationError: as ``activities.errors`` says.
        """
        key = effect_key(order_id, purpose, n)
        with translated():
            await asyncio.to_thread(self._store.intend, order_id, key, purpose, detail)
            try:
                outcome = await call(key)
            except DomainError as refused:
                verdict = "declined" if isinstance(refused, PaymentDeclined) else "refused"
                await asyncio.to_thread(
                    self._store.conclude, order_id, key, verdict, {"code": refused.code}
                )
                raise
            await asyncio.to_thread(self._store.conclude, order_id, key, "done", _summary(outcome))
            return outcome


def _summary(outcome: Wire | bool | None) -> dict[str, str]:
    """Keep what identifies an outcome; documents and addresses stay out of the audit."""
    if not isinstance(outcome, Wire):
        return {"answer": str(outcome)}
    kept = ("reference", "amount", "label_id", "tracking_number", "fee", "state")
    return {name: str(getattr(outcome, name)) for name in kept if hasattr(outcome, name)}
