"""Gates at fake providers: a call stands still, before or after its effect, until it is let on.

So a test says what happens *while* a step is done, and never hopes for a moment.
"""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

PATIENCE = 30.0
"""Seconds of real time until a call that never comes is a failed test."""


class Gate:
    """Holds every call of one kind until it is opened."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()
        self._opened = asyncio.Event()

    async def reached(self) -> None:
        """Wait until a call stands at the gate."""
        await asyncio.wait_for(self._arrived.wait(), PATIENCE)

    def open(self) -> None:
        """Let through what stands here, and whatever comes later."""
        self._opened.set()

    async def wait(self) -> None:
        """Stand at the gate until it is open."""
        self._arrived.set()
        await self._opened.wait()


class Gates:
    """The gates of one world, by call (``payments.capture``) and side of its effect."""

    def __init__(self) -> None:
        self._gates: dict[tuple[str, bool], Gate] = {}

    def hold(self, call: str, *, after: bool = False) -> Gate:
        """Hold the next calls of a kind: before they do anything, or ``after`` all is done."""
        self._gates[call, after] = Gate()
        return self._gates[call, after]

    def open(self) -> None:
        """Open all gates, so that a failed test leaves nobody standing."""
        for gate in self._gates.values():
            gate.open()

    def around(self, name: str, provider: Any) -> Any:
        """Return a provider whose calls pass the gates."""
        return _Gated(self, name, provider)

    async def wait(self, call: str, after: bool) -> None:
        """Stand at a gate, when there is one."""
        if gate := self._gates.get((call, after)):
            await gate.wait()


class _Gated:
    def __init__(self, gates: Gates, name: str, provider: Any) -> None:
        self._gates, self._name, self._provider = gates, name, provider

    def __getattr__(self, call: str) -> Any:
        made = getattr(self._provider, call)
        return self._gated(f"{self._name}.{call}", made) if iscoroutinefunction(made) else made

    def _gated(self, call: str, made: Callable[..., Awaitable[Any]]) -> Any:
        async def through(*args: Any, **named: Any) -> Any:
            await self._gates.wait(call, after=False)
            try:
                return await made(*args, **named)
            finally:
                await self._gates.wait(call, after=True)

        return through
