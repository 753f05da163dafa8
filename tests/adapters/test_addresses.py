"""Addresses: which field is at fault, and what the post office wants to read."""

import pytest

from adapters.addresses.i18n import check
from domain.order import Address


def address(country: str, **more: str) -> Address:
    return Address(**{"name": "Zoë", "line1": "1 Main St", "country": country, **more})


@pytest.mark.parametrize(
    "good",
    [
        address("US", city="San Francisco", region="CA", postal_code="94104"),
        address("us", city="San Francisco", region="California", postal_code="94104-1234"),
        address("DE", city="Berlin", postal_code="10115", phone="030 123456"),
        address("GB", city="London", postal_code="sw1a 2aa"),
        address("IE", city="Dublin"),
        address("CA", city="Toronto", region="Ontario", postal_code="M5V 2T6"),
        address("JP", city="Shibuya", region="Tokyo", postal_code="150-0002"),
        address("SG", city="Singapore", postal_code="238823"),
        address("AE", city="Dubai", region="Dubai"),
        address("CN", city="Beijing", region="Beijing", postal_code="100000"),
        address("KR", city="Seoul", region="Seoul", postal_code="03051"),
        address("HK", region="Kowloon"),
        address("DE", city="Berlin", postal_code="10115", name="", company="Kaffee GmbH"),
    ],
    ids=lambda a: f"{a.country}-{a.region}",
)
def test_good_addresses_pass(good: Address) -> None:
    problems, lines = check(good)
    assert problems == []
    assert len(lines) >= 3


@pytest.mark.parametrize(
    ("bad", "fields"),
    [
        (address("US", city="San Francisco", region="NY", postal_code="94104"), ["postal_code"]),
        (address("US", city="X", region="Bavaria", postal_code="94104"), ["region"]),
        (address("DE", postal_code="9"), ["city", "postal_code"]),
        (address("ZZ", city="X"), ["country"]),
        (address("", city="X"), ["country"]),
        (address("DE", city="B", postal_code="10115", phone="1"), ["phone"]),
        (address("DE", city="B", postal_code="10115", phone="call me"), ["phone"]),
        (Address(country="DE"), ["name", "line1", "city", "postal_code"]),
    ],
    ids=lambda value: value.country if isinstance(value, Address) else ",".join(value),
)
def test_every_field_at_fault_is_named_by_our_name(bad: Address, fields: list[str]) -> None:
    problems, _ = check(bad)
    assert [field for field, _ in problems] == fields
    assert all(message for _, message in problems)


def test_what_the_customer_wrote_is_not_changed() -> None:
    mine = address("US", city="San Francisco", region="CA", postal_code="94104")
    before = mine.model_dump()
    _, lines = check(mine)
    assert "SAN FRANCISCO, CA 94104" in lines
    assert mine.model_dump() == before


def test_a_japanese_city_is_on_the_label() -> None:
    mine = address("JP", city="渋谷区", region="東京都", postal_code="150-0002", line1="1-2-3")
    _, lines = check(mine)
    assert lines[:4] == ["〒150-0002", "東京都", "渋谷区", "1-2-3"]


def test_a_city_is_not_printed_twice() -> None:
    _, singapore = check(address("SG", city="Singapore", postal_code="238823"))
    assert sum("singapore" in line.lower() for line in singapore[:-1]) == 1
    twice = address(
        "JP", city="渋谷区", region="東京都", postal_code="150-0002", line1="渋谷区1-2-3"
    )
    _, japan = check(twice)
    assert sum("渋谷区" in line for line in japan) == 1


def test_with_faults_the_lines_are_the_customers_own() -> None:
    _, lines = check(address("US", city="Nowhere", region="CA", postal_code="1"))
    assert lines == ["Zoë", "1 Main St", "1 Nowhere CA", "US"]
