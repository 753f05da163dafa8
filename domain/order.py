"""What a storefront placed: the order as it was accepted, never changed afterwards.

All amounts are integer minor units of ``Order.currency``; times are UTC.
"""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from domain.calendar import Day, Moment
from domain.frozen import Frozen


class Address(Frozen):
    """A postal address as the customer wrote it; the normalised form is never stored over it.

    ``region`` is the administrative area as given (code or name); ``country`` is ISO 3166 alpha-2.
    """

    name: str = Field(default="", max_length=200)
    company: str = Field(default="", max_length=200)
    line1: str = Field(default="", max_length=300)
    line2: str = Field(default="", max_length=300)
    city: str = Field(default="", max_length=200)
    region: str = Field(default="", max_length=100)
    postal_code: str = Field(default="", max_length=30)
    country: str = Field(default="", max_length=2)
    phone: str = Field(default="", max_length=60)


class Customer(Frozen):
    """Who bought; ``tier`` (for example ``vip``) chooses the grace period and priority."""

    customer_id: str = Field(default="", max_length=100)
    email: str = Field(default="", max_length=320)
    phone: str = Field(default="", max_length=60)
    name: str = Field(default="", max_length=200)
    tier: str = Field(default="", max_length=40)
    locale: str = Field(default="", max_length=20)


class Component(Frozen):
    """One part of a kit or bundle: ``quantity`` units of ``sku`` in each unit of the line."""

    sku: str = Field(max_length=100)
    quantity: int = Field(ge=1)
    title: str = Field(default="", max_length=300)


class OrderLine(Frozen):
    """One line: ``quantity`` units of ``sku``.

    ``unit_price`` is before discounts; ``discount`` is the whole line's (its own and its part of
    order discounts, positive); ``tax`` is the whole line's, and ``tax_included`` says whether
    ``unit_price`` already holds it. A line with ``requires_shipping`` false (gift card, download,
    service) is accepted and delivered without a parcel. ``already_cancelled`` units were cancelled
    or refunded at the storefront before we took the order: part of ``quantity``, never shipped.
    """

    line_id: str = Field(max_length=100)
    sku: str = Field(default="", max_length=100)
    title: str = Field(default="", max_length=300)
    quantity: int
    already_cancelled: int = Field(default=0, ge=0)
    unit_price: int = 0
    discount: int = 0
    tax: int = 0
    tax_included: bool = False
    grams: int = 0
    requires_shipping: bool = True
    bundle: str = Field(default="", max_length=100)
    components: tuple[Component, ...] = ()
    attributes: dict[str, str] = Field(default_factory=dict)

    @property
    def net(self) -> int:
        """What the customer pays for the line, tax included."""
        return (
            self.unit_price * self.quantity - self.discount + (0 if self.tax_included else self.tax)
        )


class ShippingChoice(Frozen):
    """The shipping method chosen at checkout, by the storefront's own code and title."""

    code: str = Field(default="", max_length=200)
    title: str = Field(default="", max_length=200)
    price: int = 0
    discount: int = 0
    tax: int = 0
    tax_included: bool = False

    @property
    def net(self) -> int:
        """What the customer pays for shipping, tax included."""
        return self.price - self.discount + (0 if self.tax_included else self.tax)


class DiscountCode(Frozen):
    """A promotion as the storefront named it; ``amount`` is already inside the lines."""

    code: str = Field(default="", max_length=200)
    title: str = Field(default="", max_length=300)
    amount: int = 0
    target: Literal["line", "shipping", "order"] = "order"


class Totals(Frozen):
    """The platform's own totals, kept as given. ``other`` is fees, tips and duties."""

    subtotal: int = 0
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    other: int = 0
    total: int = 0


class Difference(Frozen):
    """Where a given total is not what the lines add up to; recorded, never corrected."""

    field: str
    given: int
    computed: int


class PaymentForm(StrEnum):
    """How the money arrives."""

    METHOD = "method"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    COD = "cod"
    ELSEWHERE = "elsewhere"


class Payment(Frozen):
    """How the order is to be paid.

    ``method``: ``customer``/``method`` references that we authorise. ``authorised``/``captured``:
    ``reference`` is the provider's payment, adopted with its real amount and expiry. ``amount`` is
    what this payment covers; gift cards and credits already used are ``other_tender``.
    """

    form: PaymentForm = PaymentForm.ELSEWHERE
    provider: str = Field(default="", max_length=40)
    reference: str = Field(default="", max_length=200)
    customer: str = Field(default="", max_length=200)
    method: str = Field(default="", max_length=200)
    amount: int = 0
    other_tender: int = 0
    gateway: str = Field(default="", max_length=100)


FOLLOWED = "taken_from_topic"
"""Attribute of an order that a later event ("paid") brought, perhaps before its "created" came."""


class Order(Frozen):
    """An order as accepted. ``order_id`` is ``<channel>-<external id>`` and permanent."""

    order_id: str = Field(max_length=200)
    channel: str = Field(max_length=40)
    external_id: str = Field(max_length=150)
    number: str = Field(default="", max_length=100)
    placed_at: Moment
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    customer: Customer = Customer()
    ship_to: Address | None = None
    bill_to: Address | None = None
    lines: tuple[OrderLine, ...] = Field(min_length=1, max_length=500)
    shipping: ShippingChoice = ShippingChoice()
    discounts: tuple[DiscountCode, ...] = ()
    totals: Totals
    differences: tuple[Difference, ...] = ()
    payment: Payment = Payment()
    deliver_on: Day | None = None
    note: str = Field(default="", max_length=5000)
    tags: tuple[str, ...] = ()
    test: bool = False
    risk: str = Field(default="", max_length=40)
    attributes: dict[str, str] = Field(default_factory=dict)

    @property
    def followed(self) -> bool:
        """Whether a later event than its creation described it: in other words, by nature."""
        return FOLLOWED in self.attributes


def order_id_of(channel: str, external_id: str) -> str:
    """Return the permanent, URL-safe order id of a storefront's order.

    Bytes (UTF-8) outside ``[A-Za-z0-9.-]`` are escaped as ``_xx``, so that two external ids never
    share one order id.
    """
    safe = "".join(
        c
        if c.isascii() and (c.isalnum() or c in ".-")
        else "".join(f"_{byte:02x}" for byte in c.encode())
        for c in external_id
    )
    return f"{channel}-{safe}"


def differences_of(
    lines: tuple[OrderLine, ...],
    shipping: ShippingChoice,
    totals: Totals,
    *,
    other_tax: int = 0,
    tender: int = 0,
) -> tuple[Difference, ...]:
    """Return where the given totals are not what lines and shipping add up to.

    Args:
        other_tax: tax inside ``totals.other`` (of a fee, of duties), which no line carries.
        tender: gift cards and credits that the platform has taken off its total already.
    """
    computed = {
        "totals.shipping": (totals.shipping, shipping.price),
        "totals.tax": (totals.tax, sum(line.tax for line in lines) + shipping.tax + other_tax),
        "totals.total": (
            totals.total,
            sum(line.net for line in lines) + shipping.net + totals.other - tender,
        ),
    }
    return tuple(
        Difference(field=field, given=given, computed=calculated)
        for field, (given, calculated) in computed.items()
        if given != calculated
    )
