"""Nobody without the secret is believed, and nobody with it can break us.

Here a few thousand deliveries; `make fuzz` sends 100,000.
"""

import logging
from random import Random

import pytest
from fastapi import FastAPI

from api.app import create_app
from tests.api.api_world import World
from tests.door.knock import knock
from tests.door.senders import SENDERS, Sender, text
from tests.door.shop import deps_of
from tests.door.storm import Storm, forgeries, mutants

SEED = 20260301


async def test_no_forgery_is_accepted_and_none_leaves_a_row(shop: World, app: FastAPI) -> None:
    storm = Storm()
    await forgeries(app, shop.store, 3000, SEED, storm)
    assert (storm.forgeries_accepted, storm.server_errors, storm.off_schema) == (0, 0, 0), (
        "\n".join(storm.samples)
    )
    assert storm.bodies > 2500


async def test_a_genuine_body_of_any_shape_is_taken_or_refused_by_its_field(
    either_shop: World,
) -> None:
    storm = Storm()
    await mutants(create_app(deps_of(either_shop)), 1500, SEED, storm)
    assert (storm.server_errors, storm.off_schema, storm.unnamed) == (0, 0, 0), "\n".join(
        storm.samples
    )
    for sender in SENDERS:
        taken = sum(storm.statuses[sender.name, status] for status in (200, 202))
        assert taken > 20, f"{sender.name}: the storm hardly got in"


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
async def test_what_is_signed_is_taken(sender: Sender, app: FastAPI) -> None:
    """Else no refusal above would mean anything."""
    said, more = sender.body(Random(SEED), 1)
    body = text(said)
    answer = await knock(app, "POST", sender.path, {**more, **sender.sign(body)}, body)
    assert answer.status in (200, 202), answer.body
    assert sender.holds(sender.sign(body), body)
    assert not sender.holds(sender.sign(body), body + b" ")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("api.intake").setLevel(logging.ERROR)
