"""All customers of a run: let in at a pace, each a thread that lives its story."""

import threading
from collections.abc import Iterator

from tests.chaos.plan import Visit
from tests.chaos.shop import Closed, Shop
from tests.chaos.stories import STORIES, Life, quietly
from tests.chaos.watch import Watch


class Crowd:
    """Lets customers in, and knows who still waits for an answer."""

    def __init__(self, shop: Shop, watch: Watch) -> None:
        self._shop, self._watch = shop, watch
        self._inside: list[tuple[Visit, threading.Thread]] = []
        self._shut = threading.Event()
        self._door = threading.Thread()
        self.troubles: list[str] = []

    def open(self, visits: Iterator[Visit]) -> None:
        """Let customers in until ``shut``."""
        self._door = threading.Thread(
            target=quietly, args=(self._let_in, visits), name="door", daemon=True
        )
        self._door.start()

    def shut(self) -> None:
        """Let nobody in any more."""
        self._shut.set()
        self._door.join()

    def still_inside(self) -> list[str]:
        """Return who has not yet had all answers."""
        return [
            f"customer {visit.number} ({visit.story}) is still waiting"
            for visit, thread in self._inside
            if thread.is_alive()
        ]

    def _let_in(self, visits: Iterator[Visit]) -> None:
        for visit in visits:
            if self._shop.closed.is_set() or self._shut.wait(visit.after):
                return
            thread = threading.Thread(target=self._live, args=(visit,), daemon=True)
            self._inside.append((visit, thread))
            thread.start()

    def _live(self, visit: Visit) -> None:
        story, _ = STORIES[visit.story]
        try:
            story(Life(self._shop, self._watch, visit))
        except Closed:
            return
        except Exception as error:
            self.troubles.append(f"customer {visit.number} ({visit.story}): {error!r}")
