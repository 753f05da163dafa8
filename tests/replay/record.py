"""Records the corpus: every workflow test is a scenario, and its orders' histories are kept.

``python -m tests.replay.record`` (``make record-histories``) runs the workflow tests against a dev
server with the fakes, then stores one history for each story that differs.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.replay.corpus import ENDING, HISTORIES, RECORD, load, story

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = "tests/workflows"
FEWEST = 40


def version() -> str:
    """Return the version whose histories are recorded."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def differing(folder: Path) -> list[Path]:
    """Return one history of each story, the shortest name first."""
    told: dict[tuple[str, ...], Path] = {}
    for path in sorted(folder.glob(f"*{ENDING}"), key=lambda one: (len(one.name), one.name)):
        told.setdefault(story(load(path)), path)
    return list(told.values())


def main() -> int:
    """Record; returns the exit code."""
    target = HISTORIES / version()
    if target.exists() and "--again" not in sys.argv:
        print(
            f"{target.relative_to(ROOT)} is there already: open orders of a released version look "
            "like this. Raise the version, or say AGAIN=1 when it was never released."
        )
        return 1
    with TemporaryDirectory() as folder:
        tests = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", SCENARIOS]
        ran = subprocess.run(tests, cwd=ROOT, env=os.environ | {RECORD: folder}, check=False)
        found = differing(Path(folder))
        if ran.returncode or len(found) < FEWEST:
            print(f"nothing was stored: {len(found)} stories, tests ended with {ran.returncode}")
            return 1
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path in found:
            shutil.copy(path, target)
    size = sum(path.stat().st_size for path in target.iterdir())
    print(f"{len(found)} histories, {size // 1024} KiB, in {target.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
