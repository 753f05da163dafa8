"""Grading by the merchant's own rules: they add up, and they decide."""

import pytest

from domain.grading import grade
from domain.policy import Grading, GradingRule, Verdict

ACCEPT, REVIEW, REJECT = Verdict.ACCEPT, Verdict.REVIEW, Verdict.REJECT


def graded(*rules: GradingRule) -> tuple[Verdict, int]:
    """Return the verdict and the score of rules that all hold."""
    policy = Grading(rules=rules, review_at=50, reject_at=90)
    return grade(policy, [True] * len(rules))[:2]


def points(score: int) -> GradingRule:
    return GradingRule(name=f"{score} points", when="true", score=score)


def decides(verdict: Verdict) -> GradingRule:
    return GradingRule(name=f"decides {verdict}", when="true", verdict=verdict)


@pytest.mark.parametrize(
    ("scores", "verdict", "shown"),
    [
        ([], ACCEPT, 0),
        ([49], ACCEPT, 49),
        ([30, 20], REVIEW, 50),
        ([60, 60], REJECT, 100),
        ([100, -60], ACCEPT, 40),
        ([-50], ACCEPT, 0),
    ],
)
def test_scores_add_up(scores: list[int], verdict: Verdict, shown: int) -> None:
    assert graded(*map(points, scores)) == (verdict, shown)


def test_a_rule_that_does_not_hold_says_nothing() -> None:
    policy = Grading(rules=(points(100), decides(REJECT)))
    assert grade(policy, [False, False]) == (ACCEPT, 0, ())


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [([ACCEPT, REVIEW, REJECT], REJECT), ([ACCEPT, REVIEW], REVIEW), ([ACCEPT], ACCEPT)],
)
def test_the_gravest_verdict_counts_and_outweighs_the_score(
    verdicts: list[Verdict], expected: Verdict
) -> None:
    assert graded(points(100), *map(decides, verdicts))[0] is expected
