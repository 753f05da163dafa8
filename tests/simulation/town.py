"""Everybody else: the bank, the supplier, the storefront's webhooks, and the API's sweeper."""

from datetime import timedelta
from typing import TYPE_CHECKING

from contracts.commands import Milestone, MilestoneKind
from domain.stock import MovementReason
from tests.fakes.desk import Row
from tests.fakes.faults import Fault
from tests.simulation.case import Case
from tests.simulation.faults import Outage

if TYPE_CHECKING:
    from tests.simulation.shop import Shop

HOUR, DAY = 3600, 86400
SWEEP = 12 * HOUR


class Town:
    """What happens around the orders of a shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._rng = shop.luck.rng
        self._told: dict[tuple[str, str], int] = {}
        self._keys = 0
        shop.payments.ledger.watchers.append(self._bank)

    def begin(self) -> None:
        """Put the shop's own events on the agenda."""
        rng, agenda, weather = self._rng, self._shop.agenda, self._shop.luck.weather
        for _ in range(rng.randint(0, 5)):
            agenda.after(rng.uniform(1, 20 * 24) * HOUR, self.stock_comes)
        for _ in range(rng.randint(0, weather.deaths)):
            agenda.after(rng.uniform(0, 3 * 24) * HOUR, self.workers_die)
        for _ in range(rng.randint(0, weather.outages)):
            begins = agenda.now() + timedelta(hours=rng.uniform(0, 72))
            hours = rng.choice((0.1, 0.5, 1, 1, 3))
            provider = rng.choice(
                ("payments", "payments", "carriers", "warehouse", "mail", "fraud")
            )
            fault = rng.choice((Fault.UNAVAILABLE, Fault.BEFORE))
            ends = begins + timedelta(hours=hours)
            self._shop.faults.outages.append(Outage(provider, begins, ends, fault))
        agenda.after(rng.uniform(5, 20) * DAY, self.storm_ends)
        agenda.after(SWEEP, self.sweep)

    def storm_ends(self) -> None:
        """In the mode of liveness, faults end here."""
        if self._shop.calms_down:
            self._shop.luck.storm = False
            self._shop.say(None, "the faults end")

    def workers_die(self) -> None:
        """Kill all workers; they are away for seconds, or across somebody's deadline."""
        if self._shop.luck.storm:
            away = self._rng.choice((0.0, 2.0, 60.0, 1800.0, 5 * HOUR))
            self._shop.say(None, f"all workers die; back in {away:.0f} s")
            self._shop.plant.die(away)

    # stock

    def stock_comes(self) -> None:
        """A delivery from the supplier, or a count that finds fewer."""
        shop, rng = self._shop, self._rng
        sku = rng.choice(("MUG", "TEE", "CAP", "PEN", "NEW", "RUG"))
        place = rng.choice(shop.places).code
        self._keys += 1
        units = rng.randint(1, 6)
        shop.store.receive(
            sku, place, units,
            reason=MovementReason.RECEIPT, key=f"receipt-{self._keys}", actor="supplier",
        )  # fmt: skip
        shop.received[sku, place] += units
        shop.luck.count("stock comes")
        shop.say(None, f"{units} {sku} come to {place}")
        shop.agenda.after(rng.uniform(1, 600), self.serve)

    def sweep(self) -> None:
        """Do what the API's sweeper does, twice a day here."""
        for order_id in self._shop.store.expire(self._shop.agenda.now()):
            case = self._shop.cases[order_id]
            case.expired = True
            self._shop.agenda.after(12 * HOUR, self._settled, case)
            self._shop.luck.count("reservation expires")
            kind, now = MilestoneKind.RESERVATION_EXPIRED, self._shop.agenda.now()
            self._shop.signal(case, Milestone(kind=kind, subject=order_id, at=now))
        self.serve()
        if any(not case.execution or not case.execution.ended for case in self._shop.all_cases):
            self._shop.agenda.after(SWEEP, self.sweep)

    def _settled(self, case: Case) -> None:
        """From now on an order whose reservation ran out must know it."""
        case.expired = False

    def serve(self) -> None:
        """Tell orders of the queue that it is their turn."""
        turns = self._shop.store.servable()
        told: set[str] = set()
        for turn in turns:
            fresh = turn.free > self._told.get((turn.order_id, turn.sku), 0)
            if fresh and turn.order_id not in told:
                told.add(turn.order_id)
                kind, now = MilestoneKind.STOCK, self._shop.agenda.now()
                milestone = Milestone(kind=kind, subject=turn.sku, at=now)
                self._shop.signal(self._shop.cases[turn.order_id], milestone)
        self._told = {
            (t.order_id, t.sku): max(t.free, self._told.get((t.order_id, t.sku), 0)) for t in turns
        }

    # the bank

    def _bank(self, row: Row) -> None:
        dice = self._rng.random()
        case = self._shop.cases.get(row.order_id)
        if case is None:
            return
        if row.kind == "capture" and dice < 0.03:
            due = self._rng.uniform(1, 30 * 24) * HOUR
            self._shop.agenda.after(due, self._charge_back, case, row.reference)
        elif row.kind == "authorise" and dice < 0.02:
            due = self._rng.uniform(0.1, 100) * HOUR
            self._shop.agenda.after(due, self._lapse, case, row.reference)

    def _charge_back(self, case: Case, reference: str) -> None:
        left = self._shop.payments.left_of(reference)
        if left <= 0:
            return
        amount = self._rng.choice((left, max(1, left // 2)))
        self._shop.luck.count("chargeback")
        self._shop.say(case, f"the bank takes back {amount}")
        case.charged_back += amount
        self._shop.payments.charge_back(reference, amount)
        kind, now = MilestoneKind.DISPUTED, self._shop.agenda.now()
        milestone = Milestone(kind=kind, subject=reference, at=now, amount=amount)
        self._shop.signal(case, milestone)

    def _lapse(self, case: Case, reference: str) -> None:
        self._shop.luck.count("authorisation lapses early")
        self._shop.say(case, f"{reference} lapses early")
        case.lapsed = True
        self._shop.payments.lapse(reference)
