"""Keys, settings and a package of providers that the tests of this folder share."""

from base64 import b64encode
from typing import Any

OLD, NEW = b64encode(b"o" * 32).decode(), b64encode(b"n" * 32).decode()

PROVIDERS = {
    "waybill.payments": {
        "stripe": "safety_providers:working",
        "house": "safety_providers:working",
    },
    "waybill.carriers": {"easypost": "safety_providers:working"},
    "waybill.warehouses": {"wms": "safety_providers:working"},
    "waybill.mailers": {"smtp": "safety_providers:working"},
    "waybill.fraud": {
        "gone": "no_such_module_at_all:build",
        "nameless": "safety_providers:no_such_function",
        "constant": "safety_providers:CONSTANT",
        "raises": "safety_providers:raising",
    },
}
MODULE = """
CONSTANT = 1
def working(settings):
    return ("built", settings.payments)
def raising(settings):
    raise ValueError("no such region")
"""
GOOD: dict[str, Any] = {
    "mode": "production",
    "database_url": "postgresql+psycopg://app:Jx8%21kQ2@db/waybill",
    "encryption_keys": f"n1:{NEW},n0:{OLD}",
    "link_secrets": ("L" * 40,),
    "api_key_pepper": "P" * 40,
    "public_url": "https://orders.shop.example",
    "channels": {"shop": {"platform": "shopify", "secrets": ("C" * 32,)}},
    "stripe_api_key": "sk_live_9f8e7d6c5b4a",
    "stripe_webhook_secrets": ("whsec_live_1",),
    "easypost_api_key": "EZAK9f8e7d6c5b4a",
    "easypost_webhook_secrets": ("hook-secret-live",),
    "wms_url": "https://wms.example",
    "wms_key": "wms-live-key",
    "smtp_host": "mail.example",
    "smtp_sender": "orders@shop.example",
}
