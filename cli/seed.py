"""A small shop to begin with: locations, products, stock, and a policy at a pace one can watch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import httpx

from adapters.security.api_keys import Scope, create
from domain.frozen import Wire
from domain.order import Address, Component
from domain.policy import DAY, GraceRule, MessagePolicy, Policy, ReturnPolicy
from domain.stock import Location, MovementReason, Product
from ports.stores import AccessStore, Store

ACTOR = "cli:seed"


@dataclass(frozen=True)
class Pace:
    """How fast the shop and the world around it go, in seconds. Set by policy and by the testbed's
    settings, never by code."""

    grace: int
    vip_grace: int
    return_window: int
    warehouse_step: float
    carrier_step: float
    drop_off: float

    def testbed(self) -> Mapping[str, float]:
        """Return the testbed's settings for this pace."""
        return {
            "warehouse_step_seconds": self.warehouse_step,
            "carrier_step_seconds": self.carrier_step,
            "auto_drop_off_seconds": self.drop_off,
            "label_poll_seconds": min(1.0, self.warehouse_step),
        }


WATCHABLE = Pace(
    grace=60, vip_grace=120, return_window=30 * DAY, warehouse_step=5, carrier_step=10, drop_off=20
)
"""``waybill up``: an order is at the customer after two to three minutes."""

HURRIED = Pace(
    grace=3, vip_grace=20, return_window=6, warehouse_step=0.3, carrier_step=0.4, drop_off=0.5
)
"""``waybill demo``: every scenario ends within seconds."""


class Seeded(Wire):
    """What the shop has now."""

    locations: int
    products: int
    levels: int
    policy_version: int


def _address(company: str, street: str, city: str, region: str, code: str) -> Address:
    return Address(
        company=company, line1=street, city=city, region=region, postal_code=code, country="US",
        phone="+1 201 555 0100",
    )  # fmt: skip


LOCATIONS = (
    Location(
        code="EAST", name="Edison", priority=0, time_zone="America/New_York",
        address=_address("Waybill East", "100 Raritan Parkway", "Edison", "NJ", "08837"),
        latitude=40.51, longitude=-74.36,
    ),
    Location(
        code="SOUTH", name="Memphis", priority=1, time_zone="America/Chicago",
        address=_address("Waybill South", "4000 Air Park Street", "Memphis", "TN", "38118"),
        latitude=35.05, longitude=-89.93,
    ),
    Location(
        code="WEST", name="Reno", priority=2, time_zone="America/Los_Angeles",
        address=_address("Waybill West", "700 Milestone Drive", "Reno", "NV", "89502"),
        latitude=39.50, longitude=-119.77,
    ),
)  # fmt: skip

GOODS: Mapping[str, tuple[str, int, Mapping[str, int]]] = {
    "MUG-BLUE": ("Mug, blue", 380, {"EAST": 200, "WEST": 120}),
    "MUG-WHITE": ("Mug, white", 380, {"EAST": 150, "SOUTH": 80}),
    "KETTLE-1L": ("Kettle, 1 litre", 900, {"EAST": 40, "WEST": 25}),
    "GRINDER-HAND": ("Hand grinder", 650, {"EAST": 30, "SOUTH": 20}),
    "DRIPPER-CERAMIC": ("Dripper, ceramic", 500, {"EAST": 90, "WEST": 60}),
    "FILTER-100": ("Paper filters, 100", 180, {"EAST": 500, "SOUTH": 300, "WEST": 300}),
    "BEANS-ESPRESSO": ("Espresso beans, 1 kg", 1000, {"EAST": 120, "SOUTH": 120}),
    "BEANS-FILTER": ("Filter beans, 1 kg", 1000, {"EAST": 140, "WEST": 90}),
    "SCALE-POCKET": ("Pocket scale", 210, {"EAST": 35}),
    "CARAFE-600": ("Carafe, 600 ml", 420, {"SOUTH": 25}),
    "TOWEL-BAR": ("Bar towel", 90, {"EAST": 800, "WEST": 400}),
    "APRON-LINEN": ("Apron, linen", 300, {"EAST": 3, "WEST": 3}),
}
"""SKU → title, grams, units on the shelf of each location."""

KIT = "KIT-STARTER"
PREORDER = "MACHINE-NEXT"
LAUNCH_IN = timedelta(days=45)


def products(today: date) -> list[Product]:
    """Return the catalogue: goods, a kit made of three of them, and one not launched yet."""
    goods = [Product(sku=sku, title=title, grams=grams) for sku, (title, grams, _) in GOODS.items()]
    parts = ("DRIPPER-CERAMIC", "FILTER-100", "BEANS-FILTER")
    kit = Product(
        sku=KIT,
        title="Starter kit",
        grams=sum(GOODS[sku][1] for sku in parts),
        components=tuple(Component(sku=sku, quantity=1, title=GOODS[sku][0]) for sku in parts),
    )
    preorder = Product(
        sku=PREORDER, title="Espresso machine, next model", grams=8200, launch_on=today + LAUNCH_IN
    )
    return [*goods, kit, preorder]


def policy(pace: Pace) -> Policy:
    """Return the shipped policy with short clocks; everything else is as it comes."""
    return Policy(
        grace=(GraceRule(tier="vip", seconds=pace.vip_grace), GraceRule(seconds=pace.grace)),
        returns=ReturnPolicy(window=pace.return_window),
        messages=MessagePolicy(shop_name="Waybill Shop", support="help@example.com"),
        note="A demonstration's clocks: change them at /ops or with PUT /policy.",
    )


def seed(store: Store, pace: Pace) -> Seeded:
    """Write the shop. What is there already stays: stock is booked once, a policy of the
    merchant's own is not replaced."""
    now = datetime.now(UTC)
    for location in LOCATIONS:
        store.save_location(location)
    catalogue = products(now.date())
    known = store.products([product.sku for product in catalogue])
    for product in catalogue:
        if product.sku not in known:
            store.save_product(product)
    levels = 0
    for sku, (_, _, shelves) in GOODS.items():
        for location_code, quantity in shelves.items():
            levels += 1
            store.receive(
                sku,
                location_code,
                quantity,
                reason=MovementReason.INITIAL,
                key=f"seed:{sku}:{location_code}",
                actor=ACTOR,
            )
    version, _ = store.policy()
    if version == 0:
        version = store.save_policy(policy(pace), ACTOR, now)
    return Seeded(
        locations=len(LOCATIONS), products=len(catalogue), levels=levels, policy_version=version
    )


def set_up_testbed(store: AccessStore, url: str, pepper: str) -> None:
    """Give a testbed that runs apart its clocks, and a new key to call us back with."""
    made = create("warehouse", (Scope.SHIPMENTS_WRITE,), pepper=pepper)
    store.add_key(made.key, made.key_hash)
    settings = {**WATCHABLE.testbed(), "api_key": made.secret}
    answer = httpx.put(f"{url}/control/settings", json=settings, timeout=20.0, trust_env=False)
    answer.raise_for_status()
