"""Postal code to coordinates, offline. The United States; elsewhere unknown."""

from functools import cache

import zipcodes

from domain.order import Address


def locate(address: Address) -> tuple[float, float] | None:
    """Return latitude and longitude of an address's postal code, None when unknown."""
    if address.country.upper() != "US":
        return None
    return _table().get(address.postal_code.strip()[:5])


@cache
def _table() -> dict[str, tuple[float, float]]:
    """Load once; the package holds coordinates as text."""
    return {
        row["zip_code"]: (float(row["lat"]), float(row["long"]))
        for row in zipcodes.list_all()  # type: ignore[no-untyped-call]
        if row["lat"] and row["long"]
    }
