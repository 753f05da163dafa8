"""Grading without a vendor: the merchant's own rules, in CEL.

The scores of the rules that hold are added up (0 to 100) and compared with two thresholds; a rule
may also decide by itself. Reject outweighs review, review outweighs accept, and a rule that
accepts outweighs the score. A rule that cannot be evaluated never lets an order through: review.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from adapters.rules.cel import CelRules, RuleError
from adapters.rules.facts import order_facts
from domain.order import Order
from ports.fraud import Grade, Grading


class GradingRule(Protocol):
    """One rule of the policy: when ``when`` holds, add ``score`` and, if set, decide."""

    @property
    def name(self) -> str:
        """What the operator calls it; becomes the reason."""

    @property
    def when(self) -> str:
        """A CEL expression over the order's facts."""

    @property
    def score(self) -> int:
        """Points, -100 to 100."""

    @property
    def verdict(self) -> StrEnum | None:
        """A grade's word to give whatever the score, or ``None``."""


class BuiltinGrading:
    """A ``ports.fraud.FraudVendor`` that asks nobody.

    Args:
        review_at: from this score on a person looks at the order.
        reject_at: from this score on it is rejected.
    """

    name = "builtin"

    def __init__(
        self,
        rules: Sequence[GradingRule],
        review_at: int = 50,
        reject_at: int = 90,
        cel: CelRules | None = None,
    ) -> None:
        self._rules = tuple(rules)
        self._review_at, self._reject_at = review_at, reject_at
        self._cel = cel or CelRules()

    async def grade(self, order: Order, *, key: str) -> Grading:
        """Grade one order; pure, so the key is not needed."""
        return self.grade_facts(order_facts(order))

    def grade_facts(self, facts: Mapping[str, Any]) -> Grading:
        """Grade by facts alone, as the preview of a draft policy does."""
        score, reasons, verdicts = 0, list[str](), set[Grade]()
        for rule in self._rules:
            try:
                holds = self._cel.evaluate(rule.when, facts)
            except RuleError as error:
                reasons.append(f"{rule.name}: could not be evaluated ({error})")
                verdicts.add(Grade.REVIEW)
                continue
            if holds:
                reasons.append(rule.name)
                score += rule.score
                verdicts |= {Grade(rule.verdict.value)} if rule.verdict else set()
        score = max(0, min(100, score))
        grade = self._decided(verdicts) or self._by(score)
        return Grading(grade=grade, score=score, reasons=tuple(reasons), vendor=self.name)

    def _by(self, score: int) -> Grade:
        if score >= self._reject_at:
            return Grade.REJECT
        return Grade.REVIEW if score >= self._review_at else Grade.ACCEPT

    @staticmethod
    def _decided(verdicts: set[Grade]) -> Grade | None:
        by_weight = (Grade.REJECT, Grade.REVIEW, Grade.ACCEPT)
        return next((grade for grade in by_weight if grade in verdicts), None)
