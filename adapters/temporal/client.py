"""The one way to a Temporal client: TLS, API key and the data converter, from settings."""

from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.service import TLSConfig

from adapters.settings import Settings
from adapters.temporal.converter import data_converter


async def connect(
    settings: Settings, *, runtime: Runtime | None = None, lazy: bool = False
) -> Client:
    """Connect to Temporal.

    Args:
        runtime: carries the metrics endpoint (``adapters.telemetry.metrics.temporal_runtime``).
        lazy: connect at the first call, so that an API starts while Temporal is away. A worker
            needs a client that is connected.
    """
    key = settings.temporal_api_key
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        api_key=key.get_secret_value() if key else None,
        tls=_tls(settings),
        data_converter=data_converter(settings.key_ring()),
        runtime=runtime,
        lazy=lazy,
    )


def _tls(settings: Settings) -> TLSConfig | bool:
    if not settings.temporal_tls:
        return False
    ca, certificate, key = (
        path.read_bytes() if path else None
        for path in (
            settings.temporal_tls_ca,
            settings.temporal_tls_certificate,
            settings.temporal_tls_key,
        )
    )
    return TLSConfig(server_root_ca_cert=ca, client_cert=certificate, client_private_key=key)
