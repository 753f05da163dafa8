"""Money: what must hold at each row of the payment provider's books, and at each call to it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from contracts.steps import effect_key
from domain.order import PaymentForm
from domain.payment import Authorisation
from domain.policy import CaptureMoment
from tests.fakes.desk import Row
from tests.simulation.broken import must
from tests.simulation.case import Box, Case
from tests.simulation.execution import Execution
from tests.simulation.plant import Watcher
from tests.simulation.steps import Step

if TYPE_CHECKING:
    from tests.simulation.shop import Shop

EFFECTS = {
    "authorise": "authorise",
    "adopt_payment": "adopt",
    "capture": "capture",
    "refund": "refund",
}
SLACK = timedelta(minutes=2)
CONCLUDED = EFFECTS | {"buy_label": "label", "void_label": "void_label", "stop_shipment": "stop"}
KEYED = ("authorise", "capture", "refund", "void", "adopt", "decline")


class MoneyPromises(Watcher):
    """M1 to M8, as far as they can be seen at each step."""

    def __init__(self, shop: "Shop") -> None:
        self.shop = shop
        self._keys: Counter[tuple[str, str]] = Counter()
        self._unknown: dict[tuple[str, str], int] = {}
        self._learnt: dict[str, datetime] = {}
        shop.payments.ledger.watchers.append(self._money)

    def _money(self, row: Row) -> None:
        case = self.shop.cases.get(row.order_id)
        if case is None:
            return
        self._once(row)
        payments = self.shop.payments.payments_of(row.order_id)
        captured = sum(one.captured for one in payments)
        back = sum(one.refunded + one.charged_back for one in payments)
        total = self.shop.order_of(case).totals.total
        for one in payments:
            fits = one.captured + one.released <= one.amount
            must(fits, "M1", row.order_id, one, "captured more than was authorised")
        if row.kind == "capture" and case.order.payment.form is PaymentForm.METHOD:
            must(captured <= total, "M1", row.order_id, f"{captured} captured of {total}")
        must(back <= captured, "M2", row.order_id, f"{back} given back of {captured}")
        if row.kind == "capture":
            self._meant_to_ship(case)
        if row.key and row.kind in KEYED:
            written = any(one["key"] == row.key for one in self.shop.store.effects(row.order_id))
            must(written, "A1", row.order_id, f"{row.kind} {row.key} without an intent")

    def _once(self, row: Row) -> None:
        if row.key and row.kind in KEYED:
            self._keys[row.kind, row.key] += 1
            once = self._keys[row.kind, row.key] == 1
            must(once, "M3", row.order_id, f"{row.kind} twice under {row.key}")

    def _meant_to_ship(self, case: Case) -> None:
        """No capture without a label and held stock, unless nothing needs a parcel (M4)."""
        if self.shop.policy.payment.capture is CaptureMoment.ORDER:
            return
        order = self.shop.order_of(case)
        if not any(line.requires_shipping for line in order.lines):
            return
        labels = self.shop.carrier.live_labels(case.order_id)
        digital = any(not line.requires_shipping for line in order.lines)
        must(bool(labels) or digital, "M4", case.order_id, "captured without a label")

    def paid_for(self, case: Case, box: Box) -> None:
        """No parcel leaves before its money is here (M4)."""
        if not self.charges(case):
            return
        captured = sum(one.captured for one in self.shop.payments.payments_of(case.order_id))
        must(captured > 0, "M4", case.order_id, f"{box.shipment_id} left, nothing was captured")

    def charges(self, case: Case) -> bool:
        """Whether we take this order's money ourselves."""
        form = case.order.payment.form
        return form is PaymentForm.METHOD and case.order.payment.amount > 0

    # calls

    def step_scheduled(self, execution: Execution, step: Step) -> None:
        """Check a money call before it is made (M7, M8)."""
        if step.name in EFFECTS:
            purpose = EFFECTS[step.name]
            unknown = self._unknown.get((execution.order_id, purpose))
            text = f"{purpose} {step.ask.n} while the outcome of {unknown} is unknown"
            must(unknown is None, "M8", execution.order_id, text)
        if step.name == "capture":
            self._in_time(execution.order_id, step.ask)

    def _in_time(self, order_id: str, ask: Any) -> None:
        held = next(
            (p for p in self.shop.payments.payments_of(order_id) if p.reference == ask.reference),
            None,
        )
        if held is None or held.lapsed_early or not self.charges(self.shop.cases[order_id]):
            return
        now = self.shop.agenda.now()
        learnt = self._learnt.get(ask.reference, held.made_at)
        margin = min(self.shop.margin, (held.expires_at - learnt) / 2)
        text = f"{ask.reference} is captured at {now}, it ends {held.expires_at}"
        must(now < held.expires_at - margin + SLACK, "M7", order_id, text)

    def step_finished(self, execution: Execution, step: Step) -> None:
        """Note what stays unknown, and what a provider had to refuse."""
        order_id = execution.order_id
        held = getattr(step.result, "authorisation", step.result)
        if isinstance(held, Authorisation):
            self._learnt.setdefault(held.reference, self.shop.agenda.now())
        if step.name in EFFECTS and step.unknown:
            self._unknown[order_id, EFFECTS[step.name]] = step.ask.n
            self.shop.luck.count("outcome of a money call stays unknown")
        elif step.name == "find_payment_effect" and step.failure is None:
            self._unknown.pop((order_id, step.ask.purpose), None)
        if step.failure is None and step.name in CONCLUDED:
            key = effect_key(order_id, CONCLUDED[step.name], step.ask.n)
            concluded = self.shop.store.outcome(order_id, key)
            must(concluded is not None, "A1", order_id, key, "was never concluded")
        if step.failure is None or step.unknown:
            return
        code = step.failure.cause.application_failure_info.type
        must(code != "key_reused", "M3", order_id, f"{step.name}: a key for two things: {step.ask}")
        case = self.shop.cases[order_id]
        if code == "amount_too_large" and not case.charged_back:
            must(case.lapsed, "M1", order_id, f"{step.name} of too much: {step.ask}")
