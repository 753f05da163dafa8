"""What screening leads to: holds that say what to mend, and the worse of two fraud verdicts."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.fraud import FraudActivities
    from contracts.orders import ORDERS
    from contracts.steps import GradeStep, Screened
    from domain.grading import worse
    from domain.holds import HoldKind
    from domain.policy import Verdict
    from domain.validation import is_address
    from workflows.desk import Desk, cause_of
    from workflows.options import outside
    from workflows.waiting import wait_for


class Screening:
    """Acts on what was found in an order."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.state = desk.state

    async def hold(self, found: Screened) -> None:
        """Hold the order until every problem is mended or waved through."""
        for kind, chosen in (
            (HoldKind.ADDRESS, [p for p in found.problems if is_address(p[0])]),
            (HoldKind.DATA, [p for p in found.problems if not is_address(p[0])]),
        ):
            if chosen:
                why = "; ".join(f"{field}: {text}" for field, text in chosen)[:1000]
                fields = tuple(field for field, _ in chosen)
                seconds = found.terms.hold_deadline
                hold = self.desk.hold(kind, why, seconds, fields=fields)
                if kind is HoldKind.ADDRESS:
                    self.desk.tell("on_hold_action", deadline=hold.expires_at, reason=why)
        await self.desk.publish()
        await wait_for(lambda: not self.state.holds or self.state.over)

    async def ask_vendor(self, facts: Screened) -> tuple[Verdict, tuple[str, ...]]:
        """Return the worse of our own verdict and the vendor's, with the reasons of both."""
        step = GradeStep(
            order_id=self.state.order_id, n=self.state.draw("effect"), vendor=facts.vendor
        )
        try:
            answer = await outside(
                FraudActivities.grade, step, ORDERS, "ask fraud vendor", self.desk.clocks.look_again
            )
        except ActivityError as failed:
            reason = f"{facts.vendor} gave no answer: {cause_of(failed)}"
            return worse(facts.grade, Verdict.REVIEW), (*facts.reasons, reason)
        return worse(facts.grade, answer.grade), (*facts.reasons, *answer.reasons)
