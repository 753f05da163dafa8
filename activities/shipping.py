"""Carrier and warehouse steps. Addresses are read here, never carried in a payload."""

import asyncio

from temporalio import activity

from activities.effects import Effects
from activities.errors import translated
from contracts.steps import (
    LabelBought,
    LabelStep,
    ReturnStep,
    VoidLabel,
    WarehouseStep,
)
from domain.errors import EffectRefused
from domain.order import Address, Order
from domain.progress import LineUnits
from ports.carriers import Carrier, Label, LabelRequest
from ports.stores import Store, StoredOrder
from ports.warehouses import ExpectedReturn, PickLine, PickOrder, Warehouse


class CarrierActivities:
    """Labels: bought once per parcel, kept in the database, voided when not used."""

    def __init__(self, carrier: Carrier, store: Store) -> None:
        self._carrier = carrier
        self._store = store
        self._effects = Effects(store)

    @activity.defn(name="buy_label")
    async def buy(self, step: LabelStep) -> LabelBought:
        """Buy a label and keep its document."""
        stored, place = await asyncio.to_thread(_order_and_place, self._store, step)
        ends = (place, _destination(stored))
        origin, destination = reversed(ends) if step.is_return else ends
        request = LabelRequest(
            order_id=step.order_id,
            subject=step.subject,
            origin=origin,
            destination=destination,
            parcel=step.parcel,
            service=step.service,
            within_days=step.within_days,
            is_return=step.is_return,
        )
        label: Label = await self._effects.make(
            step.order_id,
            "label",
            step.n,
            {"subject": step.subject},
            lambda key: self._carrier.buy(request, key=key),
        )
        await self._keep_document(step, label)
        return LabelBought(
            label_id=label.label_id,
            carrier=label.carrier,
            service=label.service,
            tracking_number=label.tracking_number,
            tracking_url=label.tracking_url,
            cost=label.cost.amount,
            currency=label.cost.currency,
            expected_on=label.expected_on,
        )

    async def _keep_document(self, step: LabelStep, label: Label) -> None:
        """Keep the label's PDF; a label that cannot be printed is given back."""
        with translated():
            try:
                document = await self._carrier.document(label)
            except EffectRefused:
                give_back = VoidLabel(
                    order_id=step.order_id, n=step.n, subject=step.subject, label_id=label.label_id
                )
                await self.void(give_back)
                raise
            await asyncio.to_thread(
                self._store.save_label,
                step.subject,
                step.order_id,
                label.tracking_number,
                document,
            )

    @activity.defn(name="void_label")
    async def void(self, step: VoidLabel) -> bool:
        """Ask a label's money back; False when the carrier refuses."""
        return await self._effects.make(
            step.order_id,
            "void_label",
            step.n,
            {"subject": step.subject, "label": step.label_id},
            lambda key: self._carrier.void(step.label_id, key=key),
        )


class WarehouseActivities:
    """What we ask of a warehouse: send, stop, expect back."""

    def __init__(self, warehouse: Warehouse, store: Store) -> None:
        self._warehouse = warehouse
        self._store = store
        self._effects = Effects(store)

    @activity.defn(name="release_shipment")
    async def release(self, step: WarehouseStep) -> None:
        """Hand a shipment to its warehouse to be picked."""
        stored = await asyncio.to_thread(_order, self._store, step.order_id)
        pick = PickOrder(
            shipment_id=step.shipment_id,
            order_id=step.order_id,
            location=step.location,
            lines=_pick_lines(stored.order, step.lines),
            ship_to=_destination(stored),
            ship_by=step.ship_by,
            note=stored.order.note[:500],
        )
        await self._effects.make(
            step.order_id,
            "release",
            step.n,
            {"subject": step.shipment_id},
            lambda _key: self._warehouse.release(pick),
        )

    @activity.defn(name="stop_shipment")
    async def stop(self, step: WarehouseStep) -> bool:
        """Ask the warehouse to stop all or some lines of a shipment; False when too late."""
        stored = await asyncio.to_thread(_order, self._store, step.order_id)
        return await self._effects.make(
            step.order_id,
            "stop",
            step.n,
            {"subject": step.shipment_id},
            lambda key: self._warehouse.cancel(
                step.shipment_id, _pick_lines(stored.order, step.lines), key=key
            ),
        )

    @activity.defn(name="expect_return")
    async def expect(self, step: ReturnStep) -> None:
        """Announce a return to its location."""
        stored = await asyncio.to_thread(_order, self._store, step.order_id)
        expected = ExpectedReturn(
            return_id=step.return_id,
            order_id=step.order_id,
            location=step.location,
            tracking_number=step.tracking_number,
            lines=_pick_lines(stored.order, step.lines),
        )
        await self._effects.make(
            step.order_id,
            "expect",
            step.n,
            {"subject": step.return_id},
            lambda _key: self._warehouse.expect_return(expected),
        )


def _order(store: Store, order_id: str) -> StoredOrder:
    with translated():
        stored = store.get(order_id)
        if stored is None:
            raise EffectRefused(f"{order_id} is not in the database", "order_unknown")
        return stored


def _order_and_place(store: Store, step: LabelStep) -> tuple[StoredOrder, Address]:
    with translated():
        stored = _order(store, step.order_id)
        for location in store.locations():
            if location.code == step.location:
                return stored, location.address
        raise EffectRefused(f"location {step.location} is unknown", "location_unknown")


def _destination(stored: StoredOrder) -> Address:
    address = stored.ship_to or stored.order.ship_to
    with translated():
        if address is None:
            raise EffectRefused("the order has no delivery address", "no_address")
        return address


def _pick_lines(order: Order, lines: tuple[LineUnits, ...]) -> tuple[PickLine, ...]:
    known = {line.line_id: line for line in order.lines}
    return tuple(
        PickLine(
            line_id=line.line_id,
            sku=known[line.line_id].sku,
            quantity=line.quantity,
            title=known[line.line_id].title,
        )
        for line in lines
    )
