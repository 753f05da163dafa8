"""The parts of our own order format: lines, address, shipping, payment.

All amounts are integer minor units of the order's currency (1250 is 12.50 EUR, 1250 JPY, 1.250
KWD). A field we do not know is refused: it is a mistake of the sender, and would be lost.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationInfo,
    field_validator,
)

from adapters.storefronts.amounts import LARGEST
from adapters.storefronts.reading import MOST_UNITS
from domain.calendar import AwareMoment
from domain.order import Address, PaymentForm


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Minor = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
SignedMinor = Annotated[int, Field(strict=True, ge=-LARGEST, le=LARGEST)]
Units = Annotated[int, Field(strict=True, ge=1, le=MOST_UNITS)]
Moment = Annotated[AwareMoment, AfterValidator(_utc)]
Attributes = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=500)]],
    Field(max_length=50, description="Anything of your own, name to text; rules may match it."),
]


class Exact(BaseModel):
    """A body we define ourselves: frozen, and no field beside those named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GenericComponent(Exact):
    """One part of a kit: ``quantity`` units of ``sku`` in each unit of the line."""

    sku: str = Field(min_length=1, max_length=100)
    quantity: Units = 1
    title: str = Field(default="", max_length=300)


class GenericLine(Exact):
    """One line of an order."""

    line_id: str = Field(
        min_length=1,
        max_length=100,
        description="Yours, unique in the order; cancellations and returns name it.",
    )
    sku: str = Field(
        default="",
        max_length=100,
        description="What the warehouse calls it; an order without it waits until it is mended.",
    )
    title: str = Field(default="", max_length=300)
    quantity: Units
    already_cancelled: Annotated[int, Field(strict=True, ge=0)] = Field(
        default=0, description="Units of ``quantity`` that are cancelled already; they never ship."
    )
    unit_price: Minor = Field(description="Price of one unit before any discount.")
    discount: Minor = Field(default=0, description="Discount on the whole line.")
    tax: Minor = Field(default=0, description="Tax of the whole line, after its discount.")
    tax_included: StrictBool = Field(
        default=False, description="Whether ``unit_price`` contains the tax."
    )
    grams: int = Field(default=0, strict=True, ge=0, le=10**9, description="Weight of one unit.")
    requires_shipping: StrictBool = True
    bundle: str = Field(
        default="",
        max_length=100,
        description="The line_id of the bundle this line is part of. Give that line "
        "requires_shipping false, or it is sent as well.",
    )
    components: tuple[GenericComponent, ...] = Field(
        default=(), max_length=100, description="What a kit without stock of its own is made of."
    )
    attributes: Attributes = Field(default_factory=dict)

    @field_validator("already_cancelled")
    @classmethod
    def _at_most_the_quantity(cls, units: int, info: ValidationInfo) -> int:
        if units > info.data.get("quantity", units):
            raise ValueError("is more than the quantity")
        return units

    @field_validator("unit_price")
    @classmethod
    def _line_can_be_counted(cls, unit_price: int, info: ValidationInfo) -> int:
        if unit_price * info.data.get("quantity", 0) > LARGEST:
            raise ValueError("makes the line too large an amount")
        return unit_price

    @field_validator("discount")
    @classmethod
    def _at_most_the_price(cls, discount: int, info: ValidationInfo) -> int:
        known = {"quantity", "unit_price"} <= info.data.keys()
        if known and discount > info.data["quantity"] * info.data["unit_price"]:
            raise ValueError("is more than the line costs")
        return discount


class GenericAddress(Exact):
    """A postal address as the customer wrote it."""

    name: str = Field(default="", max_length=200)
    company: str = Field(default="", max_length=200)
    line1: str = Field(default="", max_length=300)
    line2: str = Field(default="", max_length=300)
    city: str = Field(default="", max_length=200)
    region: str = Field(default="", max_length=100, description="Code or name, as given.")
    postal_code: str = Field(default="", max_length=30)
    country: str = Field(default="", pattern=r"^([A-Za-z]{2})?$", description="ISO 3166-1 alpha-2.")
    phone: str = Field(default="", max_length=60)

    def as_given(self) -> Address:
        """Return the address as the order keeps it."""
        return Address(**self.model_dump() | {"country": self.country.upper()})


class GenericCustomer(Exact):
    """Who bought."""

    customer_id: str = Field(default="", max_length=100)
    email: str = Field(default="", max_length=320)
    phone: str = Field(default="", max_length=60)
    name: str = Field(default="", max_length=200)
    tier: str = Field(default="", max_length=40, description="Such as vip; policy rules match it.")
    locale: str = Field(default="", max_length=20)


class GenericDiscount(Exact):
    """A promotion by name; its amount is inside the lines, shipping or ``order_discount``."""

    code: str = Field(default="", max_length=200)
    title: str = Field(default="", max_length=300)
    amount: Minor = 0
    target: str = Field(default="order", pattern="^(line|shipping|order)$")


class GenericShipping(Exact):
    """The shipping method the customer chose."""

    code: str = Field(default="", max_length=200, description="Yours; policy rules match it.")
    title: str = Field(default="", max_length=200)
    price: Minor = 0
    discount: Minor = 0
    tax: Minor = 0
    tax_included: StrictBool = False

    @field_validator("discount")
    @classmethod
    def _at_most_the_price(cls, discount: int, info: ValidationInfo) -> int:
        if discount > info.data.get("price", discount):
            raise ValueError("is more than shipping costs")
        return discount


class GenericPayment(Exact):
    """How the order is paid."""

    form: PaymentForm = Field(
        description="method: we authorise ``method``; authorised: we capture ``reference``; "
        "captured: the money has been taken; cod: paid on delivery; elsewhere: not our business."
    )
    provider: str = Field(
        default="",
        max_length=40,
        validate_default=True,
        description="Its name in settings, such as stripe. Captured money without a provider "
        "is refunded in the storefront.",
    )
    reference: str = Field(
        default="",
        max_length=200,
        validate_default=True,
        description="The provider's payment (Stripe: pi_…), for authorised and captured.",
    )
    customer: str = Field(default="", max_length=200, description="The provider's customer.")
    method: str = Field(
        default="",
        max_length=200,
        validate_default=True,
        description="The provider's saved method (Stripe: pm_…), for method.",
    )
    amount: Minor | None = Field(
        default=None, description="What this payment covers; default: total less other_tender."
    )
    other_tender: Minor = Field(default=0, description="Paid by gift cards or credit already.")
    gateway: str = Field(default="", max_length=100, description="Its name for people.")

    @field_validator("provider")
    @classmethod
    def _provider_to_call(cls, provider: str, info: ValidationInfo) -> str:
        if not provider and info.data.get("form") in (PaymentForm.METHOD, PaymentForm.AUTHORISED):
            raise ValueError("is needed for this form")
        return provider

    @field_validator("reference")
    @classmethod
    def _payment_to_adopt(cls, reference: str, info: ValidationInfo) -> str:
        form = info.data.get("form")
        known = form is PaymentForm.CAPTURED and info.data.get("provider")
        if not reference and (form is PaymentForm.AUTHORISED or known):
            raise ValueError("is needed for this form")
        return reference

    @field_validator("method")
    @classmethod
    def _method_to_authorise(cls, method: str, info: ValidationInfo) -> str:
        if not method and info.data.get("form") is PaymentForm.METHOD:
            raise ValueError("is needed for this form")
        return method
