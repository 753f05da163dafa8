"""``make simulate``: run many orders, or replay one and tell its story."""

import argparse
import json
import os
import sys

from tests.simulation.report import quietly, seeds, simulate
from tests.simulation.runs import run


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--orders", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a shop's number: tell the story of its run")
    parser.add_argument(
        "--order", default="", help="with --only: another order than the broken one"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mutants", action="store_true")
    chosen = parser.parse_args()
    if chosen.only:
        return tell(f"{chosen.seed}:{chosen.only}", chosen.order)
    if chosen.mutants:
        from tests.simulation.mutants.hunt import hunt

        found = hunt(seeds(chosen.seed, chosen.orders), chosen.processes)
        print(json.dumps({"orders": chosen.orders, "mutants": found}))
        return int(any(count is None for count in found.values()))
    report = simulate(chosen.seed, chosen.orders, chosen.processes)
    for one in report.broken[:5]:
        shop = one.seed.partition(":")[2]
        print(f"\n{one.seed} {one.order_id} {one.text[:1500]}")
        tell(one.seed, "", last=60)
        print(f"replay just it: make simulate SEED={chosen.seed} ONLY={shop}")
    print(json.dumps(report.line(), ensure_ascii=False))
    return int(bool(report.broken))


def tell(seed: str, order_id: str, last: int = 4000) -> int:
    """Run one shop again, and print the story of its broken order or of a chosen one."""
    with quietly():
        outcome = run(seed, story=True, tell=order_id)
    print("\n".join(line[:240] for line in outcome.story[-last:]))
    if outcome.promise:
        print(f"{seed} {outcome.order_id} {outcome.text[:3000]}")
    return int(bool(outcome.promise))


if __name__ == "__main__":
    sys.exit(main())
