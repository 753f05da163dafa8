"""What a run will do, drawn from its seed: who buys what and when, and what is killed when.

The draws are the same for the same seed; what the machine makes of them is not.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PARTS = ("worker", "api", "testbed", "temporal")
OFTEN = (4, 3, 2, 2)
"""How often each is killed; the server comes back slowest."""
TWO_AT_ONCE, TWICE, KEPT_AWAY = 0.12, 0.1, 0.3
"""Shares of the strikes that hit a second part, that hit the victims again while they return, and
after which nobody starts them at once."""


@dataclass(frozen=True)
class Strike:
    """One moment of killing: so many seconds after the last one was mended; how long nobody starts
    the victims again; how long after that they are killed once more, never when it is 0."""

    after: float
    victims: tuple[str, ...]
    away: float = 0.0
    again: float = 0.0


@dataclass(frozen=True)
class Visit:
    """One customer: so many seconds after the one before, with dice of their own."""

    number: int
    after: float
    story: str
    dice: random.Random


def strikes(seed: int) -> Iterator[Strike]:
    """Yield strikes for ever."""
    dice = random.Random(f"{seed} strikes")
    while True:
        after = dice.uniform(0.5, 7.5)
        victims = dice.choices(PARTS, OFTEN)
        if dice.random() < TWO_AT_ONCE:
            victims.append(dice.choice([part for part in PARTS if part not in victims]))
        away = dice.uniform(1.0, 6.0) if dice.random() < KEPT_AWAY else 0.0
        again = dice.uniform(0.2, 2.5) if dice.random() < TWICE else 0.0
        yield Strike(after, tuple(victims), away, again)


def three_strikes(seed: int) -> Iterator[Strike]:
    """Yield the short form: each kind of part once."""
    dice = random.Random(f"{seed} strikes")
    for victim in ("worker", dice.choice(("api", "testbed")), "temporal"):
        yield Strike(dice.uniform(0.5, 2.5), (victim,))


def visits(seed: int, stories: Sequence[tuple[str, int]], each: float) -> Iterator[Visit]:
    """Yield customers for ever, one every ``each`` seconds on average.

    Args:
        stories: names and weights; the first round takes each once, so that short runs have all.
    """
    dice = random.Random(f"{seed} visits")
    names, weights = [name for name, _ in stories], [weight for _, weight in stories]
    first = dice.sample(names, len(names))
    number = 0
    while True:
        number += 1
        story = first.pop() if first else dice.choices(names, weights)[0]
        own = random.Random(f"{seed} visit {number}")
        yield Visit(number, dice.uniform(0.4, 1.6) * each, story, own)
