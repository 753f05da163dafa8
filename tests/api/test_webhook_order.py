"""Storefronts do not keep their events in order, and send them again: whatever the order and the
repeats, one final state.

Not words but states are walked through: from each reachable state every event is delivered (again),
Temporal goes away and comes back, a cancelled process ends, a parked cancel's week runs out. States
that read the same are one, so this covers every permutation with any number of repeats, more than
could be tried one by one. ``make test THOROUGH=1`` tries some one by one, through the front door.
"""

import os
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import httpx
import pytest
from webhook_events import EXPECTED, SEQUENCES, woocommerce
from webhook_world import CHANNEL, Event, Shop, State, copied, told

from api.app import create_app
from domain.order import PaymentForm

THOROUGH = bool(os.environ.get("THOROUGH"))
AWAY, WEEK = "Temporal goes away", "a week passes"
ONCE = frozenset({AWAY})
Path = tuple[str, ...]
Taken = frozenset[int]
"""Which events were answered 2xx."""
ALLOWED = {"paid_after_cancel", "parked_cancel"}
"""Alerts that say what is true on one way and not on another: somebody was told in time."""


def final_state(shop: Shop) -> dict[str, Any]:
    """Return what the customer, the merchant and the operators see in the end."""
    alerts = {row["kind"] for row in shop.store.books.alerts()}
    state: dict[str, Any] = {"alerts": sorted(alerts - ALLOWED), "starts": shop.processes.starts}
    state["orders"] = len(list(shop.store.books.order_ids()))
    for process in shop.processes.running.values():
        state["cancelled"] = process.cancelled
        # Adopted money goes back with the cancel; of other money a person has been told.
        adopted = process.form is PaymentForm.CAPTURED or bool(process.provider)
        returned = "given back" if adopted or "paid_after_cancel" in alerts else "none"
        state["money"] = returned if process.cancelled else process.payment
    return state


class Walk:
    """All states that can be reached with some events.

    ``finals`` holds each final state with the shortest way to it; final is what a shop is in when
    every event was answered 2xx, Temporal is there and everybody has done what they were to do.
    """

    def __init__(self, shop: Shop, events: list[Event]) -> None:
        self._shop, self._events = shop, events
        self._queue: deque[tuple[State, Taken, frozenset[str], Path]] = deque()
        self._seen: set[str] = set()
        self.finals: dict[str, Path] = {}

    async def through(self, once: frozenset[str]) -> "Walk":
        """Walk; each of ``once`` may happen once on every way."""
        self._reached(frozenset(), once, ())
        while self._queue:
            kept, taken, once, path = self._queue.popleft()
            await self._deliver(kept, taken, once, path)
            await self._happen(kept, taken, once, path)
            if len(taken) == len(self._events):
                await self._end(kept, path)
        return self

    async def _deliver(self, kept: State, taken: Taken, once: frozenset[str], path: Path) -> None:
        for n, event in enumerate(self._events):
            self._shop.go_back(kept)
            status = await self._shop.deliver(event)
            assert status in (200, 202, 503), f"{status} after {(*path, event.name)}"
            now = taken | {n} if status != 503 else taken
            self._reached(now, once, (*path, f"{event.name}: {status}"))

    async def _happen(self, kept: State, taken: Taken, once: frozenset[str], path: Path) -> None:
        """Let each thing happen that is not the storefront's doing."""
        shop = self._shop
        shop.go_back(kept)
        shop.end_processes()
        self._reached(taken, once, (*path, "the process ends"))
        if shop.processes.away:
            await self._back(kept)
            self._reached(taken, once, (*path, "Temporal is back"))
        elif AWAY in once:
            shop.go_back(kept)
            shop.processes.away = True
            self._reached(taken, once - {AWAY}, (*path, AWAY))
        if WEEK in once:
            shop.go_back(kept)
            shop.clock.now += timedelta(days=8)
            await shop.sweep()
            self._reached(taken, once - {WEEK}, (*path, WEEK))

    async def _back(self, kept: State) -> None:
        self._shop.go_back(kept)
        self._shop.processes.away = False
        await self._shop.sweep()

    async def _end(self, kept: State, path: Path) -> None:
        await self._back(kept)
        self._shop.end_processes()
        self.finals.setdefault(repr(final_state(self._shop)), path)

    def _reached(self, taken: Taken, once: frozenset[str], path: Path) -> None:
        state = self._shop.state
        key = f"{sorted(taken)} {sorted(once)} {told(state)}"
        if key not in self._seen:
            self._seen.add(key)
            self._queue.append((copied(state), taken, once, path))


@pytest.mark.parametrize("name", SEQUENCES)
async def test_every_order_of_events_with_any_repeats_ends_in_one_state(name: str) -> None:
    platform, events = SEQUENCES[name]
    once = ONCE if len(events) < 5 or THOROUGH else frozenset[str]()
    walk = await Walk(Shop(platform), events).through(once)
    assert len(walk.finals) == 1, "\n".join(f"{p}\n    {f}" for f, p in walk.finals.items())
    (final,) = walk.finals
    assert final == repr(EXPECTED[name])


@pytest.mark.parametrize("name", ["paid only when it was cancelled", "a bank transfer, cancelled"])
async def test_a_parked_cancel_whose_week_has_run_out_changes_nothing_of_that(name: str) -> None:
    platform, events = SEQUENCES[name]
    walk = await Walk(Shop(platform), events).through(ONCE | {WEEK})
    assert list(walk.finals) == [repr(EXPECTED[name])]


async def test_an_overdue_cancel_is_told_of_once_and_still_cancels_the_order() -> None:
    platform, (created, _, cancelled) = SEQUENCES["a bank transfer, cancelled"]
    shop = Shop(platform)
    assert await shop.deliver(cancelled) == 202
    shop.clock.now += timedelta(days=8)
    for _ in range(3):
        await shop.sweep()
    (alert,) = shop.store.alerts()
    assert (alert["kind"], alert["count"]) == ("parked_cancel", 1)
    shop.store.close_alert(alert["alert_id"], shop.clock.now)
    await shop.sweep()
    assert shop.store.alerts() == []
    assert await shop.deliver(created) == 202
    assert [process.cancelled for process in shop.processes.running.values()] == [True]


async def test_a_checkout_that_was_never_paid_is_no_lost_order() -> None:
    for way in ((0, 1), (1, 0)):
        shop = Shop("woocommerce")
        checkout = woocommerce(
            ("order.created", {"status": "pending"}), ("order.updated", {"status": "cancelled"})
        )
        for n in way:
            assert await shop.deliver(checkout[n]) == 202
        shop.clock.now += timedelta(days=8)
        await shop.sweep()
        assert shop.store.alerts() == []
        assert list(shop.store.books.order_ids()) == []


def words(length: int, repeats: int) -> Iterator[tuple[int, ...]]:
    """Yield each order of all of ``length`` events with so many repeats at any place."""
    for word in product(range(length), repeat=length + repeats):
        if len(set(word)) == length:
            yield word


@pytest.mark.parametrize("name", [n for n, (_, events) in SEQUENCES.items() if len(events) <= 4])
async def test_the_front_door_says_the_same(name: str) -> None:
    platform, events = SEQUENCES[name]
    most = (3 if len(events) < 4 else 2) if THOROUGH else 0
    shop = Shop(platform)
    fresh = copied(shop.state)
    transport = httpx.ASGITransport(app=create_app(shop.deps))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        for word in (word for more in range(most + 1) for word in words(len(events), more)):
            shop.go_back(fresh)
            for n in word:
                headers, content = dict(events[n].headers), events[n].content
                answer = await client.post(f"/webhooks/{CHANNEL}", content=content, headers=headers)
                assert answer.status_code in (200, 202), (word, answer.text)
                await shop.settle()
            shop.end_processes()
            assert final_state(shop) == EXPECTED[name], word
