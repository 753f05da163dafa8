"""A worker that starts while Temporal is away waits for it, for as long as is sensible."""

import asyncio
from typing import cast

import pytest
from temporalio.client import Client

from workers.__main__ import patiently

CLIENT = cast(Client, object())


class Server:
    """Answers after so many calls in vain."""

    def __init__(self, away: int) -> None:
        self.away, self.calls = away, 0

    async def connect(self) -> Client:
        self.calls += 1
        if self.calls <= self.away:
            raise RuntimeError("connection refused")
        return CLIENT


async def test_a_worker_that_starts_before_temporal_waits_for_it() -> None:
    server = Server(away=3)
    assert await patiently(server.connect, pause=0) is CLIENT
    assert server.calls == 4


async def test_a_worker_gives_up_when_temporal_never_answers() -> None:
    server = Server(away=10**9)
    with pytest.raises(RuntimeError, match="refused"):
        await asyncio.wait_for(patiently(server.connect, patience=0.05, pause=0), 5)
