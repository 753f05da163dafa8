"""Operators: they hold, release, review, reject, hurry, reschedule, stop, and receive returns."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from contracts.commands import (
    AuthoriseReturn,
    Cancel,
    CancelReturn,
    ChangeAddress,
    InspectedLine,
    InspectReturn,
    NewMethod,
    PlaceHold,
    ReceiveReturn,
    ReleaseHold,
    Reschedule,
    Review,
    ShipNow,
)
from domain.holds import Expiry, Hold, HoldKind
from domain.policy import Verdict
from domain.progress import LineUnits, ReturnProgress, ReturnStatus
from domain.returns import NOT_ARRIVED, OPEN
from tests.simulation.case import Case
from tests.simulation.plant import Watcher
from tests.workflows.orders import HOME

if TYPE_CHECKING:
    from tests.simulation.execution import Execution
    from tests.simulation.shop import Shop

HOUR = 3600
FOR_A_PERSON = (HoldKind.OPS, HoldKind.ADDRESS, HoldKind.DATA, HoldKind.FRAUD_REVIEW)


class Operators(Watcher):
    """What the shop's people do."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._rng = shop.luck.rng

    def place(self, case: Case) -> None:
        """Decide what operators will do to a new order by themselves."""
        rng, agenda = self._rng, self._shop.agenda
        for chance, act in (
            (0.06, self.hold),
            (0.05, self.ship_now),
            (0.04, self.reschedule),
            (0.03, self.stop),
            (0.03, self.storefront_cancels),
            (0.04, self.edit_address),
        ):
            if rng.random() < chance:
                longest = rng.choice((1, 2, 48, 200)) * HOUR
                agenda.after(rng.uniform(0, longest), act, case)

    def task_completed(self, execution: "Execution") -> None:
        """See what is new in an order: holds that wait for a person, returns."""
        if execution.instance is None:
            return
        case, state = self._shop.cases[execution.order_id], execution.instance.order.state
        for hold_id, hold in state.holds.items():
            if hold_id not in case.known_holds:
                case.known_holds.add(hold_id)
                if hold.kind in FOR_A_PERSON or hold.on_expiry is Expiry.ESCALATE:
                    self._plan_release(case, hold)
        for return_id, one in state.returns.items():
            if return_id not in case.known_returns:
                case.known_returns.add(return_id)
                self._plan_return(case, one)

    def _plan_release(self, case: Case, hold: Hold) -> None:
        days = 2 if self._rng.random() < 0.85 else 9
        due = self._rng.uniform(0.1, 24 * days) * HOUR
        if hold.kind is HoldKind.PAYMENT:
            due += 3 * 24 * HOUR
        self._shop.agenda.after(due, self._lift, case, hold.hold_id, hold.kind)

    def _ask(self, case: Case, command: str, ask: Any) -> None:
        key = case.key(command)
        self._shop.ask(case, command, ask, key, lambda answer: None)
        if self._rng.random() < 0.05:
            self._shop.ask_again(case, command, ask, key)

    def _lift(self, case: Case, hold_id: str, kind: HoldKind) -> None:
        if kind is HoldKind.FRAUD_REVIEW:
            verdict = self._rng.choice((Verdict.ACCEPT, Verdict.ACCEPT, Verdict.REJECT))
            self._ask(case, "review", Review(actor="operator:ann", decision=verdict))
            return
        if kind is HoldKind.PAYMENT:
            ask = NewMethod(actor="operator:ann", method="pm_card_visa", customer="cus_9")
            self._ask(case, "payment_method", ask)
            self._shop.agenda.after(4 * 24 * HOUR, self._still, case, hold_id, kind)
            return
        if kind is HoldKind.ADDRESS:
            self.edit_address(case)
        self._ask(case, "release_hold", ReleaseHold(actor="operator:ann", hold_id=hold_id))

    def _still(self, case: Case, hold_id: str, kind: HoldKind) -> None:
        """Look again after a hold that was to be mended."""
        stored = self._shop.store.get(case.order_id)
        holds = stored.progress.holds if stored and stored.progress else ()
        if not case.execution.ended and any(hold.hold_id == hold_id for hold in holds):
            self._lift(case, hold_id, kind)

    # by themselves

    def hold(self, case: Case) -> None:
        """Hold an order for a while."""
        expires = self._shop.agenda.now() + timedelta(hours=self._rng.uniform(1, 90))
        expiry = self._rng.choice(("escalate", "release", "release", "cancel"))
        ask = PlaceHold(actor="operator:ann", reason="look", expires_at=expires, expiry=expiry)
        self._ask(case, "place_hold", ask)

    def ship_now(self, case: Case) -> None:
        """Hurry."""
        self._ask(case, "ship_now", ShipNow(actor="operator:bob"))

    def reschedule(self, case: Case) -> None:
        """Move the delivery date."""
        day = (self._shop.agenda.now() + timedelta(days=self._rng.randint(-1, 20))).date()
        self._ask(case, "reschedule", Reschedule(actor="operator:bob", deliver_on=day))

    def edit_address(self, case: Case) -> None:
        """Correct the address."""
        self._ask(case, "change_address", ChangeAddress(actor="operator:ann", address=HOME))

    def stop(self, case: Case) -> None:
        """Cancel the workflow in the Temporal UI."""
        self._shop.luck.count("operator stops the workflow")
        self._shop.say(case, "an operator stops the workflow")
        case.execution.stop()

    def storefront_cancels(self, case: Case) -> None:
        """The storefront's cancel comes in: a webhook."""
        ask = Cancel(actor="storefront", reason="cancelled in the shop")
        self._shop.customers.ask(
            case, "cancel", ask, lambda answer: self._shop.customers.cancel_told(case, answer, True)
        )

    # returns

    def _plan_return(self, case: Case, one: ReturnProgress) -> None:
        rng, after = self._rng, self._shop.agenda.after
        if one.status is ReturnStatus.REQUESTED:
            approve = rng.random() < 0.8
            ask = AuthoriseReturn(actor="operator:ann", return_id=one.return_id, approve=approve)
            after(rng.uniform(0.1, 60) * HOUR, self._ask, case, "authorise_return", ask)
        if rng.random() < 0.08:
            called_off = CancelReturn(actor="customer", return_id=one.return_id)
            after(rng.uniform(0, 200) * HOUR, self._ask, case, "cancel_return", called_off)

    def parcel_comes_back(self, case: Case) -> None:
        """Receive the parcels of an order's returns, and inspect them."""
        stored = self._shop.store.get(case.order_id)
        progress = stored.progress if stored else None
        for one in progress.returns if progress else ():
            if one.status not in NOT_ARRIVED:
                continue
            lines = one.lines
            if self._rng.random() < 0.15:
                lines = tuple(
                    LineUnits(line_id=line.line_id, quantity=self._rng.randint(1, line.quantity))
                    for line in lines
                )
            ask = ReceiveReturn(actor="warehouse", return_id=one.return_id, lines=lines)
            self._ask(case, "receive_return", ask)
            due = self._rng.uniform(0.001, 150) * HOUR
            self._shop.agenda.after(due, self._inspect, case, one.return_id)

    def _inspect(self, case: Case, return_id: str) -> None:
        stored = self._shop.store.get(case.order_id)
        progress = stored.progress if stored else None
        for one in progress.returns if progress else ():
            if one.return_id == return_id and one.status in OPEN:
                found = tuple(self._judged(line) for line in one.lines)
                lines = found if self._rng.random() < 0.7 else ()
                ask = InspectReturn(actor="warehouse", return_id=return_id, lines=lines)
                self._ask(case, "inspect_return", ask)

    def _judged(self, line: LineUnits) -> InspectedLine:
        word = self._rng.choice(("restock", "restock", "damaged", "rejected"))
        return InspectedLine(line_id=line.line_id, quantity=line.quantity, disposition=word)
