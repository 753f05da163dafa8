"""A fraud vendor in memory; verdicts are given out by order id, mail address or default."""

from domain.order import Order
from ports.fraud import Grade, Grading
from tests.fakes.desk import Clock, Desk, Ledger, standing_clock
from tests.fakes.faults import FaultPlan


class FakeFraudVendor:
    """A ``FraudVendor``; put verdicts into ``verdicts`` under an order id or a mail address."""

    def __init__(
        self,
        now: Clock = standing_clock,
        faults: FaultPlan | None = None,
        default: Grading | None = None,
    ) -> None:
        self._desk = Desk("fraud", now, faults or FaultPlan())
        self.default = default or Grading(grade=Grade.ACCEPT, vendor="fake")
        self.verdicts: dict[str, Grading] = {}

    @property
    def ledger(self) -> Ledger:
        """The vendor's own books."""
        return self._desk.ledger

    async def grade(self, order: Order, *, key: str) -> Grading:
        """Give the verdict; the same key gives the same one, even if the list has changed."""
        params = order.model_dump_json()
        return self._desk.do("grade", key, params, lambda: self._grade(order, key))

    def _grade(self, order: Order, key: str) -> Grading:
        by_mail = self.verdicts.get(order.customer.email, self.default)
        verdict = self.verdicts.get(order.order_id, by_mail)
        self._desk.record("grade", order.order_id, key, verdict.grade, amount=verdict.score)
        return verdict
