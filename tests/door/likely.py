"""What a request says when it means something in the shop: bodies, queries, names."""

from collections.abc import Iterator, Mapping
from typing import Any

from api.openapi import EXAMPLES
from domain.policy import Policy
from domain.stock import Location, Product
from tests.door.shop import KNOWN

QUERY = {"sku": "MUG", "limit": "10", "country": "DE", "channel": "api", "status": "shipped"}
ADDRESS = {"line1": "1 High St", "city": "Berlin", "country": "DE", "phone": "+49 30 1"}
LOCATION = Location(code="berlin", address=ADDRESS, latitude=52.5, longitude=13.4).model_dump(
    mode="json"
)
PRODUCT = Product(
    sku="MUG",
    title="Blue mug",
    grams=350,
    launch_on="2026-12-01",
    components=[{"sku": "CUP", "quantity": 1}],
).model_dump(mode="json")
BODIES = {
    **EXAMPLES,
    "put_policy": Policy().model_dump(mode="json"),
    "check_policy": Policy().model_dump(mode="json"),
    "create_location": LOCATION,
    "put_location": LOCATION,
    "create_product": PRODUCT,
    "put_product": PRODUCT,
    "ship_now": {"reason": "a good customer"},
    "picked": EXAMPLES["short_picked"],
    "handed_over": {"tracking_number": "TP1"},
    "receive_return": EXAMPLES["short_picked"],
    "inspect_return": {"lines": [{"line_id": "l1", "quantity": 1, "disposition": "damaged"}]},
    "authorise_return": {"approve": True, "reason": "late but kind"},
    "cancel_return": {"reason": "found it"},
}
"""A body that means something, for each operation that takes one."""


def known_paths(names: list[str]) -> Iterator[dict[str, str]]:
    """Yield path parameters that exist, each known value at least once."""
    for n in range(max((len(KNOWN[name]) for name in names), default=1)):
        yield {name: KNOWN[name][n % len(KNOWN[name])] for name in names}


def with_known(value: Any, pick: int) -> Any:
    """Return a body in which fields that name something name what exists."""
    if isinstance(value, Mapping):
        return {
            key: KNOWN[key][pick % len(KNOWN[key])]
            if key in KNOWN and isinstance(inner, str)
            else with_known(inner, pick)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [with_known(inner, pick) for inner in value]
    return value
