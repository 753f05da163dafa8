"""Everything a merchant may change: one typed, versioned document with a shipped default.

Durations are seconds unless the name says otherwise. Conditions (``when``) are CEL expressions over
an order's facts; they are type-checked when a policy is saved and evaluated outside workflow code.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.frozen import Frozen

HOUR = 3600
DAY = 24 * HOUR
MOST_DAYS = 3650
"""Ten years: with more a deadline could not be reckoned, and every order would stand still."""

Seconds = Annotated[int, Field(ge=1, le=MOST_DAYS * DAY)]
SecondsOrNone = Annotated[int, Field(ge=0, le=MOST_DAYS * DAY)]


class Verdict(StrEnum):
    """What a grading rule decides at once, whatever the score."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


class ValidityRule(Frozen):
    """Orders for which ``when`` holds are put on a ``data`` hold with ``message``."""

    name: str = Field(max_length=100)
    when: str = Field(max_length=4096)
    message: str = Field(max_length=500)
    field: str = Field(default="order", max_length=100)


class GradingRule(Frozen):
    """Adds ``score`` when ``when`` holds, or decides at once by ``verdict``."""

    name: str = Field(max_length=100)
    when: str = Field(max_length=4096)
    score: int = Field(default=0, ge=-100, le=100)
    verdict: Verdict | None = None


class Grading(Frozen):
    """Built-in grading: the scores of the rules that hold are added up. ``vendor`` names a fraud
    vendor to ask besides; the worse of both verdicts counts."""

    rules: tuple[GradingRule, ...] = ()
    review_at: int = 50
    reject_at: int = 90
    vendor: str = Field(default="", max_length=40)
    review_sla: Seconds = 24 * HOUR
    review_expiry: Verdict = Verdict.REJECT


class GraceRule(Frozen):
    """The grace period of orders of a channel and a customer tier; empty matches all."""

    channel: str = Field(default="", max_length=40)
    tier: str = Field(default="", max_length=40)
    seconds: SecondsOrNone = 30 * 60


class CaptureMoment(StrEnum):
    """When money is taken: per shipment before hand-over, or in full when the order is accepted."""

    SHIPMENT = "shipment"
    ORDER = "order"


class PaymentPolicy(Frozen):
    """Payment rules. An authorisation is not captured within ``expiry_margin`` of its end; one
    held for goods that ship later than ``reverse_after`` is reversed and taken again."""

    accept_cod: bool = True
    accept_elsewhere: bool = True
    capture: CaptureMoment = CaptureMoment.SHIPMENT
    expiry_margin: Seconds = 6 * HOUR
    reverse_after: Seconds = 5 * DAY
    action_deadline: Seconds = 3 * DAY


class ShippingMethod(Frozen):
    """A shipping method: the storefront's codes and titles that mean it, and the carrier service.

    ``aliases`` are compared without case; ``*`` matches any. ``service`` is ``Carrier/Service``, or
    empty for the cheapest that keeps the promise; ``days`` is the promised transit time.
    """

    code: str = Field(max_length=60)
    aliases: tuple[str, ...] = ()
    service: str = Field(default="", max_length=80)
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 5
    countries: tuple[str, ...] = ()


class Validation(Frozen):
    """What makes an order valid (C9-C11)."""

    rules: tuple[ValidityRule, ...] = ()
    currencies: tuple[str, ...] = ()
    max_quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    duplicate_window: SecondsOrNone = 10 * 60
    check_address: bool = True
    hold_deadline: Seconds = 3 * DAY


class Strategy(StrEnum):
    """What routing prefers."""

    PRIORITY = "priority"
    CLOSEST = "closest"
    SHIP_COMPLETE = "ship_complete"
    MOST_STOCK = "most_stock"


class RoutingPolicy(Frozen):
    """How an order is placed. ``max_splits`` is how many further parcels are allowed."""

    strategy: Strategy = Strategy.PRIORITY
    max_splits: Annotated[int, Field(ge=0, le=500)] = 3
    reservation_ttl: Seconds = 30 * DAY
    backorder: bool = True
    backorder_deadline: Seconds = 30 * DAY
    handling_days: Annotated[int, Field(ge=0, le=MOST_DAYS)] = 1


class Clocks(Frozen):
    """How long each stage may take before somebody is told (C19), and when silence counts."""

    warehouse: Seconds = 2 * DAY
    hand_over: Seconds = 2 * DAY
    first_scan: Seconds = 3 * DAY
    next_scan: Seconds = 7 * DAY
    lost_after: Seconds = 14 * DAY
    escalate_again: Seconds = 1 * DAY
    provider_patience: Seconds = 20 * HOUR
    look_again: Seconds = 1 * HOUR


class LostParcel(StrEnum):
    """What a customer gets when a parcel is lost."""

    REFUND = "refund"
    RESHIP = "reship"


class Resolution(StrEnum):
    """What the customer wants for a return."""

    REFUND = "refund"
    EXCHANGE = "exchange"
    STORE_CREDIT = "store_credit"


class ReturnPolicy(Frozen):
    """Return rules. ``window`` counts from delivery; ``ship_back`` from the label."""

    window: Seconds = 30 * DAY
    automatic: bool = True
    ship_back: Seconds = 21 * DAY
    inspect_within: Seconds = 5 * DAY
    refund_shipping: bool = False
    label: bool = True
    location: str = Field(default="", max_length=40)
    lost_parcel: LostParcel = LostParcel.REFUND
    resolutions: tuple[Resolution, ...] = (Resolution.REFUND,)


class MessagePolicy(Frozen):
    """Which messages a customer gets."""

    enabled: bool = True
    muted: tuple[str, ...] = ()
    shop_name: str = Field(default="The shop", max_length=100)
    support: str = Field(default="", max_length=200)


def _default_grading() -> Grading:
    return Grading(
        rules=(
            GradingRule(name="storefront says high risk", when="risk == 'high'", score=90),
            GradingRule(name="storefront says medium risk", when="risk == 'medium'", score=50),
            GradingRule(
                name="large order to another country than the bill",
                when="total > 50000 && billing_country != '' && billing_country != country",
                score=50,
            ),
            GradingRule(name="very large order", when="total > 500000", score=50),
            GradingRule(name="very many units", when="quantity > 100", score=50),
        )
    )


def _default_methods() -> tuple[ShippingMethod, ...]:
    return (
        ShippingMethod(
            code="express",
            aliases=("express", "next day", "overnight", "priority"),
            days=2,
        ),
        ShippingMethod(code="standard", aliases=("*",), days=5),
    )


class Policy(Frozen):
    """The merchant's document. The default is fit to start a shop with."""

    validation: Validation = Validation()
    grading: Grading = Field(default_factory=_default_grading)
    grace: tuple[GraceRule, ...] = (GraceRule(),)
    payment: PaymentPolicy = PaymentPolicy()
    shipping: tuple[ShippingMethod, ...] = Field(default_factory=_default_methods)
    routing: RoutingPolicy = RoutingPolicy()
    clocks: Clocks = Clocks()
    returns: ReturnPolicy = ReturnPolicy()
    messages: MessagePolicy = MessagePolicy()
    note: str = Field(default="", max_length=1000)

    def grace_seconds(self, channel: str, tier: str) -> int:
        """Return the grace period of an order: the first rule that matches, else none."""
        for rule in self.grace:
            if rule.channel in ("", channel) and rule.tier in ("", tier):
                return rule.seconds
        return 0

    def shipping_method(self, code: str, title: str) -> ShippingMethod | None:
        """Return the method that a storefront's code or title means; None when nothing fits."""
        words = {word.strip().lower() for word in (code, title) if word.strip()}
        for method in self.shipping:
            names = {method.code.lower(), *(alias.lower() for alias in method.aliases)}
            if words & names:
                return method
        return next((method for method in self.shipping if "*" in method.aliases), None)
