"""``python -m tests.chaos``: kill real processes under load, then tell what came of it."""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from cli.processes import StartFailed
from cli.up import Stopped, stoppable
from tests.chaos.plan import strikes, three_strikes
from tests.chaos.report import Report
from tests.chaos.run import Terms, chaos


def main() -> int:
    """Return 0 when every promise held, 1 when not, 130 when stopped before the end."""
    terms, short = arguments()
    folder = Path(tempfile.mkdtemp(prefix="waybill-chaos-"))
    report: Report | None = None
    try:
        with stoppable():
            plan = three_strikes(terms.seed) if short else strikes(terms.seed)
            report = chaos(folder, terms, plan)
    except (Stopped, StartFailed) as ended:
        print(f"ended before its time: {ended}", file=sys.stderr)
        return 130 if isinstance(ended, Stopped) else 1
    finally:
        if report and report.ok:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            tell_where(folder, terms)
    for text in (*report.faults(), *(f"slow: {missed}" for missed in report.missed())):
        print(text, file=sys.stderr)
    print(report.line())
    return 0 if report.ok else 1


def tell_where(folder: Path, terms: Terms) -> None:
    """Say what there is to read."""
    print(
        f"seed {terms.seed}\n"
        f"  kills and what followed     {folder}/chaos.log\n"
        f"  what customers were told    {folder}/witness.jsonl\n"
        f"  each part's own log         {folder}/logs\n"
        f"  databases                   {folder}/*.sqlite",
        file=sys.stderr,
    )


def arguments() -> tuple[Terms, bool]:
    """Return how the run goes, and whether it is the short one."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long there is load")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--each", type=float, default=1.0, help="seconds between two customers")
    parser.add_argument("--three", action="store_true", help="three kills only")
    given = parser.parse_args()
    return Terms(given.seed, given.minutes * 60, given.each), given.three


if __name__ == "__main__":
    sys.exit(main())
