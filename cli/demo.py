"""``waybill demo``: a shop of its own, every sample order to its end, the audit, a verdict."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rich.live import Live

from cli.access import OPERATOR
from cli.addresses import Addresses
from cli.api_client import Api
from cli.audit import Report, audit_settled
from cli.demo_run import DemoRun, Track
from cli.installation import Installation
from cli.output import errors, rich_table, say
from cli.scenarios import SCENARIOS
from cli.seed import HURRIED
from cli.stack import Stack
from cli.storefront_desk import StorefrontDesk
from cli.up import builder, stoppable
from domain.frozen import Wire

COLUMNS = ("scenario", "order", "status", "result", "seconds", "notes")


class DemoResult(Wire):
    """What came of it all."""

    orders: tuple[dict[str, Any], ...]
    audit: Report

    @property
    def ok(self) -> bool:
        """Whether every order ended as its scenario says and every promise held."""
        return self.audit.clean and all(row["result"] == "ok" for row in self.orders)


def demo(files: Sequence[Path], *, seconds: float, keep: bool) -> DemoResult:
    """Run the demonstration in a folder of its own, on free ports.

    Args:
        files: further webhook payloads, sent as they are.
        seconds: how long the orders may take.
        keep: leave the data folder there; it stays anyway when something went wrong.
    """
    folder = Path(tempfile.mkdtemp(prefix="waybill-demo-"))
    installation, addresses = Installation(folder), Addresses.free()
    result = None
    try:
        with stoppable(), Stack(installation, addresses, say, inherited()) as stack:
            stack.start(builder(installation, HURRIED))
            result = _take_orders(installation, addresses, files, seconds)
        return result
    finally:
        if result is not None and result.ok and not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            say(f"everything is kept in {folder}")


def inherited() -> Mapping[str, str]:
    """Return the environment without anybody's Waybill settings: a demonstration touches
    nothing of an installation that runs here."""
    ours = ("WAYBILL_", "TESTBED_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _take_orders(
    installation: Installation, addresses: Addresses, files: Sequence[Path], seconds: float
) -> DemoResult:
    from store.database import open_store

    key = installation.secret(OPERATOR)
    with (
        closing(StorefrontDesk(installation, addresses)) as desk,
        Api(addresses.api_url, key) as api,
        closing(open_store(f"sqlite:///{installation.path('waybill.sqlite')}")) as store,
    ):
        desk.set_up_world(HURRIED.testbed())
        run = DemoRun(api, desk)
        with shown(run.tracks) as show:
            run.begin(SCENARIOS, files)
            run.until_ended(seconds, show.refresh)
        report = audit_settled(store, addresses.testbed_url)
    return DemoResult(orders=tuple(track.row() for track in run.tracks), audit=report)


class Progress:
    """Shows each order's progress: a live table on a terminal, a line a change elsewhere."""

    def __init__(self, tracks: Sequence[Track], live: Live | None) -> None:
        self._tracks, self._live = tracks, live
        self._said: dict[str, tuple[str, str]] = {}

    def refresh(self) -> None:
        """Show what is new."""
        if self._live:
            rows = [track.row() for track in self._tracks]
            self._live.update(rich_table(rows, COLUMNS))
            return
        for track in self._tracks:
            now = (track.status, track.result or track.doing)
            if self._said.get(track.name) != now:
                self._said[track.name] = now
                say(f"  {track.name}: {' '.join(filter(None, now))}")


@contextmanager
def shown(tracks: Sequence[Track]) -> Iterator[Progress]:
    """Return what shows the progress of orders."""
    if not errors.is_terminal:
        yield Progress(tracks, None)
        return
    with Live(console=errors, refresh_per_second=4, transient=True) as live:
        yield Progress(tracks, live)
