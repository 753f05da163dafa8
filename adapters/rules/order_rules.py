"""The merchant's conditions, evaluated over an order (``ports.rules.OrderRules``)."""

from collections.abc import Sequence

from adapters.rules.cel import CelRules, RuleError
from adapters.rules.facts import order_facts
from domain.order import Order


class CelOrderRules:
    """Evaluates conditions in CEL; one that fails is unknown, never true."""

    def __init__(self, rules: CelRules | None = None) -> None:
        self._rules = rules or CelRules()

    def holding(self, conditions: Sequence[str], order: Order) -> list[bool | None]:
        """Return for each condition whether it holds; None when it could not be evaluated."""
        if not conditions:
            return []
        facts = order_facts(order)
        return [self._holds(condition, facts) for condition in conditions]

    def _holds(self, condition: str, facts: dict[str, object]) -> bool | None:
        try:
            return self._rules.evaluate(condition, facts)
        except RuleError:
            return None
