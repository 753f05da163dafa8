"""Alerts and erasure from the command line, against an API that really listens."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from typer.testing import CliRunner

from api.app import create_app
from cli.main import app
from store.database import open_store
from store.migrate import migrate
from tests.api.api_world import NOON, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A shop behind an API, which the commands find by its variables."""
    url = f"sqlite:///{tmp_path / 'waybill.db'}"
    migrate(url)
    world = World(store=open_store(url))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(create_app(world.deps()), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        monkeypatch.setenv("WAYBILL_API_URL", f"http://127.0.0.1:{port}")
        key = world.key("admin")["Authorization"].removeprefix("Bearer ")
        monkeypatch.setenv("WAYBILL_API_KEY", key)
        yield world
        server.should_exit = True
        thread.join(5)
    world.store.close()


def test_alerts_are_listed_and_closed(world: World) -> None:
    for subject in ("shop-1", "shop-2"):
        world.store.alert("late", subject, "not packed", NOON)
    run = CliRunner().invoke
    assert "shop-1" in run(app, ["alerts", "list"]).stdout
    page = json.loads(run(app, ["alerts", "list", "--limit", "1", "--json"]).stdout)
    (row,) = page["rows"]
    assert row["subject"] == "shop-2"
    rest = run(app, ["alerts", "list", "--cursor", page["next_cursor"], "--json"])
    assert [row["subject"] for row in json.loads(rest.stdout)["rows"]] == ["shop-1"]
    assert run(app, ["alerts", "close", str(row["alert_id"])]).exit_code == 0
    assert "shop-2" not in run(app, ["alerts", "list"]).stdout
    assert run(app, ["alerts", "close", str(row["alert_id"])]).exit_code != 0


def test_erasing_says_which_orders_were_erased(world: World) -> None:
    answer = CliRunner().invoke(app, ["erase", "nobody@example.com", "--json"])
    assert json.loads(answer.stdout) == {"erased": [], "still_open": []}
