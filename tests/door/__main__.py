"""The long run of the door: ``make fuzz REQUESTS=100000 BODIES=100000 SEED=1``.

Half on SQLite, half on PostgreSQL. What was wrong is told with a line for curl; the last line is
JSON. Exit 1 when anything was wrong.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections import Counter

from api.app import create_app
from tests.api.api_world import World
from tests.door.explore import Explorer
from tests.door.shop import deps_of
from tests.door.shops import KINDS, shop_on
from tests.door.storm import Storm, forgeries, mutants

STORM_SHARE = 0.3
FORGED_SHARE = 0.5


def main() -> int:
    """Run everything and return the exit status."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began, total = time.monotonic(), Counter[str]()
    for kind in KINDS:
        with shop_on(kind) as world:
            total += requests(kind, world, given.requests // len(KINDS), given.seed)
        with shop_on(kind) as world:
            total += bodies(kind, world, given.bodies // len(KINDS), given.seed)
    names = ("requests", "bodies", "server_errors", "off_schema", "forgeries_accepted", "unnamed")
    line = {name: total[name] for name in names}
    print(json.dumps({**line, "seconds": round(time.monotonic() - began), "seed": given.seed}))
    return int(any(line[name] for name in names[2:]))


def requests(kind: str, world: World, number: int, seed: int) -> Counter[str]:
    """Explore the API; tell what was wrong."""
    explorer, total = Explorer(world), Counter[str]()
    storm = int(number * STORM_SHARE)
    for name, found in (
        ("explored", lambda: explorer.run(number - storm, seed)),
        ("storm", lambda: explorer.storm(storm, seed)),
    ):
        done = found()
        say(f"{kind}, {name}: {done.requests} requests, {dict(sorted(done.statuses.items()))}")
        for failure in done.failures:
            say(failure)
        total += Counter(
            requests=done.requests, server_errors=done.server_errors, off_schema=done.off_schema
        )
    return total


def bodies(kind: str, world: World, number: int, seed: int) -> Counter[str]:
    """Send webhooks; tell what was wrong."""
    app, storm = create_app(deps_of(world)), Storm()
    forged = int(number * FORGED_SHARE)
    # Some forgeries turn out to be no change; the rest of the number goes to genuine bodies.
    asyncio.run(forgeries(app, world.store, forged, seed, storm))
    asyncio.run(mutants(app, number - storm.bodies, seed, storm))
    answers = Counter[int]()
    for (_, status), times in storm.statuses.items():
        answers[status] += times
    say(f"{kind}, webhooks: {storm.bodies} bodies, {dict(sorted(answers.items()))}")
    for sample in storm.samples:
        say(sample)
    return Counter(
        bodies=storm.bodies,
        server_errors=storm.server_errors,
        off_schema=storm.off_schema,
        forgeries_accepted=storm.forgeries_accepted,
        unnamed=storm.unnamed,
    )


def say(text: str) -> None:
    """Print to where the last line is not."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
