"""Our own order format: the body of ``POST /orders`` and the ``data`` of a generic webhook."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, ValidationError, field_validator

from adapters.storefronts.amounts import exponent_of
from adapters.storefronts.assembly import assemble, duplicates, problems_of, spread_discount
from adapters.storefronts.generic_parts import (
    Attributes,
    Exact,
    GenericAddress,
    GenericCustomer,
    GenericDiscount,
    GenericLine,
    GenericPayment,
    GenericShipping,
    Minor,
    Moment,
    SignedMinor,
)
from adapters.storefronts.reading import Problems
from domain.calendar import Day
from domain.errors import InvalidOrder
from domain.order import (
    Customer,
    DiscountCode,
    Order,
    OrderLine,
    Payment,
    ShippingChoice,
    Totals,
    differences_of,
    order_id_of,
)


class GenericOrder(Exact):
    """An order as a system without an adapter of its own sends it."""

    external_id: str = Field(
        pattern=r"^[!-~]{1,150}$",
        description="Yours, permanent, unique in the channel: printable ASCII without spaces. "
        "The same id again is the same order.",
    )
    number: str = Field(default="", max_length=100, description="What the customer calls it.")
    placed_at: Moment = Field(description="ISO 8601 with an offset.")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")
    customer: GenericCustomer = GenericCustomer()
    ship_to: GenericAddress | None = None
    bill_to: GenericAddress | None = None
    lines: tuple[GenericLine, ...] = Field(min_length=1, max_length=500)
    shipping: GenericShipping = GenericShipping()
    discounts: tuple[GenericDiscount, ...] = Field(default=(), max_length=50)
    order_discount: Minor = Field(
        default=0,
        description="Discount on the whole order that is in no line yet; it is spread over the "
        "lines by what they cost.",
    )
    other: SignedMinor = Field(
        default=0, description="Fees, tips and duties with their tax; negative for a rebate."
    )
    other_tax: SignedMinor = Field(default=0, description="The tax inside ``other``.")
    total: Minor = Field(
        description="What the customer pays, gift cards included. A sum that differs from the "
        "lines is recorded on the order and shown, not corrected."
    )
    payment: GenericPayment
    deliver_on: Day | None = None
    note: str = Field(default="", max_length=5000)
    tags: tuple[Annotated[str, Field(max_length=100)], ...] = Field(default=(), max_length=50)
    test: StrictBool = False
    risk: Literal["", "low", "medium", "high"] = Field(
        default="", description="Your own estimate of fraud; grading rules match it."
    )
    attributes: Attributes = Field(default_factory=dict)

    @field_validator("currency")
    @classmethod
    def _has_minor_units(cls, currency: str) -> str:
        exponent_of(currency)
        return currency

    def to_order(self, channel: str) -> Order:
        """Return the order as accepted on ``channel``.

        Raises:
            InvalidOrder: line ids that repeat or are unknown, or a discount above all lines.
        """
        problems = Problems()
        self._check_line_ids(problems)
        lines = [_line(line) for line in self.lines]
        lines, rest = spread_discount(lines, self.order_discount)
        if rest:
            problems.add("order_discount", "is more than the lines cost")
        shipping = ShippingChoice(**self.shipping.model_dump())
        totals = self._totals(lines, shipping)
        named = ("external_id", "number", "placed_at", "currency", "deliver_on", "note", "tags")
        fields: dict[str, object] = {name: getattr(self, name) for name in (*named, "test", "risk")}
        fields |= {
            "order_id": order_id_of(channel, self.external_id),
            "channel": channel,
            "customer": Customer(**self.customer.model_dump()),
            "ship_to": self.ship_to and self.ship_to.as_given(),
            "bill_to": self.bill_to and self.bill_to.as_given(),
            "lines": tuple(lines),
            "shipping": shipping,
            "discounts": tuple(DiscountCode(**d.model_dump()) for d in self.discounts),
            "totals": totals,
            "differences": differences_of(tuple(lines), shipping, totals, other_tax=self.other_tax),
            "payment": self._payment(),
            "attributes": self.attributes,
        }
        return assemble(problems, fields)

    def _check_line_ids(self, problems: Problems) -> None:
        ids = [line.line_id for line in self.lines]
        for i in duplicates(ids):
            problems.add(f"lines[{i}].line_id", "is the line_id of an earlier line")
        for i, line in enumerate(self.lines):
            if line.bundle and (line.bundle not in ids or line.bundle == line.line_id):
                problems.add(f"lines[{i}].bundle", "is not the line_id of another line")

    def _totals(self, lines: list[OrderLine], shipping: ShippingChoice) -> Totals:
        return Totals(
            subtotal=sum(line.unit_price * line.quantity for line in lines),
            discount=sum(line.discount for line in lines) + shipping.discount,
            shipping=shipping.price,
            tax=sum(line.tax for line in lines) + shipping.tax + self.other_tax,
            other=self.other,
            total=self.total,
        )

    def _payment(self) -> Payment:
        given = self.payment.model_dump()
        if given["amount"] is None:
            given["amount"] = max(0, self.total - self.payment.other_tender)
        return Payment(**given)


def _line(line: GenericLine) -> OrderLine:
    return OrderLine.model_validate(line.model_dump())


def read_generic(data: object, channel: str) -> Order:
    """Return the order of parsed JSON in our own format.

    Raises:
        InvalidOrder: names every field at fault, dotted (``lines[0].quantity``), never its value.
    """
    try:
        return GenericOrder.model_validate(data).to_order(channel)
    except ValidationError as error:
        raise InvalidOrder(problems_of(error)) from None
