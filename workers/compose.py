"""The composition root: builds every provider, store and activity from settings. Nothing connects
at import time, and a provider that cannot be built stops start-up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from activities.fraud import FraudActivities
from activities.messages import MessageActivities
from activities.orders import OrderActivities
from activities.payments import PaymentActivities
from activities.shipping import CarrierActivities, WarehouseActivities
from adapters.addresses.geo import locate
from adapters.addresses.i18n import faults_of
from adapters.messages.compose import MailComposer
from adapters.providers import build
from adapters.rules.order_rules import CelOrderRules
from adapters.security.links import Links
from adapters.settings import Settings
from contracts.orders import CARRIERS, MESSAGES, ORDERS, PAYMENTS, WAREHOUSES
from ports.carriers import Carrier
from ports.fraud import FraudVendor
from ports.messages import Composer, Mailer
from ports.payments import PaymentGateway
from ports.stores import Store
from ports.warehouses import Warehouse
from store.database import open_store

Activities = dict[str, list[Callable[..., Any]]]
"""Task queue → the activities that its workers do."""


@dataclass(frozen=True)
class Outside:
    """Everything that touches the world; tests put fakes here."""

    store: Store
    gateways: dict[str, PaymentGateway]
    carrier: Carrier
    warehouse: Warehouse
    mailer: Mailer
    composer: Composer
    vendors: dict[str, FraudVendor]
    public_url: str = ""


def now() -> datetime:
    """Return the time, timezone-aware UTC."""
    return datetime.now(UTC)


def outside(settings: Settings) -> Outside:
    """Build the real world from settings.

    Raises:
        DomainError: a provider is unknown or cannot be built; names it.
    """
    secrets = [secret.get_secret_value() for secret in settings.link_secrets]
    fraud = settings.fraud
    return Outside(
        store=open_store(settings.database_url.get_secret_value()),
        gateways={settings.payments: build("payments", settings.payments, settings)},
        carrier=build("carriers", settings.carriers, settings),
        warehouse=build("warehouses", settings.warehouse, settings),
        mailer=build("mailers", settings.mailer, settings),
        composer=MailComposer(Links(secrets), settings.public_url, now),
        public_url=settings.public_url,
        vendors={fraud: build("fraud", fraud, settings)} if fraud else {},
    )


def activities(world: Outside, clock: Callable[[], datetime] = now) -> Activities:
    """Return all activities by task queue."""
    orders = OrderActivities(
        world.store, CelOrderRules(), faults_of, locate, clock, world.public_url
    )
    fraud = FraudActivities(world.vendors, world.store)
    payments = PaymentActivities(world.gateways, world.store, world.store)
    carriers = CarrierActivities(world.carrier, world.store)
    warehouses = WarehouseActivities(world.warehouse, world.store)
    messages = MessageActivities(world.mailer, world.composer, world.store)
    return {
        ORDERS: [
            orders.screen,
            orders.place,
            orders.amend,
            orders.record,
            orders.last_scan,
            fraud.grade,
        ],
        PAYMENTS: [
            payments.authorise,
            payments.adopt,
            payments.capture,
            payments.void,
            payments.refund,
            payments.find,
            payments.retrieve,
        ],
        CARRIERS: [carriers.buy, carriers.void],
        WAREHOUSES: [warehouses.release, warehouses.stop, warehouses.expect],
        MESSAGES: [messages.send],
    }
