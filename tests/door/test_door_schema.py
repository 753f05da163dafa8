"""Every request has an answer, and every answer is one that the OpenAPI document names.

Here 5,000 requests; `make fuzz` sends 100,000.
"""

from tests.api.api_world import World
from tests.door.explore import Explorer, Found

SEED = 20260301
SHARES = {"explored": 1300, "storm": 1200}
"""Requests for each kind of database."""


def test_no_request_gets_a_server_error_or_an_answer_off_schema(either_shop: World) -> None:
    explorer = Explorer(either_shop)
    for found, wanted in (
        (explorer.run(SHARES["explored"], SEED), SHARES["explored"]),
        (explorer.storm(SHARES["storm"], SEED), SHARES["storm"]),
    ):
        assert not found.failures, "\n\n".join(found.failures)
        assert found.requests >= wanted
        assert says_something(found)


def says_something(found: Found) -> bool:
    """Tell whether requests got through: consent, refusals by rule, and refusals by reading."""
    kinds = {status // 100 for status in found.statuses}
    return kinds == {2, 4} and {200, 201, 404, 409, 422} <= set(found.statuses)
