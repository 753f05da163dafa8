"""A data folder keeps its own secrets to itself and belongs to one run at a time."""

import stat
from pathlib import Path

import pytest

from adapters.settings import Settings
from cli.addresses import Addresses
from cli.installation import MAKE, Installation
from domain.errors import DomainError


def test_each_folder_has_secrets_of_its_own_that_only_its_user_reads(tmp_path: Path) -> None:
    one, other = Installation(tmp_path / "one"), Installation(tmp_path / "other")
    for installation in (one, other):
        installation.prepare()
    for name in MAKE:
        assert one.secret(name) != other.secret(name)
        mode = (one.folder / "secrets" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(one.folder.stat().st_mode) == 0o700


def test_preparing_again_keeps_the_secrets(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.prepare()
    before = {name: installation.secret(name) for name in MAKE}
    installation.prepare()
    assert before == {name: installation.secret(name) for name in MAKE}


def test_its_settings_are_read_by_every_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = Installation(tmp_path)
    installation.prepare()
    for name, value in installation.settings(Addresses.chosen({})).items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.demo
    assert settings.key_ring().active == "k1"
    assert set(settings.channels) == {"shop", "shopify", "woo"}
    assert settings.channels["woo"].secrets[0].get_secret_value() == installation.channel_secret(
        "woo"
    )
    assert settings.api_key_pepper.get_secret_value() == installation.secret("api_key_pepper")


def test_the_testbed_signs_with_the_secrets_that_the_api_checks(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.prepare()
    testbed = installation.testbed_settings(Addresses.chosen({}))
    assert testbed["TESTBED_STRIPE_WEBHOOK_SECRET"] == installation.secret("stripe_webhook_secrets")
    assert testbed["TESTBED_WAREHOUSE_KEY"] == installation.secret("wms_key")


def test_a_folder_is_held_by_one_run_at_a_time(tmp_path: Path) -> None:
    first, second = Installation(tmp_path), Installation(tmp_path)
    with first.held(), pytest.raises(DomainError, match="WAYBILL_DATA"), second.held():
        pass
    with second.held():
        pass


def test_a_note_that_was_cut_short_is_no_note(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.note("running", {"processes": {"api": 1}})
    assert installation.noted("running") == {"processes": {"api": 1}}
    (tmp_path / "running.json").write_text('{"processes": {"api"')
    assert installation.noted("running") == {}
