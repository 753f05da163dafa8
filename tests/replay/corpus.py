"""Stored histories: what open orders of each release look like, replayed on the code as it is now.

A history is Temporal's JSON, compressed, sealed with a key that everybody may know.
"""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, WorkflowRunner

from adapters.temporal.converter import data_converter
from adapters.temporal.keys import KeyRing
from tests.workflows.running import Running
from tests.workflows.world import KEYS
from workers.running import sandboxed
from workflows.order import Order

HISTORIES = Path(__file__).parent / "histories"
"""One folder a version, one file a scenario."""
ENDING = ".json.gz"
WHAT_TO_DO = """
An order that is open in production could not go on with this code: {why}

The code asks for other steps, or in another order, than this history of version {version} did.
If the change is on purpose, keep the old way beside the new one with

    if workflow.patched("what-is-new"):
        the new way
    else:
        the old way

docs/changing-the-workflow.md shows how, and when the old way may go. Do not record the history of a
released version anew: it is what open orders look like.
"""


def stored(folder: Path = HISTORIES) -> list[Path]:
    """Return all stored histories."""
    return sorted(folder.glob(f"*/*{ENDING}"))


def store(folder: Path, name: str, history: WorkflowHistory) -> Path:
    """Write one history; the same history is the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{ENDING}"
    path.write_bytes(gzip.compress(history.to_json().encode(), mtime=0))
    return path


def load(path: Path) -> WorkflowHistory:
    """Read one history."""
    name = path.name.removesuffix(ENDING)
    return WorkflowHistory.from_json(f"order/{name}", gzip.decompress(path.read_bytes()).decode())


async def replay(
    path: Path, workflows: Sequence[type] = (Order,), runner: WorkflowRunner | None = None
) -> None:
    """Replay a history on the present code.

    Raises:
        AssertionError: it does not fit; says how to patch.
    """
    replayer = Replayer(
        workflows=list(workflows),
        workflow_runner=runner or sandboxed(),
        data_converter=data_converter(KeyRing.parse(KEYS)),
    )
    result = await replayer.replay_workflow(load(path), raise_on_replay_failure=False)
    if result.replay_failure:
        why = str(result.replay_failure)[:500]
        raise AssertionError(WHAT_TO_DO.format(why=why, version=path.parent.name))


RECORD = "WAYBILL_RECORD_HISTORIES"
"""Names the folder into which the workflow tests put what their orders came to, when it is set."""


async def keep(running: Sequence[Running], name: str) -> None:
    """Store the histories of a test's orders, when that was asked for."""
    folder = os.environ.get(RECORD)
    if not folder:
        return
    for n, one in enumerate(running, 1):
        store(Path(folder), f"{name}-{n}", await one.handle.fetch_history())


def story(history: WorkflowHistory) -> tuple[str, ...]:
    """Return what the process itself caused, in order: two orders alike replay alike."""
    told = []
    for event in history.events:
        name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        if not name.startswith(("WORKFLOW_TASK_", "ACTIVITY_TASK_STARTED")):
            step = event.activity_task_scheduled_event_attributes.activity_type.name
            told.append(f"{name} {step}".strip())
    return tuple(told)
