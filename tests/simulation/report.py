"""Many shops, over all cores, and what came of them in one JSON line."""

import gc
import hashlib
import logging
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from tests.simulation.matrix import rows_of
from tests.simulation.runs import SIZE, Outcome, run

BATCH = 25
"""Shops that a process does before it reports."""


@dataclass
class Report:
    """What many shops added up to."""

    orders: int = 0
    broken: list[Outcome] = field(default_factory=list)
    hit: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    cpu: float = 0.0
    _trace: Any = field(default_factory=hashlib.sha256)

    def add(self, outcomes: list[Outcome]) -> None:
        """Add the next shops, in the order of their numbers."""
        for one in outcomes:
            self.orders += one.orders
            self.hit.update(one.hit)
            self._trace.update(one.digest)
            if one.promise:
                self.broken.append(one)

    @property
    def trace(self) -> str:
        """The hash over all shops: the same for the same arguments."""
        return str(self._trace.hexdigest()[:16])

    def line(self) -> dict[str, Any]:
        """Return what ``make simulate`` ends with."""
        return {
            "orders": self.orders,
            "violations": len(self.broken),
            "orders_per_second": round(self.orders / self.seconds, 1) if self.seconds else 0,
            "orders_per_cpu_second": round(self.orders / self.cpu, 1) if self.cpu else 0,
            "trace": self.trace,
            "sometimes": rows_of(self.hit),
        }


def seeds(seed: int, orders: int) -> list[str]:
    """Return the seeds of the shops that take so many orders."""
    return [f"{seed}:{no}" for no in range(-(-orders // SIZE))]


def simulate(seed: int, orders: int, processes: int) -> Report:
    """Run as many shops as it takes."""
    report, all_seeds = Report(), seeds(seed, orders)
    chunks = [all_seeds[at : at + BATCH] for at in range(0, len(all_seeds), BATCH)]
    began = time.monotonic()
    for outcomes, cpu in _run_all(chunks, processes):
        report.add(outcomes)
        report.cpu += cpu
    report.seconds = time.monotonic() - began
    return report


def _run_all(chunks: list[list[str]], processes: int) -> Iterator[tuple[list[Outcome], float]]:
    if processes <= 1 or len(chunks) <= 1:
        yield from map(run_some, chunks)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(run_some, chunks)


def run_some(some: list[str]) -> tuple[list[Outcome], float]:
    """Run some shops; return what came of them and the CPU seconds that it took."""
    began = time.process_time()
    with quietly():
        outcomes = [run(seed) for seed in some]
    gc.collect()
    return outcomes, time.process_time() - began


class quietly:
    """Keep the SDK from logging what the simulation provokes, and garbage collection rare."""

    def __enter__(self) -> None:
        logging.disable(logging.ERROR)
        gc.set_threshold(50_000, 20, 100)

    def __exit__(self, *_: object) -> None:
        logging.disable(logging.NOTSET)
        gc.set_threshold(700, 10, 10)
