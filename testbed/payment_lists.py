"""Stripe's lists and searches over stored objects."""

import json
import operator
import re
from collections.abc import Callable
from typing import Any

from testbed.database import Json
from testbed.operations import Call
from testbed.payment_wire import expanded, refuse, whole

_CLAUSE = re.compile(
    r"""(?P<field>metadata\[(?P<q>['"])(?P<key>.+?)(?P=q)\]|\w+)\s*
        (?P<op>:|>=|<=|>|<)\s*(?:(?P<r>['"])(?P<text>.*?)(?P=r)|(?P<number>\d+))""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ":": operator.eq, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
_CREATED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_FILTERS = ("customer", "charge", "currency", "type", "status", "payment_intent", "source")


def page(call: Call, kind: str, url: str, owner: str = "") -> Json:
    """Return newest first, by ``limit`` and ``starting_after``, filtered by equality."""
    limit = min(max(whole(call, "limit", 10), 1), 100)
    where, values = "kind = ?", [kind]
    if owner:
        where, values = where + " AND owner = ?", [*values, owner]
    for name in _FILTERS:
        if name in call.params:
            where += f" AND json_extract(body, '$.{name}') = ?"
            values.append(str(call.params[name]))
    created = call.params.get("created")
    for name, moment in created.items() if isinstance(created, dict) else ():
        if name in _CREATED:
            where += f" AND json_extract(body, '$.created') {_CREATED[name]} CAST(? AS INTEGER)"
            values.append(str(moment))
    if "starting_after" in call.params:
        where += " AND seq < (SELECT seq FROM object WHERE id = ?)"
        values.append(str(call.params["starting_after"]))
    sql = f"SELECT body FROM object WHERE {where} ORDER BY seq DESC LIMIT {limit + 1}"
    data = [json.loads(row["body"]) for row in call.world.db.rows(sql, *values)]
    found = {"object": "list", "url": url, "has_more": len(data) > limit, "data": data[:limit]}
    return expanded(call, found)


def search(call: Call, kind: str, url: str) -> Json:
    """Return what matches the query's clauses, joined by AND, newest first.

    Like Stripe's, results may lag (``search_delay_seconds``): never a proof that nothing is there.
    """
    tests = _tests(str(call.params.get("query", "")))
    limit = min(max(whole(call, "limit", 10), 1), 100)
    start = whole(call, "page", 0)
    sql, values = "SELECT body FROM object WHERE kind = ?", [kind]
    for field, compare, value in tests:
        if field == ("metadata", "waybill_order") and compare is operator.eq:
            sql, values = sql + " AND order_id = ?", [*values, str(value)]
        elif field[0] == "metadata" and compare is operator.eq:
            sql, values = sql + " AND instr(body, ?)", [*values, json.dumps(str(value))]
    visible = call.world.now() - call.world.settings.search_delay_seconds
    rows = call.world.db.rows(sql + " ORDER BY seq DESC", *values)
    bodies = [json.loads(row["body"]) for row in rows]
    found = [
        body
        for body in bodies
        if body["created"] <= visible
        and all(_passes(body, field, compare, value) for field, compare, value in tests)
    ]
    more = len(found) > start + limit
    return expanded(
        call,
        {
            "object": "search_result",
            "url": url,
            "has_more": more,
            "next_page": str(start + limit) if more else None,
            "data": found[start : start + limit],
        },
    )


Test = tuple[tuple[str, ...], Callable[[Any, Any], bool], str | int]


def _tests(query: str) -> list[Test]:
    tests: list[Test] = []
    rest = query.strip()
    while rest:
        clause = _CLAUSE.match(rest)
        if clause is None:
            raise refuse(f"We were unable to parse your search query: {query}", param="query")
        field = ("metadata", clause["key"]) if clause["key"] else (clause["field"],)
        value: str | int = int(clause["number"]) if clause["number"] else clause["text"]
        tests.append((field, _COMPARE[clause["op"]], value))
        rest = rest[clause.end() :].strip()
        if rest and not re.match(r"AND\s", rest):
            raise refuse("Only AND is supported between clauses.", param="query")
        rest = rest[3:].strip() if rest else rest
    if not tests:
        raise refuse("Missing required param: query.", "parameter_missing", "query")
    return tests


def _passes(
    body: Any, field: tuple[str, ...], compare: Callable[[Any, Any], bool], value: str | int
) -> bool:
    for name in field:
        body = body.get(name) if isinstance(body, dict) else None
    if body is None:
        return False
    return compare(body, int(value)) if isinstance(body, int) else compare(str(body), str(value))
