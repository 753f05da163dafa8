"""One simulated shop: its stock, its rules, its providers, its people, and a few orders."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.commands import Milestone
from contracts.orders import OrderRef
from contracts.steps import MessageStep
from domain.order import Order as PlacedOrder
from domain.order import PaymentForm
from domain.policy import Policy
from domain.stock import MovementReason
from ports.messages import Message
from ports.stores import StoredOrder
from tests.fakes.carriers import FakeCarrier
from tests.fakes.fraud import FakeFraudVendor
from tests.fakes.messages import FakeMailer
from tests.fakes.payments import FakePaymentGateway
from tests.fakes.stores import MemoryStore
from tests.fakes.warehouses import FakeWarehouse
from tests.simulation.broken import must
from tests.simulation.case import Case
from tests.simulation.catalogue import places, policy, products, shelves
from tests.simulation.clock import Agenda
from tests.simulation.customers import Customers
from tests.simulation.execution import Execution
from tests.simulation.faults import AskedByActivities, Faults
from tests.simulation.floor import Floor
from tests.simulation.luck import Luck, Weather
from tests.simulation.operators import Operators
from tests.simulation.placing import Storefront
from tests.simulation.plant import Plant
from tests.simulation.promises import Promises
from tests.simulation.road import Road
from tests.simulation.steps import Steps
from tests.simulation.story import Story
from tests.simulation.town import Town
from tests.simulation.updates import Answer, Told
from workers.compose import Outside, activities

YEAR_ENDS = ((2026, 12, 30), (2028, 2, 27), (2026, 3, 27), (2026, 6, 1), (2026, 10, 23))


class PlainComposer:
    """Writes mail that says only what it is about."""

    def compose(self, step: MessageStep, stored: StoredOrder, policy: Policy) -> Message | None:
        """Return the mail, None when the customer left no address."""
        if not stored.order.customer.email:
            return None
        return Message(
            to=stored.order.customer.email,
            subject=f"{step.template}|{step.subject}|{'' if step.amount is None else step.amount}",
            text="",
            message_id=f"{step.order_id}.{step.template}.{step.n}",
        )


class Shop:
    """Everything of one seed."""

    def __init__(self, seed: str, size: int, workflow: type, story: Story | None = None) -> None:
        rng = random.Random(seed)
        self.seed, self.workflow, self.story = seed, workflow, story
        self.calms_down = rng.random() < 0.5
        self.luck = Luck(f"{seed}/luck", weather(rng))
        start = datetime(*rng.choice(YEAR_ENDS), rng.randint(0, 23), tzinfo=UTC)
        self.agenda = Agenda(start)
        self.faults = Faults(
            agenda=self.agenda, luck=self.luck, strength=rng.choice((0, 0.5, 1, 2))
        )
        now = self.agenda.now
        self.store = MemoryStore(now, self.faults)
        self.payments = FakePaymentGateway(now, self.faults)
        self.payments.several_captures = rng.random() < 0.7
        self.payments.life = timedelta(days=rng.choice((1, 3, 7, 7)))
        self.carrier = FakeCarrier(now, self.faults)
        self.warehouse = FakeWarehouse(now, self.faults)
        self.mailer = FakeMailer(now, self.faults)
        self.vendor = FakeFraudVendor(now, self.faults)
        self.cases: dict[str, Case] = {}
        self.received: Counter[tuple[str, str]] = Counter()
        self._stock_up(start, rng)
        outside = Outside(
            store=AskedByActivities(self.store, self.luck),
            gateways={"fake": self.payments},
            carrier=self.carrier,
            warehouse=self.warehouse,
            mailer=self.mailer,
            composer=PlainComposer(),
            vendors={"vendor": self.vendor},
        )
        steps = Steps(activities(outside, now), self.agenda, self.luck)
        self.plant = Plant(self.agenda, self.luck, steps)
        self.promises = Promises(self)
        self.road = Road(self)
        self.floor = Floor(self)
        self.operators = Operators(self)
        self.customers = Customers(self)
        self.town = Town(self)
        self.plant.watchers += [self.promises, self.operators]
        if story:
            self.plant.watchers.append(story)
        self.storefront = Storefront(self, size)
        self.storefront.open()
        self.town.begin()

    def _stock_up(self, start: datetime, rng: random.Random) -> None:
        """Set up what the shop sells, where it lies and by which rules."""
        self.places = places(rng)
        self.policy: Policy = policy(rng)
        self.grace = self.policy.grace[0].seconds
        self.margin = timedelta(seconds=self.policy.payment.expiry_margin)
        self.store.save_policy(self.policy, "shop", start)
        for product in products(start, rng):
            self.store.save_product(product)
        for place in self.places:
            self.store.save_location(place)
        for sku, place_code, units in shelves(self.places, rng):
            self.store.receive(
                sku, place_code, units,
                reason=MovementReason.INITIAL, key=f"first-{sku}-{place_code}", actor="shop",
            )  # fmt: skip
            self.received[sku, place_code] += units

    # what everybody asks of the shop

    @property
    def all_cases(self) -> list[Case]:
        """All orders."""
        return list(self.cases.values())

    def start(self, case: Case, ref: OrderRef) -> None:
        """Start an order's process."""
        rng = self.luck.rng
        case.execution = Execution(
            self.plant, self.workflow, ref, rng.getrandbits(31), rng.random() < 0.5
        )
        self.plant.executions.append(case.execution)

    def signal(self, case: Case, milestone: Milestone) -> None:
        """Send a milestone to an order, as the API does."""
        self.say(case, f"told {milestone.kind} {milestone.subject} {_units(milestone)}".rstrip())
        if case.execution:
            case.execution.signal("milestone", milestone)

    def ask(self, case: Case, command: str, ask: Any, key: str, told: Told) -> None:
        """Send a command; when nobody works, half of those who ask must ask again."""
        if case.execution is None:
            return
        if not self.plant.at_work and self.luck.rng.random() < 0.5:
            self.luck.count("asked while nobody worked")
            due = self.luck.rng.uniform(1, 4000)
            self.agenda.after(due, self.ask, case, command, ask, key, told)
            return
        self.say(case, f"asked [{key}] {command} {ask!r}")
        case.execution.ask(command, ask, key, self._heard(case, command, ask, key, told))

    def ask_again(self, case: Case, command: str, ask: Any, key: str) -> None:
        """Send the same command under the same key; what it answers must be the same."""

        def compare(answer: Answer) -> None:
            first = case.answers.get(key)
            same = answer == first or "not_found" in (answer.kind, first and first.kind)
            refused = answer.kind == "refused" or (first and first.kind == "refused")
            must(first is None or same or bool(refused), "L4", case.order_id, key, first, answer)

        if case.execution:
            case.execution.ask(command, ask, key, compare)

    def _heard(self, case: Case, command: str, ask: Any, key: str, told: Told) -> Told:
        def hear(answer: Answer) -> None:
            self.say(case, f"answered [{key}] {answer.kind} {answer.code} {answer.value}")
            self.luck.count(f"answer {answer.kind}")
            case.answers[key] = answer
            must(answer.kind != "unfinished", "L4", case.order_id, key, "never got its answer")
            if command == "change_address" and answer.kind == "done":
                case.address = ask.address
            told(answer)

        return hear

    def say(self, case: Case | None, text: str) -> None:
        """Add a line to the story, when one is told."""
        if self.story:
            self.story.line(self.agenda.now(), case.order_id if case else "", text)

    # what checks want to know

    def order_of(self, case: Case) -> PlacedOrder:
        """Return an order as it is stored now: lines may have been added."""
        stored = self.store.get(case.order_id)
        return stored.order if stored else case.order

    def ordered(self, case: Case) -> dict[str, int]:
        """Return the units that were ordered, by line."""
        return {line.line_id: line.quantity for line in case.order.lines}

    def bank_knows(self, case: Case) -> bool:
        """Whether all of an order's money is at the provider that we call."""
        payment = case.order.payment
        return payment.form is PaymentForm.METHOD or bool(payment.reference)

    def check_end(self) -> None:
        """Check what is left when nothing happens any more (L5, S2)."""
        for case in self.all_cases:
            if not case.execution.ended:
                state = case.execution.instance and case.execution.instance.order.state
                holds = list(state.holds.values()) if state else "?"
                text = f"never ended; {state and state.status()}, holds {holds}"
                must(False, "L5", case.order_id, text)
        for sku in {sku for sku, _ in self.received}:
            for level in self.store.levels(sku):
                must(level.reserved == 0, "S2", "", f"reserved for nobody: {level}")

    def alerts(self, case: Case) -> set[str]:
        """Return the kinds of what the operators were told of an order."""
        return {row["kind"] for row in self.store.books.alerts(case.order_id)}


def weather(rng: random.Random) -> Weather:
    """Return how much goes wrong in a shop: a third of them have a calm day."""
    bad = rng.choice((0, 0.3, 1, 2))
    return Weather(
        dies=0.01 * bad,
        stalls=0.004 * bad,
        answer_lost=0.01 * bad,
        task_lost=0.01 * bad,
        evicted=0.01 * bad,
        heartbeat=0.3,
        slow=0.01 * bad,
        deaths=rng.choice((0, 0, 1, 3)),
        outages=rng.choice((0, 0, 1, 2)),
    )


def _units(milestone: Milestone) -> str:
    return " ".join(f"{line.line_id}:{line.quantity}" for line in milestone.lines)
