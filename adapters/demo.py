"""What ``mode=demo`` fills in: the testbed's addresses, and secrets that everybody knows.

``adapters.settings_check`` refuses each of these secrets outside demo mode.
"""

from typing import Any

TESTBED = "http://127.0.0.1:9009"

DEMO: dict[str, Any] = {
    "database_url": "sqlite:///.data/waybill.sqlite",
    "encryption_keys": "demo:ZGVtby1rZXktZGVtby1rZXktZGVtby1rZXktZGVtbzE=",
    "link_secrets": ("demo-link-secret-demo-link-secret-1",),
    "api_key_pepper": "demo-pepper-demo-pepper-demo-pepper",
    "channels": {
        "shop": {"platform": "generic", "secrets": ("whsec_ZGVtby1jaGFubmVsLXNlY3JldC1zaG9w",)},
        "shopify": {"platform": "shopify", "secrets": ("demo-channel-secret-shopify",)},
        "woo": {"platform": "woocommerce", "secrets": ("demo-channel-secret-woo",)},
    },
    "stripe_api_key": "sk_test_testbed",
    "stripe_base_url": f"{TESTBED}/stripe",
    "stripe_webhook_secrets": ("whsec_testbed",),
    "easypost_api_key": "testbed",
    "easypost_base_url": f"{TESTBED}/easypost/v2",
    "easypost_webhook_secrets": ("testbed-easypost",),
    "wms_url": TESTBED,
    "wms_key": "wms_testbed",
    "smtp_host": "127.0.0.1",
    "smtp_port": 2525,
    "smtp_tls": "none",
    "smtp_sender": "shop@example.com",
    "public_url": "http://127.0.0.1:8000",
    "ui_origin": "http://127.0.0.1:8233",
}
