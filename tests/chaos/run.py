"""One run from start to verdict: a shop of its own, a crowd, kills, quiet, the evidence."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cli.addresses import Addresses
from cli.audit import audit_settled, books_of, statement_of
from cli.demo import inherited
from cli.installation import Installation
from cli.seed import GOODS, Pace
from cli.stack import Stack
from cli.storefront_desk import StorefrontDesk
from cli.up import builder
from domain.stock import MovementReason
from store.database import SqlStore, open_store
from tests.chaos import verdict
from tests.chaos.crowd import Crowd
from tests.chaos.killing import Kill, Killer
from tests.chaos.plan import Strike, visits
from tests.chaos.replaying import unreplayable
from tests.chaos.report import Report, alarms, interrupted, unsettled, without
from tests.chaos.shop import Shop
from tests.chaos.stories import STORIES
from tests.chaos.verdict import Evidence
from tests.chaos.watch import Watch
from tests.chaos.witness import CANCEL, Witness

LIVELY = Pace(
    grace=4, vip_grace=7, return_window=9, warehouse_step=0.3, carrier_step=0.5, drop_off=0.5
)
"""An order lives for twenty seconds: long enough to be hit, short enough to see its end."""
EVENTS = {"retry_seconds": 0.5, "retry_ceiling_seconds": 4.0}
"""Providers repeat their events for days; here they have minutes."""
UNLIMITED = {"WAYBILL_RATE_PER_MINUTE": "100000"}
PLENTY = 100_000


@dataclass(frozen=True)
class Terms:
    """How a run goes: seconds of load, seconds between two customers, seconds to end in."""

    seed: int
    load: float
    each: float
    patience: float = 180.0


def chaos(folder: Path, terms: Terms, strikes: Iterator[Strike]) -> Report:
    """Run and judge. Everything that was started has ended when this returns or raises."""
    installation, addresses = Installation(folder), Addresses.free()
    compiled = {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    environment = {**inherited(), **UNLIMITED, **compiled}
    with (folder / "chaos.log").open("a", encoding="utf-8") as log:

        def note(text: str) -> None:
            print(text, file=log, flush=True)

        def say(text: str) -> None:
            print(text, file=sys.stderr, flush=True)
            note(text)

        say(f"seed {terms.seed}, everything is in {folder}")
        with Stack(installation, addresses, note, environment, most_restarts=10_000) as stack:
            stack.start(lambda: build(installation))
            with closing(StorefrontDesk(installation, addresses)) as desk:
                desk.set_up_world({**LIVELY.testbed(), **EVENTS})
            return Run(installation, stack, terms, say).go(strikes)


def build(installation: Installation) -> None:
    """Seed the shop, with more of everything than a run can sell."""
    builder(installation, LIVELY)()
    with closing(open_store(f"sqlite:///{installation.path('waybill.sqlite')}")) as store:
        for sku, (_, _, shelves) in GOODS.items():
            for location in shelves:
                key = f"plenty:{sku}:{location}"
                store.receive(
                    sku, location, PLENTY, reason=MovementReason.RECEIPT, key=key, actor="chaos"
                )


class Run:
    """The load, the kills, and what is found afterwards."""

    def __init__(
        self, installation: Installation, stack: Stack, terms: Terms, say: Callable[[str], None]
    ) -> None:
        self._installation, self._stack, self._terms, self._say = installation, stack, terms, say
        self._witness = Witness(installation.path("witness.jsonl"))

    def go(self, strikes: Iterator[Strike]) -> Report:
        """Load and kill, let it get quiet, judge."""
        url = f"sqlite:///{self._installation.path('waybill.sqlite')}"
        with (
            closing(self._witness),
            closing(open_store(url)) as store,
            closing(Shop(self._installation, self._stack.addresses, self._witness)) as shop,
        ):
            watch = Watch(store)
            crowd = Crowd(shop, watch)
            killer = Killer(self._stack, shop, watch, self._say)
            watch.start()
            try:
                self._under_load(crowd, killer, strikes)
                self._until_quiet(crowd, killer, watch)
                return self._judged(store, shop, crowd, killer.kills)
            finally:
                watch.stop()

    def _under_load(self, crowd: Crowd, killer: Killer, strikes: Iterator[Strike]) -> None:
        """Let customers in and strike, until the time is over or the strikes are."""
        ends = time.monotonic() + self._terms.load
        weights = [(name, weight) for name, (_, weight) in STORIES.items()]
        crowd.open(visits(self._terms.seed, weights, self._terms.each))
        killer.look_after(min(8.0, self._terms.load / 4))
        for strike in strikes:
            killer.look_after(strike.after)
            if time.monotonic() > ends:
                break
            killer.strike(strike)
        killer.look_after(max(0.0, ends - time.monotonic()))
        crowd.shut()

    def _until_quiet(self, crowd: Crowd, killer: Killer, watch: Watch) -> list[str]:
        """Kill no more; return which customers never got their answers."""
        self._say("no more kills; waiting until every order has ended")
        until = time.monotonic() + self._terms.patience
        while time.monotonic() < until and (crowd.still_inside() or watch.open()):
            killer.look_after(0.5)
        return crowd.still_inside()

    def _judged(self, store: SqlStore, shop: Shop, crowd: Crowd, kills: Sequence[Kill]) -> Report:
        told = self._witness.told()
        url = self._stack.addresses.testbed_url
        orders = {books.order_id: books.stored for books in books_of(store)}
        evidence = Evidence(
            told=told,
            orders=orders,
            ledger=statement_of(url),
            processes=asyncio.run(verdict.processes_of(self._stack.addresses)),
            history={name: [event.kind for event in store.timeline(name)] for name in orders},
        )
        histories = asyncio.run(unreplayable(self._installation, self._stack.addresses))
        again = [verdict.changed(one, *shop.again(one)) for one in self._witness.told(CANCEL)]
        audited, unsent = audit_settled(store, url, patience=15.0), unsettled(store)
        return Report(
            seed=self._terms.seed,
            kills=kills,
            orders=len(orders),
            answers=len(told),
            repeats=sum(one.tries - 1 for one in told),
            lost=list(verdict.lost(evidence)),
            doubled=list(verdict.doubled(evidence)),
            stuck=list(verdict.stuck(evidence)),
            broken=[*verdict.broken(evidence), *filter(None, again)],
            unreplayable=histories,
            trouble=[
                *self._witness.trouble,
                *crowd.troubles,
                *crowd.still_inside(),
                *alarms(store),
            ],
            audit=without(audited.violations, unsent),
            unsent=len(unsent),
            interrupted=interrupted(store, kills),
            places=Counter(str(one.progress.status) for one in orders.values() if one.progress),
        )
