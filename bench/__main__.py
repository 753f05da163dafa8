"""``python -m bench``: measure, print the table, write ``bench/latest.json``."""

import argparse
import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from adapters.temporal.converter import data_converter
from bench.bare import Load
from bench.histories import History, history_of
from bench.load import Bares, Figures, Simple, run
from bench.processes import Child, server, worker
from bench.report import Measured, figures, keep, table
from bench.shop import KEYS, hurry, now, open_shop
from bench.web import latencies
from contracts.orders import workflow_id
from domain.policy import Policy
from store.database import SqlStore, open_store
from store.migrate import migrate

MORE_LINES = 5
SAMPLES = 6
ALONE = 3
ENOUGH = 110.0
"""Seconds after which no further round begins: on a busy machine a run takes four minutes too."""


class Bench:
    """One run: one Temporal server, one database, one worker process of each kind."""

    def __init__(self, temporal: Child, workers: dict[str, Child], clients: dict[str, Client]):
        self._temporal, self._workers, self._clients = temporal, workers, clients
        self.seen = Measured()

    async def histories(self, store: SqlStore) -> Load:
        """Take a few orders through alone; return what the bare workflow must match.

        Both workers are warm afterwards.
        """
        simple, longer = [await self._alone(store, lines) for lines in (1, MORE_LINES)]
        self.seen.history, self.seen.longer = simple, longer
        self.seen.further_lines = MORE_LINES - 1
        load = Load(calls=simple.calls, timers=simple.timers)
        await self._run(Bares(self._clients["bare"], load), ALONE, ALONE)
        return load

    async def _alone(self, store: SqlStore, lines: int) -> History:
        _, names = await self._run(Simple(self._clients["ours"], store, lines), ALONE, ALONE)
        return await history_of(self._clients["ours"], workflow_id(names[-1]))

    async def round(self, store: SqlStore, load: Load, orders: int, in_flight: int) -> None:
        """Run bare and ours, one after the other."""
        bare, _ = await self._run(Bares(self._clients["bare"], load), orders, in_flight)
        ours, names = await self._run(Simple(self._clients["ours"], store), orders, in_flight)
        self.seen.rounds += [bare, ours]
        for name in names[:: max(1, orders // SAMPLES)]:
            found = await history_of(self._clients["ours"], workflow_id(name))
            self.seen.sampled.append(found)

    async def fired_only(self, load: Load, orders: int, in_flight: int) -> None:
        """Run the bare workflow with as many timers as fire in ours, for the record."""
        assert self.seen.history is not None
        fewer = load.model_copy(update={"timers": self.seen.history.fired})
        found, _ = await self._run(Bares(self._clients["bare"], fewer), orders, in_flight)
        self.seen.rounds.append(replace(found, kind="bare_fired"))

    async def _run(
        self, kind: Bares | Simple, orders: int, in_flight: int
    ) -> tuple[Figures, list[str]]:
        found = await run(kind, orders, in_flight, self._temporal, self._workers[kind.kind])
        await asyncio.sleep(0.5)  # the last orders end a moment after they say so
        return found


async def main(options: argparse.Namespace) -> None:
    """Run everything that ``options`` asks for."""
    with tempfile.TemporaryDirectory(prefix="waybill-bench-") as folder:
        seen = await measure(options, Path(folder))
    result = figures(seen) | {"sandbox": options.sandbox}
    if not options.dry:
        keep(result)
    print("\n" + table(result))


async def measure(options: argparse.Namespace, folder: Path) -> Measured:
    """Start everything in ``folder``, measure, and end everything."""
    began = time.monotonic()
    database = f"sqlite:///{folder / 'waybill.sqlite'}"
    migrate(database)
    store = open_store(database)
    key = open_shop(store, MORE_LINES)
    hurry(store)
    async with (
        server(folder) as (temporal, address),
        worker("ours", address, folder, database, options.sandbox) as ours,
        worker("bare", address, folder, sandbox=options.sandbox) as bare,
    ):
        bench = Bench(
            temporal,
            {"ours": ours, "bare": bare},
            {
                "ours": await Client.connect(address, data_converter=data_converter(KEYS)),
                "bare": await Client.connect(address, data_converter=pydantic_data_converter),
            },
        )
        _say("histories: a few orders alone")
        load = await bench.histories(store)
        for n in range(options.rounds):
            if n and time.monotonic() - began > ENOUGH:
                break
            _say(f"round {n + 1} of {options.rounds}: {options.orders} orders, bare, then ours")
            await bench.round(store, load, options.orders, options.in_flight)
        await bench.fired_only(load, options.orders // 2, options.in_flight)
        if options.requests:
            store.save_policy(Policy(), "bench", now())  # orders come to rest in their grace
            count = options.requests
            _say(f"API: {count} orders, ours and bare in turn; then {2 * count} webhooks")
            bench.seen.milliseconds = await latencies(
                address, folder, database, key, count, 2 * count
            )
        return bench.seen


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--orders", type=int, default=150, help="in each round")
    asked.add_argument("--in-flight", type=int, default=100)
    asked.add_argument("--requests", type=int, default=150, help="to the API; 0 leaves it out")
    asked.add_argument("--sandbox", action="store_true", help="run workflows in the sandbox")
    asked.add_argument("--dry", action="store_true", help="leave bench/latest.json alone")
    asyncio.run(main(asked.parse_args()))
