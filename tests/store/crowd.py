"""A crowd of buyers in processes of their own; run by ``test_concurrency`` with ``python -m``.

crowd.py URL FIRST LAST     orders FIRST to LAST each want one unit; prints how many got it
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from domain.stock import Allocation
from store.database import SqlStore, open_store

THREADS = 10


def buy(store: SqlStore, number: int) -> bool:
    """Try to reserve one unit for one order, as a worker that repeats its call does."""
    wanted = [Allocation(n=1, line_id="l1", sku="MUG", location="A", quantity=1)]
    got = not store.reserve(f"shop-{number}", wanted, None)
    if got:
        store.reserve(f"shop-{number}", wanted, None)
    return got


def crowd(url: str, first: int, last: int) -> int:
    """Let a crowd of threads buy; return how many got a unit."""
    store = open_store(url)
    with ThreadPoolExecutor(THREADS) as pool:
        sold = sum(pool.map(lambda number: buy(store, number), range(first, last)))
    store.close()
    return sold


if __name__ == "__main__":
    print(crowd(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
