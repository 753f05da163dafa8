"""Killing with -9, and measuring how long it takes until work goes on."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.addresses import Addresses
from cli.stack import Stack, answers
from contracts.orders import workflow_id
from tests.chaos.plan import Strike
from tests.chaos.shop import Shop
from tests.chaos.watch import Watch

LOOK_EACH = 0.1
NEVER = 90.0
"""Seconds after which a part counts as not having come back."""
Say = Callable[[str], None]


@dataclass
class Kill:
    """One process that was killed.

    ``back`` are seconds from the restart (the kill, and the time it was kept away) to the first
    sign: a worker's is the first open order that goes on, any other part's its first answer.
    ``moved`` are those to the first open order that goes on, whoever was killed. One that was
    ``overtaken``, killed again while it returned, is measured from the second time.
    """

    part: str
    pid: int
    away: float
    at: float = field(default_factory=time.time)
    back: float | None = None
    moved: float | None = None
    overtaken: bool = False


class Killer:
    """Strikes one after the other; the stack looks after itself as ``waybill up`` does."""

    def __init__(self, stack: Stack, shop: Shop, watch: Watch, say: Say) -> None:
        self._stack, self._shop, self._watch, self._say = stack, shop, watch, say
        self._began = time.monotonic()
        self.kills: list[Kill] = []

    def strike(self, strike: Strike) -> None:
        """Kill, leave dead for a while, and return when all victims work again."""
        if strike.again:
            self._kill(strike.victims, 0.0, overtaken=True)
            self.look_after(strike.again)
        struck, kills = time.monotonic(), self._kill(strike.victims, strike.away)
        # Where the dead have left the orders: what they wrote last is no progress.
        self._watch.look()
        open_orders = self._watch.open()
        self._tell(f"  {len(open_orders)} orders are open")
        self._shop.pause(strike.away)
        signs = [
            threading.Thread(target=self._measure, args=(kill, open_orders, struck), daemon=True)
            for kill in kills
        ]
        for sign in signs:
            sign.start()
        while any(sign.is_alive() for sign in signs):
            self.look_after(LOOK_EACH)

    def _kill(self, victims: Sequence[str], away: float, *, overtaken: bool = False) -> list[Kill]:
        pids = self._stack.pids
        kills = [Kill(part, pids[part], away, overtaken=overtaken) for part in victims]
        for kill in kills:
            os.kill(kill.pid, signal.SIGKILL)
        self.kills += kills
        named = " and ".join(f"{kill.part} ({kill.pid})" for kill in kills)
        self._tell(f"killed {named}" + (f", for {away:.1f} s" if away else ""))
        return kills

    def look_after(self, seconds: float) -> None:
        """Let time pass while the stack starts again what has ended."""
        until = time.monotonic() + seconds
        while True:
            self._stack.look()
            left = until - time.monotonic()
            if left <= 0:
                return
            self._shop.pause(min(left, LOOK_EACH))

    def _measure(self, kill: Kill, open_orders: Mapping[str, int], struck: float) -> None:
        from_restart = struck + kill.away
        answers_now = sign_of(kill.part, self._shop, self._stack.addresses, list(open_orders))
        while time.monotonic() < from_restart + NEVER:
            if kill.moved is None:
                moved = self._watch.first_move(open_orders, from_restart)
                kill.moved = None if moved is None else moved - from_restart
            if kill.back is None and answers_now is None:
                kill.back = kill.moved
            elif kill.back is None and answers_now and answers_now():
                kill.back = time.monotonic() - from_restart
            if kill.back is not None and (kill.moved is not None or not open_orders):
                break
            time.sleep(0.05)
        back, moved_after = shown(kill.back), shown(kill.moved)
        self._tell(f"  {kill.part}: first sign after {back}, orders go on after {moved_after}")

    def _tell(self, text: str) -> None:
        self._say(f"{time.monotonic() - self._began:7.1f} {text}")


def sign_of(
    part: str, shop: Shop, addresses: Addresses, orders: list[str]
) -> Callable[[], bool] | None:
    """Return how to see that a part works; None where only the orders show it."""
    if part == "api":
        return shop.answers
    if part == "testbed":
        return lambda: answers(f"{addresses.testbed_url}/healthz")
    if part == "temporal":
        return lambda: asyncio.run(describes(addresses, orders))
    return None


async def describes(addresses: Addresses, orders: list[str]) -> bool:
    """Whether the server tells of an order, or that it has none of that name."""
    try:
        client = await asyncio.wait_for(Client.connect(addresses.temporal_address), 1.0)
        for order_id in orders[:1]:
            handle = client.get_workflow_handle(workflow_id(order_id))
            await handle.describe(rpc_timeout=timedelta(seconds=1))
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND
    except (RuntimeError, TimeoutError):
        return False
    return True


def shown(seconds: float | None) -> str:
    """Return seconds for people."""
    return "never" if seconds is None else f"{seconds:.1f} s"
