"""What Waybill needs of a fraud vendor and of the merchant's own grading rules."""

from typing import Protocol

from domain.frozen import Wire
from domain.order import Order
from domain.policy import Verdict as Grade

__all__ = ["FraudVendor", "Grade", "Grading"]


class Grading(Wire):
    """A verdict with its score (0 harmless to 100 certain fraud) and reasons."""

    grade: Grade
    score: int = 0
    reasons: tuple[str, ...] = ()
    vendor: str = ""


class FraudVendor(Protocol):
    """A fraud vendor. Raises ``ProviderUnavailable`` on trouble."""

    async def grade(self, order: Order, *, key: str) -> Grading:
        """Grade one order; the same key gives the same verdict."""
