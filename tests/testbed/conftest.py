from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed_running import Box, Waybill, running_box, served


@pytest.fixture
def waybill() -> Iterator[Waybill]:
    listener = Waybill()
    with served(listener.app) as url:
        listener.url = url
        yield listener


@pytest.fixture
def box(tmp_path: Path, waybill: Waybill) -> Iterator[Box]:
    with running_box(str(tmp_path / "testbed.sqlite"), waybill) as running:
        yield running
