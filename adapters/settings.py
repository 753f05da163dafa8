"""What can be set: by ``WAYBILL_<NAME>``, or in the file that ``WAYBILL_<NAME>_FILE`` names.

Lists are written with commas, ``WAYBILL_CHANNELS`` as JSON::

    {"shop": {"platform": "shopify", "secrets": ["…"]}}

``check`` (``adapters.settings_check``) says what a production installation must not start with.
"""

import os
from enum import StrEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyAddress,
    SecretStr,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from adapters.demo import DEMO
from adapters.temporal.keys import KeyRing

PREFIX = "WAYBILL_"


def _comma_separated(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_comma_separated)]
"""Live secrets: the first signs, every one verifies, so that one can be rotated out."""

Url = Annotated[str, Field(pattern=r"^(https?://[^\s]+)?$")]


class Mode(StrEnum):
    """``demo`` fills in secrets and addresses that everybody knows; never outside one machine."""

    DEMO = "demo"
    PRODUCTION = "production"


class Channel(BaseModel):
    """A storefront that may send orders: what it speaks, and its own signing secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: Literal["shopify", "woocommerce", "generic"]
    secrets: tuple[SecretStr, ...]


class Settings(BaseSettings):
    """Everything that differs between installations. Seconds, bytes, UTC."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    mode: Mode = Mode.PRODUCTION
    database_url: SecretStr = SecretStr("")

    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    temporal_api_key: SecretStr | None = None
    temporal_tls: bool = False
    temporal_tls_ca: Path | None = None
    temporal_tls_certificate: Path | None = None
    temporal_tls_key: Path | None = None
    temporal_private_network: bool = False
    rate_orders: float = Field(default=0, ge=0)
    rate_payments: float = Field(default=0, ge=0)
    rate_carriers: float = Field(default=0, ge=0)
    rate_warehouses: float = Field(default=0, ge=0)
    rate_messages: float = Field(default=0, ge=0)
    workflow_sandbox: bool = False
    sticky_timeout: float = Field(default=1.5, gt=0, le=10)

    encryption_keys: SecretStr = SecretStr("")
    link_secrets: Secrets = ()
    api_key_pepper: SecretStr = SecretStr("")

    channels: dict[str, Channel] = Field(default_factory=dict)

    payments: str = "stripe"
    stripe_api_key: SecretStr = SecretStr("")
    stripe_base_url: Url = "https://api.stripe.com"
    stripe_webhook_secrets: Secrets = ()
    carriers: str = "easypost"
    easypost_api_key: SecretStr = SecretStr("")
    easypost_base_url: Url = "https://api.easypost.com/v2"
    easypost_webhook_secrets: Secrets = ()
    warehouse: str = "wms"
    wms_url: Url = ""
    wms_key: SecretStr = SecretStr("")
    mailer: str = "smtp"
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    smtp_sender: str = ""
    fraud: str = ""
    fraud_url: Url = ""
    fraud_key: SecretStr = SecretStr("")

    public_url: Url = ""
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=1, le=65535)
    ui_origin: str = Field(default="", pattern=r"^(https?://[^\s/]+)?$")
    body_limit: int = Field(default=256 * 1024, ge=1024)
    webhook_limit: int = Field(default=1024 * 1024, ge=1024, le=2_000_000)
    json_depth: int = Field(default=32, ge=4, le=100)
    rate_per_minute: int = Field(default=600, ge=1)

    metrics_host: IPvAnyAddress = IPv4Address("127.0.0.1")
    metrics_port: int = Field(default=9464, ge=0, le=65535)
    worker_metrics_port: int = Field(default=9465, ge=0, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="before")
    @classmethod
    def _fill_in_the_demo(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**DEMO, **values} if values.get("mode") == Mode.DEMO else values

    @property
    def demo(self) -> bool:
        """Whether this is a demonstration on one machine."""
        return self.mode is Mode.DEMO

    @property
    def metrics_address(self) -> str:
        """Where a worker answers with the SDK's metrics; empty for nowhere (port 0)."""
        host = f"[{self.metrics_host}]" if self.metrics_host.version == 6 else self.metrics_host
        return f"{host}:{self.metrics_port}" if self.metrics_port else ""

    def key_ring(self) -> KeyRing:
        """Return the payload keys; raises ``DomainError`` code ``bad_keys``."""
        return KeyRing.parse(self.encryption_keys.get_secret_value())

    def check(self) -> "Settings":
        """Return these settings when an installation may start with them.

        Raises:
            DomainError: code ``bad_settings``; names every setting at fault, and no value.
        """
        from adapters.settings_check import refuse_bad

        refuse_bad(self)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then the files that it points to."""
        return init_settings, env_settings, _FromFiles(settings_cls)


class _FromFiles(PydanticBaseSettingsSource):
    """Values in files (Docker and Kubernetes secrets), named by ``WAYBILL_<NAME>_FILE``."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE", "")
        text = Path(path).read_text(encoding="utf-8").strip() if path else None
        return text, field_name, self.field_is_complex(field)

    def __call__(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            text, key, is_complex = self.get_field_value(field, name)
            if text is not None:
                values[key] = self.prepare_field_value(name, field, text, is_complex)
        return values
