"""Customer messages: at most one send per order, template and number (INVARIANTS N1)."""

import asyncio

from temporalio import activity

from activities.errors import translated
from contracts.steps import MessageStep
from domain.errors import EffectRefused, ProviderUnavailable
from ports.messages import Composer, Mailer, Message, OutcomeUnknown
from ports.stores import Store


class MessageActivities:
    """Claims, writes and sends one message."""

    def __init__(self, mailer: Mailer, composer: Composer, store: Store) -> None:
        self._mailer = mailer
        self._composer = composer
        self._store = store

    @activity.defn(name="send_message")
    async def send(self, step: MessageStep) -> str:
        """Send a message unless it was claimed before; returns what came of it.

        A worker that dies between claim and answer leaves the claim: the message is not sent
        again, and the audit reports it.
        """
        with translated():
            message = await asyncio.to_thread(self._claimed, step)
            if message is None:
                return "skipped"
            outcome = await self._sent(step, message)
            await self._settle(step, outcome)
            return outcome

    async def _sent(self, step: MessageStep, message: Message) -> str:
        try:
            await self._mailer.send(message)
        except OutcomeUnknown:
            return "unknown"
        except EffectRefused:
            return "refused"
        except ProviderUnavailable:
            await self._settle(step, "not_sent")
            raise
        return "sent"

    async def _settle(self, step: MessageStep, outcome: str) -> None:
        await asyncio.to_thread(self._store.settle, step.order_id, step.template, step.n, outcome)

    def _claimed(self, step: MessageStep) -> Message | None:
        stored = self._store.get(step.order_id)
        if stored is None:
            raise EffectRefused(f"{step.order_id} is not in the database", "order_unknown")
        _, policy = self._store.policy(stored.policy_version)
        if not policy.messages.enabled or step.template in policy.messages.muted:
            return None
        message = self._composer.compose(step, stored, policy)
        if message is None or not self._store.claim(step.order_id, step.template, step.n):
            return None
        return message
