"""Sample orders are driven step by step, and only an end as the scenario says is a success."""

from pathlib import Path
from typing import Any

import pytest

from cli.demo_run import DemoRun, Track
from cli.scenarios import SCENARIOS, Json, Scenario, Step, held
from domain.errors import DomainError


class FakeApi:
    """Answers from a script: one order, whose next state each look shows."""

    def __init__(self, *orders: Json, refusals: int = 0) -> None:
        self.orders, self.asked, self.refusals = list(orders), [], refusals  # type: ignore[var-annotated]

    def get(self, path: str, **_: Any) -> Any:
        order = self.orders[0]
        if path == "/orders":
            return {"rows": [{**order, "holds": [hold["kind"] for hold in order["holds"]]}]}
        return order

    def ask(self, method: str, path: str, **_: Any) -> None:
        self.asked.append((method, path))
        if self.refusals:
            self.refusals -= 1
            raise DomainError("not yet")


class FakeDesk:
    """Sends nothing; every example is order ``o-1``, a file is refused."""

    def break_on_purpose(self, rule: Json) -> None: ...

    def example(self, name: str) -> str:
        return "o-1"

    def file(self, path: Path) -> str:
        raise DomainError("422 lines: is missing")


def order(status: str, *holds: str, version: int = 1) -> Json:
    listed = [{"kind": kind, "reason": "why"} for kind in holds]
    return {"order_id": "o-1", "status": status, "holds": listed, "version": version}


def cancelling() -> Scenario:
    def cancel(hands: Any, _: Json) -> None:
        hands.ask("POST", "/orders/o-1/cancel", {})

    step = Step("customer cancels", held("grace"), cancel)
    return Scenario("cancelled", "any", "cancelled", steps=(step,))


def run_of(api: FakeApi, *scenarios: Scenario, files: tuple[Path, ...] = ()) -> DemoRun:
    run = DemoRun(api, FakeDesk())  # type: ignore[arg-type]
    run.begin(scenarios, files)
    return run


def test_a_step_is_done_once_when_its_moment_comes() -> None:
    api = FakeApi(order("received"))
    run = run_of(api, cancelling())
    run.look()
    assert api.asked == []
    api.orders = [order("on_hold", "grace", version=2)]
    run.look()
    run.look()
    assert api.asked == [("POST", "/orders/o-1/cancel")]
    api.orders = [order("cancelled", version=3)]
    run.look()
    assert run.tracks[0].result == "ok"


def test_a_step_that_is_refused_is_tried_again_though_nothing_changed() -> None:
    api = FakeApi(order("on_hold", "grace"), refusals=2)
    run = run_of(api, cancelling())
    for _ in range(4):
        run.look()
    assert len(api.asked) == 3
    assert run.tracks[0].result == ""


def test_another_end_than_the_scenarios_is_broken() -> None:
    run = run_of(FakeApi(order("completed")), cancelling())
    run.look()
    assert (run.tracks[0].result, run.tracks[0].why) == ("broken", ["ended completed"])


def test_an_order_that_does_not_end_in_time_is_late() -> None:
    run = run_of(FakeApi(order("processing")), cancelling())
    run.until_ended(0.0, lambda: None)
    assert run.tracks[0].result == "late"


def test_a_file_that_is_no_order_is_refused_and_that_is_right() -> None:
    run = run_of(FakeApi(order("received")), files=(Path("refund.json"),))
    assert (run.tracks[0].status, run.tracks[0].result) == ("refused", "ok")
    assert "lines: is missing" in run.tracks[0].row()["notes"]


def test_a_file_has_come_to_its_end_when_it_waits_for_a_person() -> None:
    api = FakeApi(order("on_hold", "grace"))
    run = run_of(api)
    run.tracks.append(Track("given.json", order_id="o-1"))
    run.look()
    assert run.tracks[0].result == ""
    api.orders = [order("on_hold", "data", version=2)]
    run.look()
    assert (run.tracks[0].result, run.tracks[0].why) == ("ok", ["data hold: why"])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.file)
def test_every_scenario_checks_more_than_its_end(scenario: Scenario) -> None:
    assert scenario.ends in ("completed", "cancelled", "rejected")
    assert scenario.checks
