"""Requests that our OpenAPI document allows, and requests that it does not, sent to the API.

Schemathesis reads the document, makes the requests and compares the answers with it: status,
media type, headers and body. The number of requests is spread over the operations; an operation
that has fewer ways to be called leaves its share to the others. One seed is one run.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count, product
from math import ceil
from random import Random
from typing import Any
from urllib.parse import quote

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup, ServerError
from schemathesis.schemas import APIOperation

from api.app import create_app
from api.openapi import EXAMPLES
from tests.api.api_world import World
from tests.door.likely import BODIES, QUERY, known_paths, with_known
from tests.door.shop import KNOWN, deps_of
from tests.storefronts.hostile import HOSTILE, mutated, text_of

RULES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
KEY, FRESH = "Idempotency-Key", "a key of its own"
MOST_TOLD = 20
QUIET = settings(
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Found:
    """What came of a run; ``failures`` say what was wrong and how to ask again (curl)."""

    requests: int = 0
    server_errors: int = 0
    off_schema: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def count(self, status: int) -> None:
        """Note an answer."""
        self.requests += 1
        self.statuses[status] += 1

    def note(self, title: str, wrong: FailureGroup) -> None:
        """Keep what was wrong, with the curl line that shows it again."""
        broke = any(isinstance(one, ServerError) for one in wrong.exceptions)
        self.server_errors += broke
        self.off_schema += not broke
        if len(self.failures) < MOST_TOLD:
            self.failures.append(f"{title}\n{wrong.message}")


class Explorer:
    """Asks everything that the document names, and a little more."""

    def __init__(self, world: World) -> None:
        app = create_app(deps_of(world))
        document = app.openapi()
        for operations in document["paths"].values():
            for operation in operations.values():
                # Who may ask is tested route by route; here every request has a key that may.
                operation.pop("security", None)
        schema = schemathesis.openapi.from_dict(document)
        schema.app = app
        load_all_checks()
        self._checks = list(CHECKS.get_by_names(list(RULES)))
        self._operations = [found.ok() for found in schema.get_all_operations()]
        self._headers = world.keys
        self._numbers = count()

    def run(self, requests: int, seed_: int) -> Found:
        """Send at least ``requests`` requests; stops early only where something was wrong."""
        found, live, round_ = Found(), [*product(self._operations, MODES)], 0
        while live and found.requests < requests and len(found.failures) < 10:
            share = ceil((requests - found.requests) / len(live))
            live = [
                (operation, mode)
                for operation, mode in live
                if self._ask(operation, mode, share, seed_ + round_, found) >= share // 2 > 0
            ]
            round_ += 1
        return found

    def storm(self, requests: int, seed_: int) -> Found:
        """Send well-formed requests with hostile values anywhere in them."""
        random, found = Random(seed_), Found()
        for n in range(requests):
            operation = self._operations[n % len(self._operations)]
            case, body = self._hostile(operation, random)
            response = case.call(headers=self._headers, **body)
            found.count(response.status_code)
            try:
                case.validate_response(response, checks=self._checks)
            except FailureGroup as wrong:
                found.note(f"{operation.label} (storm, seed {seed_}, request {n})", wrong)
        return found

    def _hostile(self, operation: APIOperation, random: Random) -> tuple[Case, dict[str, bytes]]:
        path = {one.name: random.choice(KNOWN[one.name]) for one in operation.path_parameters}
        query = {one.name: QUERY.get(one.name, "1") for one in operation.query}
        spoiled = random.choice([part for part in (path, query) if part] or [{}])
        if spoiled and not (operation.body and random.randrange(4)):
            value = str(random.choice(HOSTILE))[:2000].encode("utf-8", "replace").decode()
            whole = quote(value.replace("/", ""), safe="") or "-"  # never another path
            spoiled[random.choice([*spoiled])] = whole if spoiled is path else value
        headers = {KEY: f"storm-{next(self._numbers)}"}
        case = operation.Case(path_parameters=path, query=query, headers=headers)
        if not operation.body:
            return case, {}
        case.headers["Content-Type"] = "application/json"
        body = with_known(BODIES[operation.definition.raw["operationId"]], random.randrange(99))
        return case, {"data": text_of(mutated(body, random), random)}

    def _ask(
        self, operation: APIOperation, mode: GenerationMode, most: int, seed_: int, found: Found
    ) -> int:
        before = found.requests

        @seed(seed_)
        @settings(QUIET, max_examples=most)
        @given(case=cases(operation, mode), pick=st.integers(0, 2**16))
        def one(case: Case, pick: int) -> None:
            if mode is GenerationMode.POSITIVE:
                self._make_likely(case, operation, pick)
            if (case.headers or {}).get(KEY) == FRESH:
                case.headers[KEY] = f"door-{next(self._numbers)}"
            response = case.call(headers=self._headers)
            found.count(response.status_code)
            case.validate_response(response, checks=self._checks)

        try:
            one()
        except Unsatisfiable:
            pass  # nothing about this operation can be said wrongly
        except FailureGroup as wrong:
            found.note(f"{operation.label} ({mode.value}, seed {seed_})", wrong)
        return found.requests - before

    def _make_likely(self, case: Case, operation: APIOperation, pick: int) -> None:
        """Let a well-formed request mean something: known names, and an example to start from."""
        example = EXAMPLES.get(operation.definition.raw.get("operationId", ""))
        if example and isinstance(case.body, Mapping) and pick % 4:
            kept = {k: v for n, (k, v) in enumerate(case.body.items()) if pick >> n & 4}
            case.body = {**example, **kept}
        if case.body is not NOT_SET and pick % 3:
            case.body = with_known(case.body, pick)
        if case.query and pick % 3:
            case.query = with_known(case.query, pick)


def cases(operation: APIOperation, mode: GenerationMode) -> st.SearchStrategy[Case]:
    """Return requests of an operation, three in four about something that exists."""
    names = [parameter.name for parameter in operation.path_parameters]
    fixed: dict[str, Any] = {"generation_mode": mode}
    if any(parameter.name == KEY for parameter in operation.headers):
        fixed["headers"] = {KEY: FRESH}
    about = [operation.as_strategy(path_parameters=one, **fixed) for one in known_paths(names)]
    return st.one_of(*about, operation.as_strategy(generation_mode=mode))
