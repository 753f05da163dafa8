"""The short form of ``make chaos``: three real kills under load, in ``make test``."""

from pathlib import Path

import pytest

from tests.chaos.plan import three_strikes
from tests.chaos.run import Terms, chaos
from tests.chaos.stories import STORIES

TERMS = Terms(seed=3, load=20.0, each=0.7, patience=90.0)


@pytest.mark.serial
def test_worker_world_and_server_are_killed_under_load_and_no_promise_is_broken(
    tmp_path: Path,
) -> None:
    report = chaos(tmp_path, TERMS, three_strikes(TERMS.seed))
    print(report.line())
    assert report.faults() == []
    killed = [kill.part for kill in report.kills]
    assert (killed[0], killed[2], len(killed)) == ("worker", "temporal", 3)
    assert report.orders > len(STORIES)
    assert report.answers > report.orders
    assert {"cancelled", "completed"} <= report.places.keys()
