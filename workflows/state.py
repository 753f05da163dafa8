"""What the order workflow holds in memory. Every change is one synchronous step.

The state never awaits: handlers and the main line call it to decide, and only then wait for
anything (TEMPORAL.md T1). What the database must learn gathers in ``events`` and ``moves`` until
the next ``publish``.
"""

from datetime import datetime, timedelta

from contracts.steps import LineFacts, PaymentFacts, Screened
from domain.ledger import Held, collectable, due, given_back_for
from domain.progress import (
    LineProgress,
    LineUnits,
    MoneyProgress,
    OrderProgress,
    OrderStatus,
    ReturnProgress,
    ShipmentProgress,
    ShipmentStatus,
)
from domain.status import money_status, order_status
from domain.stock import Bar, Queued, StockAction, StockMove
from domain.units import CANCELLABLE, Units, UnitState
from workflows.book import Book

ON_THE_WAY = frozenset(
    {
        ShipmentStatus.RELEASED,
        ShipmentStatus.PICKED,
        ShipmentStatus.PACKED,
        ShipmentStatus.LABELLED,
        ShipmentStatus.HANDED_OVER,
    }
)


class OrderState(Book):
    """The units, holds, parcels, returns and money of one order."""

    def __init__(self, order_id: str) -> None:
        super().__init__()
        self.order_id = order_id
        self.facts: Screened | None = None
        self.lines: dict[str, LineProgress] = {}
        self.line_facts: dict[str, LineFacts] = {}
        self.shipments: dict[str, ShipmentProgress] = {}
        self.returns: dict[str, ReturnProgress] = {}
        self.payments: list[Held] = []
        self.paid: PaymentFacts | None = None
        self.bars: list[Bar] = []
        self.fees = 0
        self.voided = False
        self.given_up = False
        self.action_required = False
        self.accepted = False
        self.rejected = False
        self.ended: OrderStatus | None = None
        self.ended_at: datetime | None = None
        self.cancel_reason = ""
        self.grade = ""
        self.problems: tuple[tuple[str, str], ...] = ()
        self.promise: datetime | None = None
        self.grace_until: datetime | None = None
        self.return_until: datetime | None = None
        self.allocation_no = 0
        self.version = 0
        self.moves: list[StockMove] = []

    # accepting

    def take(self, facts: Screened) -> None:
        """Take over what screening found; lines already under way keep their units."""
        self.facts = facts.model_copy(update={"payment": self.paid or facts.payment})
        for fact in facts.lines:
            self.line_facts[fact.line_id] = fact
            if fact.line_id not in self.lines:
                self.add((fact,))

    # units

    def move_all(self, lines: tuple[LineUnits, ...], source: UnitState, target: UnitState) -> None:
        """Move units of several lines along one arrow."""
        for line in lines:
            self.move(line.line_id, source, target, line.quantity)

    def move(self, line_id: str, source: UnitState, target: UnitState, quantity: int) -> None:
        """Move units of one line along one arrow."""
        line = self.lines[line_id]
        self.lines[line_id] = line.model_copy(
            update={"units": line.units.move(source, target, quantity)}
        )

    def give_back(self, line: LineUnits, source: UnitState, with_shipping: bool) -> None:
        """Move units to returned and note what they are worth to the customer."""
        kept = 0 if with_shipping else self.line_facts[line.line_id].shipping
        value = given_back_for(self.lines[line.line_id], line.quantity, kept)
        self.move(line.line_id, source, UnitState.RETURNED, line.quantity)
        progress = self.lines[line.line_id]
        self.lines[line.line_id] = progress.model_copy(
            update={"given_back": progress.given_back + value}
        )

    def add(self, facts: tuple[LineFacts, ...]) -> None:
        """Take over lines that were added after placement."""
        for fact in facts:
            self.line_facts[fact.line_id] = fact
            self.lines[fact.line_id] = LineProgress(
                line_id=fact.line_id,
                sku=fact.sku,
                units=Units(open=fact.quantity, cancelled=fact.before),
                before=fact.before,
                total=fact.total,
                collect=fact.collect,
                parcel=fact.parcel,
            )

    def uncancelled(self) -> tuple[LineUnits, ...]:
        """Return all units that are to be paid for, wherever they are."""
        return tuple(
            LineUnits(line_id=line.line_id, quantity=collectable(line))
            for line in self.lines.values()
        )

    def travelling(self) -> bool:
        """Whether a parcel is still on its way, or on its way to the carrier."""
        return any(line.units.shipped for line in self.lines.values()) or any(
            one.status in ON_THE_WAY for one in self.shipments.values()
        )

    def planned_or_moving(self) -> bool:
        """Whether any parcel is planned or under way."""
        return bool(self.planned()) or self.travelling()

    def open_return_window(self, delivered_at: datetime) -> None:
        """Let returns come in until the window after the last delivery has passed."""
        if self.facts:
            end = delivered_at + timedelta(seconds=self.facts.terms.return_window)
            self.return_until = max(end, self.return_until or end)

    def standing(self, state: UnitState, parcel: bool = True) -> tuple[LineUnits, ...]:
        """Return the units that stand in a state, by line."""
        return tuple(
            LineUnits(line_id=line.line_id, quantity=quantity)
            for line in self.lines.values()
            if line.parcel == parcel and (quantity := int(getattr(line.units, state.value)))
        )

    @property
    def live(self) -> int:
        """Units still to be brought to the customer."""
        return sum(line.units.live for line in self.lines.values())

    @property
    def over(self) -> bool:
        """Whether nothing is left to do for the customer before the returns."""
        done = self.given_up or (bool(self.lines) and self.live == 0)
        return self.ended is not None or done

    @property
    def called_off(self) -> bool:
        """Whether every unit was cancelled before anything left, or there was none to begin with
        and the order was given up."""
        gone = self.given_up or (bool(self.lines) and self.all_cancelled())
        return self.ended is not None or gone

    def all_cancelled(self) -> bool:
        """Whether every ordered unit was cancelled."""
        return all(line.units.cancelled == line.units.ordered for line in self.lines.values())

    # stock

    def stock(
        self, action: StockAction, shipment: ShipmentProgress, lines: tuple[LineUnits, ...]
    ) -> None:
        """Note what reserved units of a shipment become; the database learns it at publish."""
        self.stock_at(action, shipment.location, lines)

    def stock_at(self, action: StockAction, location: str, lines: tuple[LineUnits, ...]) -> None:
        """Note a stock change of these units at a location, a kit by its components."""
        for line in lines:
            for sku, each in self.line_facts[line.line_id].components:
                self.moves.append(
                    StockMove(
                        key=f"{self.order_id}:stock:{self.draw('effect')}",
                        action=action,
                        line_id=line.line_id,
                        sku=sku,
                        location=location,
                        quantity=each * line.quantity,
                        before=self.allocation_no,
                    )
                )

    def queue(self) -> tuple[Queued, ...]:
        """Return the order's place in the queue for stock."""
        facts = self.facts
        if facts is None:
            return ()
        return tuple(
            Queued(
                order_id=self.order_id,
                line_id=line.line_id,
                sku=sku,
                quantity=line.quantity * each,
                priority=facts.priority,
                since=facts.placed_at,
            )
            for line in self.standing(UnitState.BACKORDERED)
            for sku, each in self.line_facts[line.line_id].components
        )

    # shipments

    def update(self, shipment_id: str, **changes: object) -> ShipmentProgress:
        """Change a shipment and return it."""
        self.shipments[shipment_id] = self.shipments[shipment_id].model_copy(update=changes)
        return self.shipments[shipment_id]

    def drop_from(self, shipment_id: str, lines: tuple[LineUnits, ...]) -> None:
        """Take units out of a shipment that has not left; an empty one is cancelled."""
        gone = {line.line_id: line.quantity for line in lines}
        left = tuple(
            LineUnits(line_id=line.line_id, quantity=rest)
            for line in self.shipments[shipment_id].lines
            if (rest := line.quantity - gone.get(line.line_id, 0)) > 0
        )
        self.update(shipment_id, lines=left or self.shipments[shipment_id].lines)
        if not left:
            self.update(shipment_id, status=ShipmentStatus.CANCELLED)

    def planned(self) -> list[str]:
        """Return the shipments that nobody works on yet."""
        return [
            one.shipment_id
            for one in self.shipments.values()
            if one.status is ShipmentStatus.PLANNED
        ]

    # projection

    @property
    def currency(self) -> str:
        """The order's currency; ISO 4217's code for none until the order is read."""
        return self.facts.currency if self.facts else "XXX"

    def money(self) -> MoneyProgress:
        """Return where the order's money is."""
        facts = self.facts
        money = MoneyProgress(
            currency=self.currency,
            due=due(self.lines.values()),
            authorised=sum(one.capturable for one in self.payments),
            captured=sum(one.captured for one in self.payments),
            refunded=sum(one.refunded for one in self.payments),
            fees=self.fees,
            provider=facts.payment.provider if facts else "",
            expires_at=min(
                (p.expires_at for p in self.payments if p.capturable and p.expires_at),
                default=None,
            ),
        )
        return money.model_copy(
            update={"status": money_status(money, self.voided, self.action_required)}
        )

    def status(self) -> OrderStatus:
        """Return the order's derived status."""
        return order_status(
            (line.units for line in self.lines.values()),
            list(self.holds.values()),
            self.ended,
            self.accepted or self.was_held,
        )

    def progress(self) -> OrderProgress:
        """Return the whole picture at the present version."""
        return OrderProgress(
            order_id=self.order_id,
            version=self.version,
            status=self.status(),
            lines=tuple(self.lines.values()),
            holds=tuple(self.holds.values()),
            money=self.money(),
            shipments=tuple(self.shipments.values()),
            returns=tuple(self.returns.values()),
            grade=self.grade,
            problems=self.problems,
            promise=self.promise.date() if self.promise else None,
            grace_until=self.grace_until,
            return_until=self.return_until,
            cancel_reason=self.cancel_reason,
            ended_at=self.ended_at,
        )

    def cancellable(self, line_id: str) -> int:
        """Return how many units of a line we can cancel without asking anybody."""
        units = self.lines[line_id].units
        return sum(int(getattr(units, state.value)) for state in CANCELLABLE)
