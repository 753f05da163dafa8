"""What a production installation must not start with: known secrets, clear-text links, gaps."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.demo import DEMO
from adapters.providers import names
from adapters.settings import Settings
from adapters.storefronts.generic import can_sign
from domain.errors import DomainError

NEEDS = {
    ("payments", "stripe"): ("stripe_api_key", "stripe_base_url", "stripe_webhook_secrets"),
    ("carriers", "easypost"): (
        "easypost_api_key",
        "easypost_base_url",
        "easypost_webhook_secrets",
    ),
    ("warehouse", "wms"): ("wms_url", "wms_key"),
    ("mailer", "smtp"): ("smtp_host", "smtp_sender"),
    ("fraud", "http"): ("fraud_url", "fraud_key"),
}
ALWAYS = ("database_url", "encryption_keys", "link_secrets", "api_key_pepper", "public_url")
GROUP_OF = {
    "payments": "payments",
    "carriers": "carriers",
    "warehouse": "warehouses",
    "mailer": "mailers",
    "fraud": "fraud",
}
OURS_TO_CHOOSE = {"link_secrets": 32, "api_key_pepper": 32, "channels": 16}
GUESSED = frozenset({"changeme", "change-me", "secret", "password", "postgres", "waybill", "test"})

CHANNEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

Problem = tuple[str, str]


def refuse_bad(settings: Settings) -> None:
    """Raise ``DomainError`` code ``bad_settings`` with every setting at fault; values are kept out.

    In demo mode only the providers' names and the keys' form are checked.
    """
    problems = [*_providers(settings), *_keys(settings), *_channels(settings)]
    if not settings.demo:
        problems += [*_missing(settings), *_known_secrets(settings), *_clear_text(settings)]
    if problems:
        lines = "; ".join(f"WAYBILL_{name.upper()}: {problem}" for name, problem in problems)
        raise DomainError(f"settings refused: {lines}", "bad_settings")


def _providers(settings: Settings) -> Iterator[Problem]:
    for field, group in GROUP_OF.items():
        name = getattr(settings, field)
        if name not in names(group) and (name or field != "fraud"):
            there_are = ", ".join(names(group)) or "none"
            yield field, f"no provider {name!r} is installed; there are: {there_are}"


def _channels(settings: Settings) -> Iterator[Problem]:
    """Two channels must not be able to name one order, ``<channel>-<external id>``, and each must
    be able to verify what its secrets sign."""
    for name, channel in settings.channels.items():
        secrets = [text for text in _texts(channel.secrets) if text]
        if channel.platform == "generic" and not all(map(can_sign, secrets)):
            yield "channels", f"channel {name!r}: a secret is not base64, as generic webhooks need"
        if not CHANNEL_NAME.fullmatch(name):
            yield "channels", f"channel {name!r}: small letters, digits and hyphens, at most 40"
        for other in settings.channels:
            if other.startswith(f"{name}-"):
                yield "channels", f"channel {other!r} begins with channel {name!r} and a hyphen"


def _keys(settings: Settings) -> Iterator[Problem]:
    if settings.encryption_keys.get_secret_value():
        try:
            settings.key_ring()
        except DomainError as error:
            yield "encryption_keys", str(error)
    if bool(settings.temporal_tls_certificate) != bool(settings.temporal_tls_key):
        yield "temporal_tls_certificate", "certificate and key go together"


def _missing(settings: Settings) -> Iterator[Problem]:
    chosen = [fields for (field, name), fields in NEEDS.items() if getattr(settings, field) == name]
    for field in (*ALWAYS, *(field for fields in chosen for field in fields)):
        value = getattr(settings, field)
        if not (_clear(value) if isinstance(value, SecretStr | tuple) else value):
            yield field, "is missing"
    for name, channel in settings.channels.items():
        if not _clear(channel.secrets):
            yield "channels", f"channel {name!r} has no secret"


def _known_secrets(settings: Settings) -> Iterator[Problem]:
    known = GUESSED | {
        part for field in DEMO for secret in _texts(DEMO[field]) for part in _parts(field, secret)
    }
    for field in Settings.model_fields:
        for secret in _secrets_of(settings, field):
            if any(part in known or part.lower() in GUESSED for part in _parts(field, secret)):
                yield field, "is a demo or default secret"
            elif len(secret) < OURS_TO_CHOOSE.get(field, 0):
                yield field, f"is shorter than {OURS_TO_CHOOSE[field]} characters"


def _parts(field: str, secret: str) -> list[str]:
    """Return what of a setting is secret: a URL's password, the keys without their ids."""
    if field == "database_url":
        return [password] if (password := urlsplit(secret).password) else []
    if field == "encryption_keys":
        return [entry.partition(":")[2].strip() for entry in secret.split(",")]
    return [secret]


def _clear_text(settings: Settings) -> Iterator[Problem]:
    for field in ("stripe_base_url", "easypost_base_url", "wms_url", "fraud_url", "public_url"):
        url = urlsplit(getattr(settings, field))
        if url.scheme == "http" and not is_loopback(url.hostname or ""):
            yield field, "is http, not https"
    if settings.smtp_host and settings.smtp_tls == "none" and not is_loopback(settings.smtp_host):
        yield "smtp_tls", "mail would leave in clear text"
    host = settings.temporal_address.rpartition(":")[0].strip("[]")
    if not (settings.temporal_tls or settings.temporal_private_network or is_loopback(host)):
        yield (
            "temporal_tls",
            "Temporal is on another machine; set temporal_private_network to insist",
        )
    if settings.temporal_api_key and not settings.temporal_tls and not is_loopback(host):
        yield "temporal_api_key", "would be sent in clear text"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, without asking a name server."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _clear(value: SecretStr | tuple[SecretStr, ...]) -> str:
    return "".join(_texts(value))


def _secrets_of(settings: Settings, field: str) -> list[str]:
    value = getattr(settings, field)
    if field == "channels":
        return [text for channel in settings.channels.values() for text in _texts(channel.secrets)]
    return [text for text in _texts(value) if text] if isinstance(value, SecretStr | tuple) else []


def _texts(value: object) -> list[str]:
    if isinstance(value, SecretStr):
        return [value.get_secret_value()]
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return []
