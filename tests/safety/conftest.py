"""Keys, settings and installed providers for the tests of what must stay secret."""

from collections.abc import Callable
from pathlib import Path

import pytest
from safety_material import GOOD, MODULE, NEW, OLD, PROVIDERS

from adapters.settings import Settings
from adapters.temporal.keys import KeyRing


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the providers above as a package does, beside what is installed already."""
    info = tmp_path / "safety_providers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: safety_providers\nVersion: 1.0\n")
    lines = [
        line
        for group, entries in PROVIDERS.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "safety_providers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture
def old_ring() -> KeyRing:
    """Return a ring from before the rotation."""
    return KeyRing.parse(f"n0:{OLD}")


@pytest.fixture
def ring() -> KeyRing:
    """Return a ring after the rotation: seals with n1, still opens n0."""
    return KeyRing.parse(f"n1:{NEW},n0:{OLD}")


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Return a maker of settings that are fit for production, with some of them changed."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WAYBILL_{name.upper()}", raising=False)
        monkeypatch.delenv(f"WAYBILL_{name.upper()}_FILE", raising=False)
    return lambda **changes: Settings(**{**GOOD, **changes})
