"""Commands as people and scripts use them: JSON on stdout, a clear word and a code on refusal."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.common import SearchAttributeKey
from typer.testing import CliRunner

from cli.addresses import Addresses
from cli.installation import Installation
from cli.main import app
from cli.temporal_server import SEARCH_ATTRIBUTES, command
from workflows import visibility

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A prepared data folder with an empty, migrated database."""
    installation = Installation(tmp_path)
    installation.prepare()
    for name, value in installation.settings(Addresses.chosen({})).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WAYBILL_DATA", str(tmp_path))
    runner = CliRunner()
    assert runner.invoke(app, ["migrate"]).exit_code == 0
    return runner


def test_an_encryption_key_is_fresh_each_time() -> None:
    keys = [CliRunner().invoke(app, ["encryption-key"]).stdout.strip() for _ in range(2)]
    assert keys[0] != keys[1]
    assert len(base64.b64decode(keys[0].partition(":")[2])) == 32


def test_a_key_is_shown_once_and_can_be_revoked(shop: CliRunner) -> None:
    made = json.loads(
        shop.invoke(app, ["keys", "create", "ann", "--scope", "orders:read", "--json"]).stdout
    )
    listed = shop.invoke(app, ["keys", "list", "--json"]).stdout
    assert made["key"] not in listed
    assert made["key_id"] in listed
    assert shop.invoke(app, ["keys", "revoke", made["key_id"]]).exit_code == 0
    keys = json.loads(shop.invoke(app, ["keys", "list", "--json"]).stdout)
    assert [key["revoked"] for key in keys] == [True]
    assert shop.invoke(app, ["keys", "revoke", "unknown"]).exit_code == 1


def test_seeding_twice_books_the_stock_once(shop: CliRunner) -> None:
    first, second = (json.loads(shop.invoke(app, ["seed", "--json"]).stdout) for _ in range(2))
    assert first == second
    assert first["locations"] >= 3
    assert first["products"] >= 12
    clean = shop.invoke(app, ["audit", "--no-witness", "--json"])
    assert (clean.exit_code, json.loads(clean.stdout)["clean"]) == (0, True)


def test_a_part_that_does_not_answer_is_not_healthy() -> None:
    port = str(Addresses.free().api)
    answer = CliRunner().invoke(app, ["healthy", "--port", port, "--json"])
    assert (answer.exit_code, json.loads(answer.stdout)) == (1, {"healthy": False})


def test_without_an_installation_the_command_says_what_to_do(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin", "WAYBILL_DATA": str(tmp_path / "none")}
    answer = subprocess.run(
        [sys.executable, "-m", "cli.main", "audit"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 2
    assert "waybill up" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_temporal_is_started_durable_and_knows_our_search_attributes(tmp_path: Path) -> None:
    line = " ".join(command(Addresses.chosen({}), tmp_path / "t.sqlite"))
    assert "--sqlite-pragma journal_mode=WAL" in line
    assert "--sqlite-pragma synchronous=NORMAL" in line
    assert "--ui-codec-endpoint http://127.0.0.1:8000/codec" in line
    keys = vars(visibility).values()
    ours = {key.name for key in keys if isinstance(key, SearchAttributeKey)}
    assert ours == set(SEARCH_ATTRIBUTES)
