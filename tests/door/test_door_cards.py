"""A card number is refused wherever it stands, and nothing of it stays with us."""

import copy
import json
import logging
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from store.database import SqlStore
from store.tables import metadata
from tests.api.api_world import NOON, World
from tests.door.knock import knock
from tests.door.likely import BODIES
from tests.door.senders import SENDERS, Sender, text
from tests.door.shop import KNOWN
from tests.storefronts.hostile import places

CARDS = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "pay with 4111-1111-1111-1111, 12/29",
    "\uff14\uff11\uff11\uff11" * 1 + "111111111111",
    4111111111111111,
)
TRACES = (b"4111111111111111", b"4111 1111 1111 1111", b"4111-1111-1111-1111")
NUMBERS = count()


def spoiled(body: Any, card: Any) -> Iterator[tuple[str, Any]]:
    """Yield a body with a card number at each of its places, and once in a name."""
    for *parents, last in places(body):
        changed = copy.deepcopy(body)
        target = changed
        for key in parents:
            target = target[key]
        target[last] = card
        yield ".".join(map(str, (*parents, last))), changed
    yield "a name", {**body, f"x {card}": 1}


@pytest.fixture(autouse=True)
def _nothing_stays(shop: World, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    for trace in TRACES:
        assert trace.decode() not in caplog.text
        assert trace not in everything_in(shop.store)


def everything_in(store: SqlStore) -> bytes:
    """Return every row of every table, as text."""
    with store.database.read() as connection:
        rows = [connection.execute(select(table)).all() for table in metadata.sorted_tables]
    return repr(rows).encode()


@pytest.mark.parametrize("card", CARDS)
async def test_no_place_of_any_body_takes_a_card_number(
    shop: World, app: FastAPI, card: Any
) -> None:
    tried = 0
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            if "requestBody" not in operation:
                continue
            known = {name: values[0] for name, values in KNOWN.items()}
            for place, body in spoiled(BODIES[operation["operationId"]], card):
                if is_number_of_a_row(place, card):
                    continue
                tried += 1
                headers = {**shop.keys, "content-type": "application/json",
                           "idempotency-key": f"card-{next(NUMBERS)}"}  # fmt: skip
                where = path.format(**known)
                answer = await knock(app, method.upper(), where, headers, text(body))
                assert (answer.status, answer.code) == (422, "card_number"), (path, place)
                assert answer.json["errors"][0]["field"]
                assert b"4111" not in answer.body
    assert tried > 200


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.name)
async def test_no_place_of_any_webhook_takes_one(sender: Sender, shop: World, app: FastAPI) -> None:
    from random import Random

    said, more = sender.body(Random(3), next(NUMBERS))
    for place, body in spoiled(said, CARDS[1]):
        if place.endswith("tracking_code"):
            continue
        raw = json.dumps(body).encode()
        answer = await knock(app, "POST", sender.path, {**more, **sender.sign(raw)}, raw)
        assert answer.status == 422, (sender.name, place)
        assert answer.json["errors"][0]["message"] == "looks like a card number"
        assert b"4111" not in answer.body


@pytest.mark.parametrize("field", ["what", "reason", "unit:l1", "words", "line1", "name"])
@pytest.mark.parametrize("card", CARDS[:4])
async def test_neither_does_a_form_of_the_customers_page(
    shop: World, app: FastAPI, field: str, card: str
) -> None:
    token = shop.links.issue("api-1001", "view", NOON.replace(hour=13))
    form = urlencode({"form": shop.links.issue("api-1001", "address", NOON.replace(hour=13)),
                      field: card}).encode()  # fmt: skip
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await knock(app, "POST", f"/o/{token}/address", kind, form)
    assert (answer.status, answer.code) == (422, "card_number")


def is_number_of_a_row(place: str, card: Any) -> bool:
    """Tell whether a JSON number stands in a field named as an id: those are row numbers."""
    return isinstance(card, int) and place.rpartition(".")[2].endswith("id")


def test_the_search_for_traces_finds_one(shop: World, tmp_path: Path) -> None:
    shop.store.alert("dispute", "api-1001", "0000 4111 2222 3333", NOON)
    assert b"0000 4111 2222 3333" in everything_in(shop.store)
