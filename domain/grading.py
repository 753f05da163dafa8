"""Built-in grading (C13): the merchant's rules add up to a score. Pure.

Reject outweighs review, review outweighs a rule that accepts, and that outweighs the score. A rule
that could not be evaluated never lets an order through unseen: review.
"""

from collections.abc import Sequence

from domain.policy import Grading, Verdict

WORST_FIRST = (Verdict.REJECT, Verdict.REVIEW, Verdict.ACCEPT)


def grade(policy: Grading, holding: Sequence[bool | None]) -> tuple[Verdict, int, tuple[str, ...]]:
    """Return the verdict, the score (0 to 100) and the names of the rules that led to it.

    Args:
        holding: for each of ``policy.rules`` whether its condition holds, None when unknown.
    """
    matched = [rule for rule, holds in zip(policy.rules, holding, strict=True) if holds]
    unknown = [rule for rule, holds in zip(policy.rules, holding, strict=True) if holds is None]
    score = max(0, min(100, sum(rule.score for rule in matched)))
    reasons = tuple(rule.name for rule in matched) + tuple(
        f"{rule.name} (could not be evaluated)" for rule in unknown
    )
    decided = {rule.verdict for rule in matched if rule.verdict}
    if unknown:
        decided.add(Verdict.REVIEW)
    for verdict in WORST_FIRST:
        if verdict in decided:
            return verdict, score, reasons
    if score >= policy.reject_at:
        return Verdict.REJECT, score, reasons
    return (Verdict.REVIEW if score >= policy.review_at else Verdict.ACCEPT), score, reasons


def worse(one: Verdict, other: Verdict) -> Verdict:
    """Return the worse of two verdicts."""
    return next(verdict for verdict in WORST_FIRST if verdict in (one, other))
