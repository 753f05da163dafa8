"""The whole product, as ``make demo`` runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.serial
def test_every_sample_order_ends_as_it_should_within_a_minute(tmp_path: Path) -> None:
    no_order = tmp_path / "shopify-refund.json"
    no_order.write_text(json.dumps({"id": 1, "order_id": 2, "refund_line_items": []}))
    answer = subprocess.run(
        [sys.executable, "-m", "cli.main", "demo", "--json", str(no_order)],
        cwd=ROOT, env={**os.environ, "WAYBILL_API_PORT": "1"}, capture_output=True, text=True,
        check=False, timeout=150,
    )  # fmt: skip
    assert answer.stdout, answer.stderr
    result = json.loads(answer.stdout)
    assert [row for row in result["orders"] if row["result"] != "ok"] == []
    assert result["audit"]["violations"] == []
    assert result["ok"]
    assert answer.returncode == 0
