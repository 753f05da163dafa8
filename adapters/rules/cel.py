"""Rules that operators write, in CEL: checked before they are saved, bounded when they run.

Google's C++ runtime refuses hostile expressions by itself (recursion, iteration budget, RE2). Two
of its habits are kept inside here: messages carry the position as text, and a run-time error comes
back as a value, which must never count as true.

The slowest expression found within 4 KiB takes 0.7 s over an order of 500 SKUs (lists made of
lists) before the budget ends it; everything else ends in milliseconds.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]

from adapters.rules.facts import ORDER_FACTS
from domain.errors import DomainError
from domain.frozen import Wire

LARGEST = 4096
CACHED = 512
POSITION = re.compile(r"<input>:(-?\d+):(-?\d+): (.*)")
TYPES = {
    "int": cel.Type.INT,
    "string": cel.Type.STRING,
    "bool": cel.Type.BOOL,
    "list<string>": cel.Type.List(cel.Type.STRING),
}


class Problem(Wire):
    """Something wrong with a rule; line and column count from 1, 0 when it is the whole."""

    line: int = 0
    column: int = 0
    message: str


class RuleError(DomainError):
    """A rule that cannot be evaluated; it is neither true nor false."""

    code = "rule_error"


class CelRules:
    """Checks and evaluates boolean expressions over declared variables.

    Args:
        variables: name to ``int``, ``string``, ``bool`` or ``list<string>``.
    """

    def __init__(self, variables: Mapping[str, str] = ORDER_FACTS) -> None:
        self._variables = MappingProxyType(dict(variables))
        self._env = _environment(tuple(sorted(variables.items())))
        self._compile = lru_cache(maxsize=CACHED)(self._env.compile)

    def check(self, expression: str, variables: Mapping[str, str] | None = None) -> list[Problem]:
        """Return what is wrong with a rule; empty when it may be saved.

        Args:
            variables: declared besides the rules' own, for this check only.
        """
        if len(expression.encode()) > LARGEST:
            return [Problem(message=f"longer than {LARGEST} bytes")]
        rules = self if not variables else CelRules({**self._variables, **variables})
        try:
            compiled = rules._compile(expression)
        except RuntimeError as error:
            return _problems(str(error))
        kind = compiled.return_type().name()
        if kind != "BOOL":
            return [Problem(line=1, column=1, message=f"gives {kind.lower()}, not bool")]
        return []

    def evaluate(self, expression: str, facts: Mapping[str, Any]) -> bool:
        """Return whether the rule holds.

        Raises:
            RuleError: it is too long, does not compile, fails while running (division by zero,
                budget, a fact that is missing) or gives no bool.
        """
        if len(expression.encode()) > LARGEST:
            raise RuleError(f"the rule is longer than {LARGEST} bytes")
        try:
            value = self._compile(expression).eval(data=dict(facts))
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:
            raise RuleError(str(error)[:500]) from error
        if value.type() != cel.Type.BOOL:
            raise RuleError(f"{value.type().name().lower()}: {value.value()}"[:500])
        return bool(value.value())


@lru_cache(maxsize=32)
def _environment(variables: tuple[tuple[str, str], ...]) -> cel.Env:
    return cel.NewEnv(variables={name: TYPES[kind] for name, kind in variables})


def _problems(text: str) -> list[Problem]:
    found = [
        Problem(line=max(int(line), 0), column=max(int(column), 0), message=message.strip())
        for line, column, message in POSITION.findall(text)
    ]
    return list(dict.fromkeys(found)) or [Problem(message=text[:500])]
