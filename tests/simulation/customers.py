"""Customers: they cancel, change their mind, click twice, pay late, send things back."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from contracts.commands import (
    AddedLine,
    Cancel,
    CancelOutcome,
    ChangeAddress,
    ChangeLines,
    Milestone,
    MilestoneKind,
    NewMethod,
    RequestReturn,
)
from domain.payment import PaymentState
from domain.progress import LineUnits, MoneyStatus
from tests.fakes.desk import Row
from tests.simulation.baskets import some_units
from tests.simulation.case import Case
from tests.simulation.catalogue import ELSEWHERE, NOWHERE
from tests.simulation.updates import Answer
from tests.workflows.orders import HOME

if TYPE_CHECKING:
    from tests.simulation.shop import Shop

HOUR = 3600
MOMENTS = ("release", "label", "capture", "authorise", "grace", "any", "pack")


class Customers:
    """What customers do, by themselves and when they get mail."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._rng = shop.luck.rng
        self._waiting: dict[tuple[str, str], list[Callable[[Case], None]]] = {}
        for ledger in (shop.payments.ledger, shop.carrier.ledger, shop.warehouse.ledger):
            ledger.watchers.append(self._moment)
        shop.mailer.ledger.watchers.append(self._mail)

    def place(self, case: Case) -> None:
        """Decide what a new order's customer will do."""
        rng = self._rng
        if rng.random() < 0.34:
            self._when(case, rng.choice(MOMENTS), self.cancel)
            if rng.random() < 0.2:
                self._when(case, rng.choice(MOMENTS), self.cancel)
        if rng.random() < 0.08:
            self._when(case, rng.choice(MOMENTS), self.change_address)
        if rng.random() < 0.08:
            self._when(case, rng.choice(("grace", "any", "authorise")), self.change_lines)
        if rng.random() < 0.04:
            self._when(case, rng.choice(MOMENTS), self.pay_otherwise)
        if rng.random() < 0.03:
            self._shop.agenda.after(rng.uniform(0, 40 * 24 * HOUR), self.send_back, case)

    def _when(self, case: Case, moment: str, act: Callable[[Case], None]) -> None:
        if moment == "grace":
            left = self._shop.grace - (self._shop.agenda.now() - case.order.placed_at).seconds
            self._shop.agenda.after(max(0, left + self._rng.uniform(-8, 12)), act, case)
        elif moment == "any":
            self._shop.agenda.after(self._rng.uniform(0, 72 * HOUR), act, case)
        else:
            self._waiting.setdefault((case.order_id, moment), []).append(act)

    def _moment(self, row: Row) -> None:
        for act in self._waiting.pop((row.order_id, row.kind), ()):
            case = self._shop.cases[row.order_id]
            self._shop.agenda.after(self._rng.choice((0.0, 0.01, 0.3, 2.0, 40.0)), act, case)

    # asking

    def ask(self, case: Case, command: str, ask: Any, then: Callable[[Answer], None]) -> None:
        """Send a command: some click twice, some ask again under another key."""
        rng, key = self._rng, case.key(command)
        self._shop.ask(case, command, ask, key, then)
        if rng.random() < 0.12:
            self._shop.luck.count("double click: the same request key")
            due = rng.choice((0.0, 0.0, 0.2, 5.0, 9000.0))
            self._shop.agenda.after(due, self._shop.ask_again, case, command, ask, key)
        if rng.random() < 0.06:
            self._shop.luck.count("asked twice under two keys")
            due = rng.choice((0.0, 0.1, 3.0))
            self._shop.agenda.after(
                due, self._shop.ask, case, command, ask, case.key("twice"), then
            )

    def cancel(self, case: Case) -> None:
        """Cancel all, or some units."""
        lines: tuple[LineUnits, ...] = ()
        if self._rng.random() < 0.4:
            lines = _lines(some_units(self._shop.ordered(case), self._rng))
        ask = Cancel(actor="customer", reason="changed my mind", lines=lines)
        self._shop.luck.count("cancel asked")
        case.cancel_asked = True
        self.ask(case, "cancel", ask, lambda answer: self.cancel_told(case, answer, not lines))

    def cancel_told(self, case: Case, answer: Answer, whole: bool) -> None:
        """Note what we have promised with an answer to a cancel."""
        if answer.kind != "done":
            return
        outcome = answer.value["outcome"]
        self._shop.luck.count(f"cancel answered {outcome}")
        lines = {one["line_id"]: one["quantity"] for one in answer.value.get("cancelled", ())}
        case.promised_off.update(lines)
        if outcome == CancelOutcome.CANCELLED and whole:
            case.wholly_off = True
        self._shop.promises.cancel_answered(case)

    def change_address(self, case: Case) -> None:
        """Ask for another address; a few give one that does not exist."""
        address = NOWHERE if self._rng.random() < 0.15 else ELSEWHERE
        ask = ChangeAddress(actor="customer", address=address)
        self._shop.luck.count("address change asked")
        self.ask(case, "change_address", ask, lambda answer: None)

    def change_lines(self, case: Case) -> None:
        """Lower a quantity, or add a line."""
        rng, ordered = self._rng, self._shop.ordered(case)
        lower = some_units(ordered, rng) if rng.random() < 0.7 else {}
        add: tuple[AddedLine, ...] = ()
        if not lower or rng.random() < 0.4:
            name = f"x{case.acts}"
            add = (
                AddedLine(
                    line_id=name, sku=rng.choice(("MUG", "TEE")), quantity=rng.randint(1, 2),
                    unit_price=700,
                ),
            )  # fmt: skip
        left = {line: ordered[line] - cut for line, cut in lower.items()}
        ask = ChangeLines(actor="customer", set=_lines(left), add=add)
        self._shop.luck.count("line change asked")
        self.ask(case, "change_lines", ask, lambda answer: None)

    def pay_otherwise(self, case: Case) -> None:
        """Name another payment method."""
        method = self._rng.choice(("pm_card_visa", "pm_card_visa", "pm_card_declined_2"))
        ask = NewMethod(actor="customer", method=method, customer=self._rng.choice(("", "cus_2")))
        self.ask(case, "payment_method", ask, lambda answer: None)

    # mail

    def _mail(self, row: Row) -> None:
        order_id, template, _ = row.key.rsplit(".", 2)
        case = self._shop.cases[order_id]
        self._shop.promises.told(case, template, row)
        reaction = {
            "payment_failed": (0.8, 5, self._mend_payment),
            "on_hold_action": (0.7, 10, self._mend_address),
            "backordered": (0.15, 80, self.cancel),
            "delivered": (0.35, 24 * 16, self.send_back),
            "return_authorised": (0.9, 24 * 8, self._post_return),
        }.get(template)
        if reaction and (self._rng.random() < reaction[0] or not self._shop.luck.storm):
            self._shop.agenda.after(self._rng.uniform(0.01, reaction[1]) * HOUR, reaction[2], case)

    def _mend_payment(self, case: Case) -> None:
        """Confirm at the bank what waits to be confirmed; else use another card."""
        for held in self._shop.payments.payments_of(case.order_id):
            if held.state is PaymentState.ACTION_REQUIRED and self._rng.random() < 0.8:
                self._shop.payments.confirm(held.reference)
                self._shop.luck.count("card challenge passed")
                self._confirmed(case, held.reference)
                return
        self.pay_otherwise(case)

    def _confirmed(self, case: Case, reference: str) -> None:
        stored = self._shop.store.get(case.order_id)
        progress = stored.progress if stored else None
        if progress and progress.money.status is MoneyStatus.ACTION_REQUIRED:
            now = self._shop.agenda.now()
            kind = MilestoneKind.ACTION_DONE
            self._shop.signal(case, Milestone(kind=kind, subject=reference, at=now))

    def _mend_address(self, case: Case) -> None:
        ask = ChangeAddress(actor="customer", address=HOME)
        self.ask(case, "change_address", ask, lambda answer: None)

    # returns

    def send_back(self, case: Case) -> None:
        """Ask to return some of what was delivered; a few ask for too much."""
        ordered = self._shop.ordered(case)
        lines = _lines(some_units(ordered, self._rng)) or _lines(ordered)
        ask = RequestReturn(actor="customer", lines=lines, reason="does not fit")
        self._shop.luck.count("return asked")
        self.ask(case, "request_return", ask, lambda answer: None)

    def _post_return(self, case: Case) -> None:
        self._shop.operators.parcel_comes_back(case)


def _lines(units: dict[str, int]) -> tuple[LineUnits, ...]:
    return tuple(LineUnits(line_id=line, quantity=count) for line, count in units.items())
