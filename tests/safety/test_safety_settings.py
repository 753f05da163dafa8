"""Settings: what production refuses to start with, and that refusals show no secret."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from safety_material import GOOD, NEW

from adapters import built_in
from adapters.demo import DEMO
from adapters.providers import build, load, names
from adapters.settings import Mode, Settings
from api.compose import channels
from cli.storefront import Payload
from domain.errors import DomainError
from ports.storefronts import Unauthentic
from workers.__main__ import rates

Make = Callable[..., Settings]


def _refusal(settings: Settings) -> str:
    with pytest.raises(DomainError) as refused:
        settings.check()
    assert refused.value.code == "bad_settings"
    return str(refused.value)


@pytest.mark.usefixtures("installed")
def test_good_settings_are_let_through(production: Make) -> None:
    assert production().check().key_ring().active == "n1"


@pytest.mark.usefixtures("installed")
def test_the_demo_starts_without_any_setting(production: Make) -> None:
    settings = Settings(mode="demo")
    assert settings.check().demo
    assert settings.key_ring().active == "demo"
    assert settings.stripe_base_url.startswith("http://127.0.0.1")
    assert Settings(mode="demo", wms_key="mine").wms_key.get_secret_value() == "mine"


def test_production_is_the_default_and_knows_no_secret(production: Make) -> None:
    refusal = _refusal(Settings())
    for name in ("DATABASE_URL", "ENCRYPTION_KEYS", "LINK_SECRETS", "STRIPE_API_KEY", "WMS_KEY"):
        assert f"WAYBILL_{name}: is missing" in refusal


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        *(
            (field, value, "is a demo or default secret")
            for field, value in {
                "encryption_keys": f"mine:{DEMO['encryption_keys'].partition(':')[2]}",
                "link_secrets": DEMO["link_secrets"],
                "api_key_pepper": DEMO["api_key_pepper"],
                "stripe_api_key": DEMO["stripe_api_key"],
                "stripe_webhook_secrets": ("whsec_live", *DEMO["stripe_webhook_secrets"]),
                "easypost_api_key": DEMO["easypost_api_key"],
                "easypost_webhook_secrets": DEMO["easypost_webhook_secrets"],
                "wms_key": DEMO["wms_key"],
                "smtp_password": "ChangeMe",
                "channels": DEMO["channels"],
                "database_url": "postgresql://app:postgres@db/x",
            }.items()
        ),
        ("encryption_keys", "", "is missing"),
        ("encryption_keys", "n1:c2hvcnQ=", "has 5 bytes"),
        ("link_secrets", (), "is missing"),
        ("link_secrets", ("",), "is missing"),
        ("link_secrets", ("short",), "is shorter than 32"),
        ("api_key_pepper", "", "is missing"),
        ("channels", {"shop": {"platform": "generic", "secrets": ()}}, "has no secret"),
        ("channels", {"shop": {"platform": "generic", "secrets": ("x",)}}, "is shorter than 16"),
        (
            "channels",
            {"shop": {"platform": "generic", "secrets": ("no-base64-at-all-but-long",)}},
            "is not base64",
        ),
        ("stripe_api_key", "", "is missing"),
        ("stripe_base_url", "", "is missing"),
        ("stripe_base_url", "http://api.stripe.example", "is http, not https"),
        ("easypost_base_url", "http://10.0.0.5/v2", "is http, not https"),
        ("wms_url", "http://wms.internal", "is http, not https"),
        ("public_url", "http://orders.example", "is http, not https"),
        ("smtp_tls", "none", "clear text"),
        ("payments", "strype", "no provider 'strype' is installed"),
        ("carriers", "", "no provider '' is installed"),
        ("fraud", "vendor9", "no provider 'vendor9' is installed"),
        ("temporal_tls_certificate", "/x.pem", "go together"),
    ],
)
def test_production_refuses(production: Make, field: str, value: Any, says: str) -> None:
    refusal = _refusal(production(**{field: value}))
    assert f"WAYBILL_{field.upper()}: " in refusal
    assert says in refusal


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "change",
    [
        {"wms_url": "http://127.0.0.1:9000"},
        {"wms_url": "http://[::1]:9000"},
        {"smtp_tls": "none", "smtp_host": "localhost"},
        {"temporal_address": "temporal:7233", "temporal_tls": True},
        {"temporal_address": "temporal:7233", "temporal_private_network": True},
        {"database_url": "sqlite:///waybill.sqlite"},
        {"fraud": "constant"},
    ],
)
def test_production_lets_through(production: Make, change: dict[str, Any]) -> None:
    production(**change).check()


@pytest.mark.usefixtures("installed")
def test_temporal_on_another_machine_needs_tls(production: Make) -> None:
    far = production(temporal_address="temporal.example:7233", temporal_api_key="k" * 20)
    refusal = _refusal(far)
    assert "WAYBILL_TEMPORAL_TLS: Temporal is on another machine" in refusal
    assert "WAYBILL_TEMPORAL_API_KEY: would be sent in clear text" in refusal


@pytest.mark.usefixtures("installed")
def test_every_problem_is_told_at_once(production: Make) -> None:
    refusal = _refusal(production(link_secrets=(), wms_url="http://wms", payments="x"))
    assert all(f"WAYBILL_{name}" in refusal for name in ("LINK_SECRETS", "WMS_URL", "PAYMENTS"))


def _secrets() -> list[str]:
    return [str(v) for k, v in GOOD.items() if "key" in k or ("secret" in k and isinstance(v, str))]


def test_no_secret_is_printed(production: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = production()
    printed = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    for secret in (*_secrets(), "Jx8%21kQ2", "C" * 32, "L" * 40, NEW):
        assert secret not in printed
    bad = {"shop": {"platform": "magento", "secret": "Sup3rS3cret!"}}
    with pytest.raises(ValidationError) as refused:
        production(channels=bad, smtp_port="Sup3rS3cret!")
    assert "Sup3rS3cret!" not in str(refused.value)


def test_every_setting_that_is_secret_is_kept_as_one(production: Make) -> None:
    words = ("key", "secret", "password", "pepper", "database_url")
    plain = {"temporal_tls_key"}
    for name, field in Settings.model_fields.items():
        if any(word in name for word in words) and name not in plain:
            assert "SecretStr" in str(field.annotation), name


def test_secrets_come_from_the_environment_and_from_files(
    production: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in (
        ("LINK_SECRETS", "first-secret, second-secret\n"),
        ("CHANNELS", '{"shop": {"platform": "shopify", "secrets": ["from-file"]}}'),
        ("STRIPE_API_KEY", "sk_from_file\n"),
        ("WMS_KEY", "from-file"),
    ):
        (tmp_path / name).write_text(text)
        monkeypatch.setenv(f"WAYBILL_{name}_FILE", str(tmp_path / name))
    monkeypatch.setenv("WAYBILL_WMS_KEY", "from-environment")
    monkeypatch.setenv("WAYBILL_EASYPOST_WEBHOOK_SECRETS", "a,b")
    settings = Settings()
    assert [s.get_secret_value() for s in settings.link_secrets] == [
        "first-secret",
        "second-secret",
    ]
    assert settings.channels["shop"].secrets == (SecretStr("from-file"),)
    assert settings.stripe_api_key.get_secret_value() == "sk_from_file"
    assert settings.wms_key.get_secret_value() == "from-environment"
    assert len(settings.easypost_webhook_secrets) == 2


def test_a_secret_file_that_is_not_there_stops_start_up(
    production: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYBILL_WMS_KEY_FILE", "/no/such/file")
    with pytest.raises(FileNotFoundError):
        Settings()


@pytest.mark.parametrize("name", ["stripe", "easypost", "wms", "smtp", "http"])
def test_what_comes_with_waybill_can_be_built(production: Make, name: str) -> None:
    fraud = {"fraud_url": "https://vendor.example/grade", "fraud_key": "whsec_" + "a" * 32}
    assert getattr(built_in, name)(production(**fraud))


@pytest.mark.usefixtures("installed")
def test_a_provider_is_built_by_its_name(production: Make) -> None:
    assert build("payments", "house", production()) == ("built", "stripe")
    assert "gone" in names("fraud")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("unheard-of", "unknown_provider", "there are: .*gone"),
        ("gone", "broken_provider", "ModuleNotFoundError"),
        ("nameless", "broken_provider", "AttributeError"),
        ("constant", "broken_provider", "is no function"),
    ],
)
def test_a_provider_that_does_not_load_stops_start_up(name: str, code: str, says: str) -> None:
    with pytest.raises(DomainError, match=says) as refused:
        load("fraud", name)
    assert refused.value.code == code


@pytest.mark.usefixtures("installed")
def test_a_provider_that_cannot_be_built_stops_start_up(production: Make) -> None:
    with pytest.raises(DomainError, match="cannot be built: ValueError: no such region"):
        build("fraud", "raises", production())


def test_every_demo_channel_accepts_what_its_secret_signs() -> None:
    now = datetime.now(UTC)
    found = channels(Settings(mode=Mode.DEMO))
    assert set(found) == {"shop", "shopify", "woo"}
    for channel in found.values():
        for secret in channel.secrets:
            sent = Payload(channel.storefront.name, {"id": 1}).signed(secret, now)
            headers = {name.lower(): value for name, value in sent.headers.items()}
            channel.storefront.verify(headers, sent.body, channel.secrets, now)
            with pytest.raises(Unauthentic):
                channel.storefront.verify(headers, sent.body + b" ", channel.secrets, now)


def test_each_task_queue_has_a_rate_of_its_own() -> None:
    limits = rates(Settings(mode=Mode.DEMO, rate_payments=7.5))
    assert limits == dict.fromkeys(["orders", "carriers", "warehouses", "messages"], 0) | {
        "payments": 7.5
    }
    with pytest.raises(ValidationError):
        Settings(mode=Mode.DEMO, rate_payments=-1)
