"""Running shops: one seed is one execution, bit for bit."""

import traceback
from dataclasses import dataclass, field
from datetime import timedelta

from tests.simulation.broken import Broken
from tests.simulation.history import Diverged, LeftATrace
from tests.simulation.instance import TaskFailed
from tests.simulation.shop import Shop
from tests.simulation.steps import without_threads
from tests.simulation.story import Story
from workflows.order import Order

SIZE = 6
"""Orders that share a shop."""
LONGEST = timedelta(days=400)
MOST_STEPS = 20_000


@dataclass
class Outcome:
    """How one shop's run ended."""

    seed: str
    orders: int
    digest: bytes = b""
    hit: dict[str, int] = field(default_factory=dict)
    promise: str = ""
    order_id: str = ""
    text: str = ""
    story: list[str] = field(default_factory=list)


def run(
    seed: str, size: int = SIZE, workflow: type = Order, story: bool = False, tell: str = ""
) -> Outcome:
    """Run one shop to its end, or to the first broken promise."""
    told = Story() if story else None
    outcome = Outcome(seed, size)
    with without_threads():
        shop = Shop(seed, size, workflow, told)
        try:
            _live(shop)
        except Broken as broken:
            outcome.promise, outcome.order_id, outcome.text = (
                broken.promise, broken.order_id, str(broken),
            )  # fmt: skip
        except (TaskFailed, Diverged, LeftATrace) as error:
            outcome.promise, outcome.text = type(error).__name__, str(error)
            outcome.order_id = shop.plant.at_hand
        except Exception as error:
            outcome.promise = "programming error"
            outcome.text = "".join(traceback.format_exception(error))
            outcome.order_id = shop.plant.at_hand
        finally:
            shop.plant.close()
    outcome.digest, outcome.hit = shop.plant.digest, shop.luck.hit
    if told:
        outcome.story = told.of(tell or outcome.order_id)
    return outcome


def _live(shop: Shop) -> None:
    end = shop.agenda.now() + LONGEST
    steps = 0
    while shop.agenda.step():
        steps += 1
        if steps > MOST_STEPS or shop.agenda.now() > end:
            break
    shop.check_end()
