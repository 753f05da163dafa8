"""In-house steps: screening, placing, recording. Each is one local activity; no network."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from temporalio import activity

from activities.amending import facts_of_added, problems_of_added, with_added
from activities.errors import translated
from activities.screening import facts_of
from contracts.steps import (
    Amend,
    Amended,
    LastScan,
    Parcels,
    Placed,
    PlacedShipment,
    PlaceRequest,
    Record,
    Screen,
    Screened,
)
from domain.calendar import start_of
from domain.clock import Clock
from domain.errors import EffectRefused, ProviderUnavailable
from domain.grading import grade
from domain.order import Order
from domain.placement import Plan, plan
from domain.policy import Policy
from domain.progress import LineUnits
from domain.stock import Allocation, Product
from domain.validation import Problem, problems_of
from domain.wants import Kits, Parts, allocations_of, parts_of, wants_of
from ports.rules import AddressCheck, Geocoder, OrderRules
from ports.stores import Store, StoredOrder

SOFT = "order"
"""The field of problems about the order as a whole; an operator may wave them through."""


class OrderActivities:
    """What the process asks of our own database and rules."""

    def __init__(
        self,
        store: Store,
        rules: OrderRules,
        check_address: AddressCheck,
        locate: Geocoder,
        now: Clock,
        public_url: str = "",
    ) -> None:
        self._store = store
        self._rules = rules
        self._check_address = check_address
        self._locate = locate
        self._now = now
        self._public_url = public_url.rstrip("/")

    @activity.defn(name="screen")
    def screen(self, ask: Screen) -> Screened:
        """Validate and grade an order; every problem at once."""
        with translated():
            stored = self._stored(ask.order_id)
            _, policy = self._store.policy(stored.policy_version)
            products = self._products(stored.order)
            problems = [
                problem
                for problem in self._problems(stored, policy, products)
                if problem[0] not in ask.waived
            ]
            conditions = [rule.when for rule in policy.grading.rules]
            holding = self._rules.holding(conditions, stored.order)
            verdict, score, reasons = grade(policy.grading, holding)
            facts = facts_of(stored, policy, products, self._now())
            return facts.model_copy(
                update={
                    "problems": tuple(problems),
                    "grade": verdict,
                    "score": score,
                    "reasons": reasons,
                    "page": f"{self._public_url}/orders/{ask.order_id}",
                }
            )

    @activity.defn(name="place")
    def place(self, ask: PlaceRequest) -> Placed:
        """Route units and reserve them: all of a plan or none of it."""
        with translated():
            stored = self._stored(ask.order_id)
            _, policy = self._store.policy(stored.policy_version)
            kits = self._kits(stored, ask.lines)
            placed = self._already(ask, kits) or self._reserve(ask, stored, policy, kits)
            return self._without_backorder(placed, policy, kits) if placed.backordered else placed

    @activity.defn(name="amend")
    def amend(self, ask: Amend) -> Amended:
        """Write a new address or added lines; what is wrong with them is answered, not written."""
        with translated():
            stored = self._stored(ask.order_id)
            _, policy = self._store.policy(stored.policy_version)
            if ask.address is not None:
                faults = self._check_address(ask.address) if policy.validation.check_address else ()
                if faults:
                    return Amended(problems=tuple(faults))
                self._store.change_address(ask.order_id, ask.address, self._now())
                return Amended()
            known = {line.line_id for line in stored.order.lines}
            added = [line for line in ask.add if line.line_id not in known]
            products = self._store.products({line.sku for line in ask.add})
            problems = problems_of_added(added, products)
            if problems:
                return Amended(problems=problems)
            order = with_added(stored.order, added)
            self._store.change_lines(ask.order_id, order, self._now())
            return Amended(lines=facts_of_added(order, ask.add, products))

    @activity.defn(name="record")
    def record(self, record: Record) -> None:
        """Write projection, history and stock moves in one transaction."""
        with translated():
            self._store.project(
                record.progress, record.events, record.moves, record.queue, record.at
            )
            if record.alert:
                kind, text = record.alert
                self._store.alert(kind, record.progress.order_id, text, self._now())

    @activity.defn(name="last_scan")
    def last_scan(self, ask: Parcels) -> LastScan:
        """Return when a parcel was last seen."""
        with translated():
            scans = self._store.scans(ask.tracking_number)
            newest = max(scans, key=lambda scan: scan.at, default=None)
            return LastScan(at=newest.at, state=newest.state) if newest else LastScan()

    def _stored(self, order_id: str) -> StoredOrder:
        stored = self._store.get(order_id)
        if stored is None:
            raise EffectRefused(f"{order_id} is not in the database", "order_unknown")
        return stored

    def _products(self, order: Order) -> dict[str, Product]:
        """Return what the order names, and what kits among it are made of."""
        skus = {line.sku for line in order.lines}
        skus |= {part.sku for line in order.lines for part in line.components}
        products = self._store.products(skus)
        parts = {part.sku for product in products.values() for part in product.components}
        return products | self._store.products(parts - products.keys())

    def _problems(
        self, stored: StoredOrder, policy: Policy, products: Mapping[str, Product]
    ) -> list[Problem]:
        order = stored.order.model_copy(update={"ship_to": stored.ship_to or stored.order.ship_to})
        since = order.placed_at - timedelta(seconds=policy.validation.duplicate_window)
        twins = self._store.duplicates(order, since) if policy.validation.duplicate_window else ()
        found = list(problems_of(order, policy, products, twins))
        if order.ship_to and policy.validation.check_address:
            found += [
                (f"ship_to.{name}", text) for name, text in self._check_address(order.ship_to)
            ]
        holding = self._rules.holding([rule.when for rule in policy.validation.rules], order)
        for rule, holds in zip(policy.validation.rules, holding, strict=True):
            if holds is not False:
                found.append((rule.field, rule.message))
        return found

    def _kits(self, stored: StoredOrder, lines: Sequence[LineUnits]) -> Kits:
        wanted = {line.line_id for line in lines}
        skus = {line.sku for line in stored.order.lines if line.line_id in wanted}
        products = self._store.products(skus)
        return {
            line.line_id: (
                line.sku,
                parts_of(
                    line.sku,
                    line.components
                    or (products[line.sku].components if line.sku in products else ()),
                ),
            )
            for line in stored.order.lines
            if line.line_id in wanted
        }

    def _already(self, ask: PlaceRequest, kits: Kits) -> Placed | None:
        """Return the placement of an earlier attempt whose answer was lost."""
        mine = [one for one in self._store.reserved(ask.order_id) if one.n >= ask.n]
        return _placed(ask, kits, mine) if mine else None

    def _reserve(
        self, ask: PlaceRequest, stored: StoredOrder, policy: Policy, kits: Kits
    ) -> Placed:
        address = stored.ship_to or stored.order.ship_to
        near = self._locate(address) if address and policy.routing.strategy == "closest" else None
        skus = {sku for _, parts in kits.values() for sku, _ in parts}
        locations = self._store.locations()
        expires_at = self._needed_until(stored, policy)
        wants = wants_of(kits, ask.lines)
        for _ in range(20):
            levels = self._store.snapshot(skus)
            found: Plan = plan(wants, levels, locations, policy.routing, ask.bars, near)
            allocations = allocations_of(kits, found.parts, ask.n)
            if not allocations or not self._store.reserve(ask.order_id, allocations, expires_at):
                return _placed(ask, kits, allocations, found.left_out)
        raise ProviderUnavailable("stock changes faster than it can be reserved")

    def _without_backorder(self, placed: Placed, policy: Policy, kits: Kits) -> Placed:
        """Tell what is short and may wait for stock from what may not."""
        known = self._store.products(
            {sku for own, parts in kits.values() for sku in _all(own, parts)}
        )
        never = {sku for sku, product in known.items() if not product.backorder}
        short = placed.backordered
        waits = {
            one.line_id
            for one in short
            if policy.routing.backorder and not never & _all(*kits[one.line_id])
        }
        return placed.model_copy(
            update={
                "backordered": tuple(one for one in short if one.line_id in waits),
                "unavailable": tuple(one for one in short if one.line_id not in waits),
            }
        )

    def _needed_until(self, stored: StoredOrder, policy: Policy) -> datetime:
        """Return when reservations end: they outlast the wished date and the launch of the rest."""
        products = self._store.products({line.sku for line in stored.order.lines})
        waits = [one.launch_on for one in products.values()] + [stored.order.deliver_on]
        last = max([self._now(), *(start_of(day) for day in waits if day)])
        return last + timedelta(seconds=policy.routing.reservation_ttl)


def _all(sku: str, parts: Parts) -> set[str]:
    return {sku, *(part for part, _ in parts)}


def _placed(
    ask: PlaceRequest,
    kits: Kits,
    allocations: Sequence[Allocation],
    left_out: tuple[tuple[str, str], ...] = (),
) -> Placed:
    """Read a placement off its reservations: one shipment per location, the rest backordered."""
    at: dict[str, dict[str, int]] = {}
    for one in allocations:
        sku, each = kits[one.line_id][1][0]
        if one.sku == sku:
            lines = at.setdefault(one.location, {})
            lines[one.line_id] = lines.get(one.line_id, 0) + one.quantity // each
    filled: dict[str, int] = {}
    for lines in at.values():
        for line_id, quantity in lines.items():
            filled[line_id] = filled.get(line_id, 0) + quantity
    return Placed(
        shipments=tuple(
            PlacedShipment(
                location=location,
                lines=tuple(LineUnits(line_id=k, quantity=v) for k, v in sorted(lines.items())),
            )
            for location, lines in sorted(at.items())
        ),
        backordered=tuple(
            LineUnits(line_id=line.line_id, quantity=rest)
            for line in ask.lines
            if (rest := line.quantity - filled.get(line.line_id, 0)) > 0
        ),
        n=ask.n + len(allocations),
        left_out=left_out,
    )
