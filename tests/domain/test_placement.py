"""Routing: few parcels, then the strategy, then priority; a reason for each location left out."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.order import Component
from domain.placement import Want, distance_km, plan
from domain.policy import RoutingPolicy, Strategy
from domain.progress import LineUnits
from domain.stock import Bar, Location, StockLevel
from domain.wants import Kits, allocations_of, parts_of, wants_of

PLACES = [
    Location(code="east", priority=0, latitude=40.7, longitude=-74.0),
    Location(code="west", priority=1, latitude=34.05, longitude=-118.24),
    Location(code="south", priority=2, latitude=29.76, longitude=-95.37),
]
DALLAS = (32.78, -96.8)


def level(sku: str, location: str, on_hand: int) -> StockLevel:
    return StockLevel(sku=sku, location=location, on_hand=on_hand)


def want(line_id: str, sku: str, quantity: int) -> Want:
    return Want(line_id=line_id, sku=sku, quantity=quantity)


def used(found: object) -> list[tuple[str, str, int]]:
    return sorted((one.location, one.line_id, one.quantity) for one in found.parts)  # type: ignore[attr-defined]


def test_one_parcel_is_preferred_to_two_whatever_the_priority() -> None:
    stock = [level("A", "east", 1), level("B", "west", 1), level("A", "west", 1)]
    found = plan([want("1", "A", 1), want("2", "B", 1)], stock, PLACES, RoutingPolicy())
    assert used(found) == [("west", "1", 1), ("west", "2", 1)]
    assert dict(found.left_out) == {"east": "not needed", "south": "no stock of any line"}


def test_equal_parcels_go_by_priority_and_the_closest_by_distance() -> None:
    stock = [level("A", code, 1) for code in ("east", "west", "south")]
    assert used(plan([want("1", "A", 1)], stock, PLACES, RoutingPolicy())) == [("east", "1", 1)]
    near = RoutingPolicy(strategy=Strategy.CLOSEST)
    found = plan([want("1", "A", 1)], stock, PLACES, near, destination=DALLAS)
    assert used(found) == [("south", "1", 1)]


def test_most_stock_ships_from_the_fullest_shelf() -> None:
    stock = [level("A", "east", 3), level("A", "west", 9)]
    found = plan([want("1", "A", 1)], stock, PLACES, RoutingPolicy(strategy=Strategy.MOST_STOCK))
    assert used(found) == [("west", "1", 1)]


def test_no_more_parcels_than_the_policy_allows() -> None:
    stock = [level("A", "east", 2), level("A", "west", 2)]
    found = plan([want("1", "A", 4)], stock, PLACES, RoutingPolicy(max_splits=0))
    assert used(found) == [("east", "1", 2)]
    assert [one.quantity for one in found.missing] == [2]


def test_a_barred_location_fills_other_lines_but_not_that_one() -> None:
    stock = [level("A", "east", 5), level("A", "west", 1)]
    bars = [Bar(line_id="1", location="east")]
    found = plan([want("1", "A", 1), want("2", "A", 1)], stock, PLACES, RoutingPolicy(), bars)
    assert used(found) == [("east", "2", 1), ("west", "1", 1)]
    only = plan([want("1", "A", 9)], stock[:1], PLACES, RoutingPolicy(), bars)
    assert dict(only.left_out)["east"] == "barred after a short pick or refusal"


def test_a_line_that_may_go_from_anywhere_leaves_the_shelf_to_one_that_may_not() -> None:
    stock = [level("A", "east", 1), level("A", "west", 1)]
    bars = [Bar(line_id="2", location="west")]
    found = plan([want("1", "A", 1), want("2", "A", 1)], stock, PLACES, RoutingPolicy(), bars)
    assert used(found) == [("east", "2", 1), ("west", "1", 1)]


def test_an_inactive_location_sends_nothing() -> None:
    closed = [PLACES[0].model_copy(update={"active": False}), PLACES[1]]
    stock = [level("A", "east", 5), level("A", "west", 5)]
    found = plan([want("1", "A", 1)], stock, closed, RoutingPolicy())
    assert used(found) == [("west", "1", 1)]
    assert dict(found.left_out)["east"] == "not active"


def test_a_kit_is_sent_whole_and_shares_the_shelf_with_its_components() -> None:
    kits: Kits = {"1": ("SET", (("A", 2), ("B", 1))), "2": ("A", (("A", 1),))}
    lines = [LineUnits(line_id="1", quantity=2), LineUnits(line_id="2", quantity=2)]
    stock = [level("A", "east", 5), level("B", "east", 9), level("A", "west", 9)]
    found = plan(wants_of(kits, lines), stock, PLACES, RoutingPolicy())
    assert used(found) == [("east", "1", 2), ("west", "2", 2)]
    reserved = [
        (one.sku, one.location, one.quantity) for one in allocations_of(kits, found.parts, 0)
    ]
    assert sorted(reserved) == [("A", "east", 4), ("A", "west", 2), ("B", "east", 2)]


def test_a_component_named_twice_is_counted_once() -> None:
    twice = (Component(sku="A", quantity=1), Component(sku="A", quantity=2))
    assert parts_of("SET", twice) == (("A", 3),)
    assert parts_of("A", ()) == (("A", 1),)


def test_distance_is_the_great_circle_and_unknown_ends_are_far_away() -> None:
    assert round(distance_km(PLACES[0], (34.05, -118.24))) == 3936
    assert distance_km(Location(code="x"), DALLAS) == float("inf")


UNITS = st.integers(0, 4)


@settings(max_examples=300, deadline=None)
@given(
    stock=st.lists(UNITS, min_size=6, max_size=6),
    wanted=st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 4)), min_size=1, max_size=3),
    splits=st.integers(0, 2),
    strategy=st.sampled_from(Strategy),
)
def test_a_plan_never_oversells_and_fills_as_much_as_any_allowed_set_of_locations(
    stock: list[int], wanted: list[tuple[str, int]], splits: int, strategy: Strategy
) -> None:
    codes = [place.code for place in PLACES]
    shelf = {
        (sku, code): stock[i * 3 + j] for i, sku in enumerate("AB") for j, code in enumerate(codes)
    }
    wants = [want(str(i), sku, quantity) for i, (sku, quantity) in enumerate(wanted)]
    levels = [level(sku, code, units) for (sku, code), units in shelf.items()]
    found = plan(wants, levels, PLACES, RoutingPolicy(max_splits=splits, strategy=strategy))

    for (sku, code), units in shelf.items():
        assert sum(p.quantity for p in found.parts if (p.sku, p.location) == (sku, code)) <= units
    for one in wants:
        placed = sum(p.quantity for p in found.parts if p.line_id == one.line_id)
        missing = sum(w.quantity for w in found.missing if w.line_id == one.line_id)
        assert placed + missing == one.quantity
    asked = {sku: sum(n for s, n in wanted if s == sku) for sku in "AB"}
    best = max(
        sum(min(asked[sku], sum(shelf[sku, code] for code in some)) for sku in "AB")
        for some in combinations(codes, min(3, splits + 1))
    )
    assert sum(part.quantity for part in found.parts) == best
