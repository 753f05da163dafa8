"""What can be set on the testbed: at start-up (arguments, environment) and at run time."""

from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

START_UP_ONLY = frozenset({"host", "port", "smtp_port", "db", "seed"})
DAY = 86_400.0


class Settings(BaseSettings):
    """Each field is also read from ``TESTBED_<NAME>``; seconds are the testbed clock's."""

    model_config = SettingsConfigDict(env_prefix="TESTBED_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = 9009
    smtp_port: int = 2525
    db: str = "testbed.sqlite"
    seed: int = 1

    api_base: str | None = None
    api_key: str = "testbed"

    stripe_webhook_url: str | None = None
    stripe_webhook_secret: str = "whsec_testbed"
    easypost_webhook_url: str | None = None
    easypost_webhook_secret: str = "testbed-easypost"
    webhook_attempts: int = Field(default=20, ge=1)
    retry_seconds: float = Field(default=1.0, gt=0)
    retry_ceiling_seconds: float = Field(default=300.0, gt=0)

    authorization_seconds: float = Field(default=7 * DAY, gt=0)
    idempotency_seconds: float = Field(default=DAY, gt=0)
    search_delay_seconds: float = Field(default=0.0, ge=0)

    carrier_step_seconds: float = Field(default=4 * 3600.0, gt=0)
    label_refund_seconds: float = Field(default=60.0, ge=0)
    auto_drop_off_seconds: float | None = Field(default=None, ge=0)

    warehouse_key: str = "wms_testbed"
    warehouse_step_seconds: float = Field(default=600.0, ge=0)
    label_poll_seconds: float = Field(default=1.0, gt=0)
    label_poll_attempts: int = Field(default=500, ge=1)

    @property
    def stripe_endpoint(self) -> str | None:
        """Return where Stripe events go; by default Waybill's own route below ``api_base``."""
        return self.stripe_webhook_url or self._below_api("/webhooks/payments/stripe")

    @property
    def easypost_endpoint(self) -> str | None:
        """Return where EasyPost events go; by default Waybill's own route below ``api_base``."""
        return self.easypost_webhook_url or self._below_api("/webhooks/carriers/easypost")

    def _below_api(self, path: str) -> str | None:
        return self.api_base.rstrip("/") + path if self.api_base else None

    def changed(self, patch: dict[str, Any]) -> "Settings":
        """Return these settings with the run-time ones in ``patch`` replaced.

        Raises:
            ValueError: an unknown or start-up-only name, or a value out of range.
        """
        fixed = START_UP_ONLY & patch.keys()
        if fixed:
            raise ValueError(f"only settable at start-up: {', '.join(sorted(fixed))}")
        return Settings(**{**self.model_dump(), **patch})
