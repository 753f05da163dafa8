"""What must hold after every step (INVARIANTS.md), looked at from outside and from within."""

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from domain.holds import HoldKind
from domain.progress import ShipmentStatus
from domain.units import UnitState
from tests.fakes.desk import Row
from tests.simulation.broken import must
from tests.simulation.case import Box, Case
from tests.simulation.execution import Execution
from tests.simulation.money_promises import MoneyPromises
from tests.simulation.quiet import check_quiet
from tests.simulation.steps import Step

if TYPE_CHECKING:
    from tests.simulation.shop import Shop

MOMENT = timedelta(seconds=30)
LOST = (ShipmentStatus.LOST, ShipmentStatus.RETURNED_TO_SENDER)
IN_HAND = (UnitState.RESERVED, UnitState.RELEASED, UnitState.PACKED)


class Promises(MoneyPromises):
    """Watches the orders of a shop."""

    def __init__(self, shop: "Shop") -> None:
        super().__init__(shop)
        self._mails: set[str] = set()
        self._told_back: Counter[str] = Counter()
        shop.carrier.ledger.watchers.append(self._label)

    # after every task

    def task_completed(self, execution: Execution) -> None:
        """Check an order after a complete task."""
        case = self.shop.cases[execution.order_id]
        assert execution.instance
        state = execution.instance.order.state
        self._units(case, state)
        if len(state.shipments) > 1 and not case.split:
            case.split = True
            self.shop.luck.count("placed in several parcels")
        if execution.ended:
            must(not execution.steps, "L1", case.order_id, f"ended under way: {execution.steps}")
            must(execution.ended.startswith("complete"), "L1", case.order_id, str(execution.result))
            check_quiet(self.shop, case, state)
            return
        must(execution.goes_on, "L5", case.order_id, "the order waits for nothing and nobody")
        if state.version != case.version:
            case.version = state.version
            self._stock(case, state)

    def _units(self, case: Case, state: Any) -> None:
        for line in state.lines.values():
            units = line.units
            ordered, gone = units.ordered, units.cancelled
            before = case.unit_floor.get(line.line_id, (ordered, gone))
            must(ordered == before[0], "H2", case.order_id, line, "grew or vanished")
            must(gone >= before[1], "L2", case.order_id, "cancelled units came back:", line)
            case.unit_floor[line.line_id] = (ordered, gone)

    def step_scheduled(self, execution: Execution, step: Step) -> None:
        """Check that nothing is begun while a person holds the order."""
        super().step_scheduled(execution, step)
        if step.name not in ("release_shipment", "buy_label") or execution.instance is None:
            return
        if step.name == "buy_label" and step.ask.is_return:
            return
        for hold in execution.instance.order.state.holds.values():
            held = hold.kind is HoldKind.OPS and hold.placed_at < step.scheduled_at - MOMENT
            must(not held, "L2", execution.order_id, step.name, "while held:", hold)

    def _stock(self, case: Case, state: Any) -> None:
        """Compare what an order thinks it holds with the stock ledger (S1, S4)."""
        if state.moves or case.expired or state.facts is None:
            return
        wanted: Counter[str] = Counter()
        for line in state.lines.values():
            held = sum(int(getattr(line.units, one.value)) for one in IN_HAND)
            for sku, each in state.line_facts[line.line_id].components:
                wanted[sku] += held * each
        there: Counter[str] = Counter()
        for one in self.shop.store.reserved(case.order_id):
            there[one.sku] += one.quantity
        must(+wanted == +there, "S4", case.order_id, "holds", there, "counts on", wanted)
        for sku in wanted:
            for level in self.shop.store.levels(sku):
                fits = 0 <= level.reserved <= level.on_hand
                must(fits, "S1", case.order_id, level)

    # what people are told

    def cancel_answered(self, case: Case) -> None:
        """Check that a cancel's answer is true, and stays possible (L4)."""
        instance = case.execution.instance
        if instance is None or instance.order is None:
            return
        lines = instance.order.state.lines
        for line_id, count in case.promised_off.items():
            gone = lines[line_id].units.cancelled if line_id in lines else 0
            text = f"{count} units of line {line_id} answered as cancelled, {gone} are"
            must(gone >= count, "L4", case.order_id, text)
        self._either_or(case)

    def handed_over(self, case: Case, box: Box, label_id: str) -> None:
        """Check that what leaves may leave, and goes where we have said (L4, H1, M4)."""
        self._either_or(case)
        goes_to = self.shop.carrier.request_of(label_id).destination
        promised = case.address or goes_to
        must(goes_to == promised, "H1", case.order_id, box.shipment_id, "goes to", goes_to)
        self.paid_for(case, box)

    def _either_or(self, case: Case) -> None:
        ordered = {line.line_id: line.quantity for line in self.shop.order_of(case).lines}
        back = self._written_off(case)
        for line_id, count in case.handed_over.items():
            gone = count - back[line_id] + case.promised_off[line_id]
            text = f"line {line_id}: {count} handed over, {case.promised_off[line_id]} cancelled"
            must(gone <= ordered[line_id], "L4", case.order_id, f"{text} of {ordered[line_id]}")

    def _written_off(self, case: Case) -> Counter[str]:
        """Units in parcels that we count as lost: they may be sent again."""
        back: Counter[str] = Counter()
        stored = self.shop.store.get(case.order_id)
        for one in stored.progress.shipments if stored and stored.progress else ():
            if one.status in LOST and one.shipment_id in case.boxes:
                back.update(case.boxes[one.shipment_id].contents)
        return back

    def told(self, case: Case, template: str, row: Row) -> None:
        """Check a mail that was sent (N1, N2)."""
        must(row.key not in self._mails, "N1", case.order_id, f"{row.key} was sent twice")
        self._mails.add(row.key)
        _, subject, amount = row.detail.split("|")
        if template in ("shipped", "delivered"):
            box = case.boxes.get(subject)
            there = box is not None and box.handed_over_at is not None
            must(there, "N2", case.order_id, f"{row.key}: {subject} has not left")
        if (
            template in ("refunded", "claim_lost")
            and amount.isdigit()
            and self.shop.bank_knows(case)
        ):
            self._told_back[case.order_id] += int(amount)
            given = sum(one.refunded for one in self.shop.payments.payments_of(case.order_id))
            told = self._told_back[case.order_id]
            must(told <= given, "N2", case.order_id, f"{told} told as refunded, {given} are")

    # labels

    def _label(self, row: Row) -> None:
        if row.kind != "label":
            return
        case = self.shop.cases[row.order_id]
        must(not case.wholly_off, "H1", case.order_id, "a label was bought after the cancel")
        if case.cancel_asked:
            self.shop.luck.count("label bought after a cancel was asked")
