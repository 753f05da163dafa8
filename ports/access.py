"""What an API key may do."""

from enum import StrEnum


class Scope(StrEnum):
    """The scopes of API keys. ``admin`` may do everything; nothing else implies anything."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    REFUNDS_WRITE = "refunds:write"
    STOCK_WRITE = "stock:write"
    SHIPMENTS_WRITE = "shipments:write"
    ADMIN = "admin"
