"""What the two carriers charge and how long they take; made up, but always the same."""

from dataclasses import dataclass

from testbed.database import Json, new_id
from testbed.webhooks import iso

EURO = frozenset(("AT", "BE", "DE", "ES", "FI", "FR", "GR", "IE", "IT", "LU", "NL", "PT"))


@dataclass(frozen=True)
class Service:
    """A tariff: minor units to start with, per ounce and per zone (1-9)."""

    carrier: str
    name: str
    start: int
    per_ounce: int
    per_zone: int
    days: int
    zones_per_day: int


SERVICES = (
    Service("TestPost", "Standard", 420, 4, 35, days=3, zones_per_day=3),
    Service("TestPost", "Express", 1450, 9, 110, days=1, zones_per_day=8),
    Service("TestParcel", "Ground", 510, 3, 30, days=2, zones_per_day=2),
    Service("TestParcel", "NextDay", 2390, 12, 150, days=1, zones_per_day=99),
)


def zone(origin: Json, destination: Json) -> int:
    """Return 1 (near) to 8 by the first characters of the postal codes, 9 across a border."""
    if origin.get("country") != destination.get("country"):
        return 9
    return min(8, 1 + abs(_region(origin) - _region(destination)) * 8 // 100)


def _region(address: Json) -> int:
    code = "".join(c for c in str(address.get("zip") or "") if c.isalnum()).upper()[:2]
    return int((int(code.ljust(2, "0"), 36) * 100) // 36**2) if code.isascii() and code else 0


def currency(origin: Json) -> str:
    """Return the currency a sender is billed in."""
    country = str(origin.get("country") or "US")
    return "EUR" if country in EURO else {"GB": "GBP", "CA": "CAD"}.get(country, "USD")


def rates(shipment_id: str, shipment: Json, now: float) -> list[Json]:
    """Return the shipment's rates; weight in ounces as EasyPost takes it, prices as decimals."""
    ounces = float(shipment["parcel"]["weight"])
    distance = zone(shipment["from_address"], shipment["to_address"])
    options = shipment.get("options") or {}
    billed = str(options.get("currency") or currency(shipment["from_address"]))
    found = []
    for service in SERVICES:
        cents = service.start + round(ounces * service.per_ounce) + distance * service.per_zone
        price = f"{cents // 100}.{cents % 100:02d}"
        days = service.days + distance // service.zones_per_day
        found.append(
            {
                "id": new_id("rate"),
                "object": "Rate",
                "created_at": iso(now),
                "updated_at": iso(now),
                "mode": "test",
                "service": service.name,
                "carrier": service.carrier,
                "rate": price,
                "currency": billed,
                "retail_rate": price,
                "retail_currency": billed,
                "list_rate": price,
                "list_currency": billed,
                "billing_type": "easypost",
                "delivery_days": days,
                "delivery_date": iso(now + days * 86_400),
                "delivery_date_guaranteed": service.name == "NextDay",
                "est_delivery_days": days,
                "shipment_id": shipment_id,
                "carrier_account_id": f"ca_{service.carrier.lower()}",
            }
        )
    return found


def minor_units(price: str) -> int:
    """Return a decimal price such as ``11.01`` in minor units."""
    whole, _, cents = price.partition(".")
    return int(whole) * 100 + int(cents.ljust(2, "0")[:2])
