"""Webhooks by the thousand: forged ones, and genuine ones that say what nobody should say."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from fastapi import FastAPI
from sqlalchemy import func, select

from store.database import SqlStore
from store.tables import metadata
from tests.door.forge import forged
from tests.door.knock import Answer, knock
from tests.door.senders import SENDERS, Sender, text
from tests.storefronts.hostile import mutated, text_of

SAMPLES = 20
"""How many failures are told; the rest is counted."""


@dataclass
class Storm:
    """What came of a storm; ``samples`` say what was wrong and how to send it again (curl)."""

    bodies: int = 0
    server_errors: int = 0
    off_schema: int = 0
    forgeries_accepted: int = 0
    unnamed: int = 0
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)

    def note(
        self, wrong: str, sender: Sender, pairs: Iterable[tuple[str, str]], body: bytes
    ) -> None:
        """Keep what was wrong, so that it can be sent again."""
        if len(self.samples) < SAMPLES:
            headers = " ".join(f"-H {shlex.quote(f'{n}: {v}')}" for n, v in pairs)
            line = f"printf %b {shlex.quote(escaped(body))} | curl -i --data-binary @- {headers}"
            self.samples.append(f"{sender.name}: {wrong}\n    {line} $WAYBILL{sender.path}")


async def forgeries(app: FastAPI, store: SqlStore, number: int, seed: int, storm: Storm) -> None:
    """Send forged deliveries; none may be taken, and none may leave a row behind."""
    random, before = Random(seed), rows_of(store)
    for n in range(number):
        sender = SENDERS[n % len(SENDERS)]
        said, more = sender.body(random, n)
        pairs, body = forged(sender, sender.sign(text(said)), text(said), random)
        if sender.holds(first_of(pairs), body):
            continue  # changed to what it was
        pairs = [*more.items(), *pairs]
        answer = await knock(app, "POST", sender.path, pairs, body)
        _count(app, storm, sender, pairs, body, answer)
        if answer.status < 400:
            storm.forgeries_accepted += 1
            storm.note("accepted a forgery", sender, pairs, body)
    if rows_of(store) != before:
        storm.forgeries_accepted += 1
        storm.samples.append(f"forgeries left rows: {before} became {rows_of(store)}")


async def mutants(app: FastAPI, number: int, seed: int, storm: Storm) -> None:
    """Send genuine deliveries of mutated bodies; each is taken, or refused by the field."""
    random = Random(seed)
    for n in range(number):
        sender = SENDERS[n % len(SENDERS)]
        said, more = sender.body(random, n)
        body = text_of(mutated(said, random), random)
        pairs = [*more.items(), *sender.sign(body).items()]
        answer = await knock(app, "POST", sender.path, pairs, body)
        _count(app, storm, sender, pairs, body, answer)
        if answer.status == 422 and not names_fields(answer):
            storm.unnamed += 1
            storm.note(f"names no field: {answer.body!r}", sender, pairs, body)


def _count(
    app: FastAPI,
    storm: Storm,
    sender: Sender,
    pairs: list[tuple[str, str]],
    body: bytes,
    answer: Answer,
) -> None:
    storm.bodies += 1
    storm.statuses[sender.name, answer.status] += 1
    if answer.status >= 500:
        storm.server_errors += 1
        storm.note(f"answered {answer.status}", sender, pairs, body)
    elif str(answer.status) not in documented(app, sender.path):
        storm.off_schema += 1
        storm.note(f"answered {answer.status}, which is not documented", sender, pairs, body)


def documented(app: FastAPI, path: str) -> set[str]:
    """Return the statuses that the document names for a webhook."""
    start = path.rsplit("/", 1)[0]
    paths = app.openapi()["paths"]
    (found,) = [p for p in paths if p.rsplit("/", 1)[0] == start and p.startswith("/webhooks/")]
    return set(paths[found]["post"]["responses"])


def names_fields(answer: Answer) -> bool:
    """Tell whether a refusal says which fields are at fault, and why."""
    errors = json.loads(answer.body).get("errors") or []
    return bool(errors) and all(one["field"] and one["message"] for one in errors)


def first_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by name; of a name given twice the first counts, as in the API."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value)
    return found


def rows_of(store: SqlStore) -> dict[str, int]:
    """Count the rows of every table."""
    with store.database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def escaped(body: bytes) -> str:
    """Return bytes as ``printf %b`` reads them."""
    return "".join(chr(b) if 32 <= b < 127 and b != 0x5C else f"\\x{b:02x}" for b in body)
