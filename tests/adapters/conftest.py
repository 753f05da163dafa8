"""Servers for the contract suites, one of each for the whole run."""

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # `pytest` alone does not put the root there, `python -m pytest` does
    sys.path.insert(0, str(ROOT))

from tests.adapters.processes import serve_localstripe, serve_testbed  # noqa: E402


@pytest.fixture(scope="session")
def testbed_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The testbed's address."""
    with serve_testbed(tmp_path_factory.mktemp("testbed")) as address:
        yield address


@pytest.fixture(scope="session")
def localstripe_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The independent Stripe server's address."""
    with serve_localstripe(tmp_path_factory.mktemp("localstripe")) as address:
        yield address


@pytest.fixture
def order() -> str:
    """An order id that no other test uses."""
    return f"shop-{uuid.uuid4().hex[:12]}"
