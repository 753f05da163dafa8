"""Looks for each planted bug with the simulator, until it is found."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.mutants import cancels, effects, payments
from tests.simulation.report import quietly
from tests.simulation.runs import run

ALL = {one.name: one for one in (*cancels.MUTANTS, *effects.MUTANTS, *payments.MUTANTS)}


def hunt(seeds: list[str], processes: int) -> dict[str, int | None]:
    """Return after how many orders each bug was found; None when it never was."""
    found: dict[str, int | None] = {}
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, max_tasks_per_child=1) as pool:
        tasks = {name: pool.submit(seek, name, seeds) for name in ALL}
        for name, task in tasks.items():
            found[name], promise = task.result()
            print(f"{name}: {found[name]} {promise}", file=sys.stderr, flush=True)
    return found


def seek(name: str, seeds: list[str]) -> tuple[int | None, str]:
    """Plant one bug in this process and run shops until a promise breaks."""
    ALL[name].plant()
    orders = 0
    with quietly():
        for seed in seeds:
            outcome = run(seed)
            orders += outcome.orders
            if outcome.promise:
                return orders, outcome.text[:160].replace("\n", " ")
    return None, ""
