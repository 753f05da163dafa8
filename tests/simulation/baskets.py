"""What customers order and how they pay: every kind that the process treats differently."""

import random
from datetime import datetime, timedelta

from domain.money import Money
from domain.order import (
    Customer,
    Order,
    OrderLine,
    Payment,
    PaymentForm,
    ShippingChoice,
    Totals,
    order_id_of,
)
from tests.fakes.payments import FakePaymentGateway
from tests.simulation.catalogue import GIFT_CARD, NOWHERE
from tests.workflows.orders import HOME

FORMS = (
    (PaymentForm.METHOD, 60),
    (PaymentForm.AUTHORISED, 14),
    (PaymentForm.CAPTURED, 12),
    (PaymentForm.COD, 6),
    (PaymentForm.ELSEWHERE, 8),
)
METHODS = ("pm_card_visa",) * 8 + ("pm_card_declined", "pm_card_authenticationRequired")


def basket(no: int, now: datetime, rng: random.Random, bank: FakePaymentGateway) -> Order:
    """Return an order as a storefront places it, with the money that the storefront took."""
    lines = _lines(rng)
    shipping = rng.choice((0, 490, 500))
    total = sum(line.net for line in lines) + shipping
    external = f"o{no}"
    deliver_on = (now + timedelta(days=rng.randint(7, 16))).date() if rng.random() < 0.08 else None
    return Order(
        order_id=order_id_of("shop", external),
        channel="shop",
        external_id=external,
        number=f"#{external}",
        placed_at=now - timedelta(seconds=rng.choice((0, 0, 1, 300))),
        currency="USD",
        customer=Customer(
            email="" if rng.random() < 0.02 else f"{external}@marker.example",
            name="Ada Marker",
            tier=rng.choice(("", "", "vip")),
        ),
        ship_to=NOWHERE if rng.random() < 0.05 else HOME,
        lines=lines,
        shipping=ShippingChoice(code="standard", title="Standard", price=shipping),
        totals=Totals(subtotal=total - shipping, shipping=shipping, total=total),
        payment=_payment(total, rng, bank),
        deliver_on=deliver_on,
        risk=rng.choice(("",) * 14 + ("medium", "high")),
    )


def _lines(rng: random.Random) -> tuple[OrderLine, ...]:
    count = rng.choice((1, 1, 1, 2, 2, 3))
    skus = rng.choices(
        ("MUG", "TEE", "CAP", "PEN", "NEW", "KIT", "RUG", GIFT_CARD),
        (5, 5, 4, 2, 2, 2, 1, 2),
        k=count,
    )
    found = []
    for no, sku in enumerate(skus):
        quantity = rng.choice((1, 1, 1, 2, 2, 3, 4))
        price = rng.choice((333, 999, 1000, 2501))
        discount = rng.choice((0, 0, 0, 7, 100))
        found.append(
            OrderLine(
                line_id=str(no + 1),
                sku=sku,
                title=sku.title(),
                quantity=quantity,
                unit_price=price,
                discount=discount,
                tax=rng.choice((0, 0, 83)),
                requires_shipping=sku != GIFT_CARD,
                already_cancelled=1 if quantity > 1 and rng.random() < 0.04 else 0,
            )
        )
    return tuple(found)


def _payment(total: int, rng: random.Random, bank: FakePaymentGateway) -> Payment:
    form = rng.choices([one for one, _ in FORMS], [share for _, share in FORMS])[0]
    if form is PaymentForm.METHOD:
        tender = total // 4 if rng.random() < 0.1 else 0
        return Payment(
            form=form,
            provider="fake",
            method=rng.choice(METHODS),
            customer=rng.choice(("", "cus_1")),
            amount=total - tender,
            other_tender=tender,
        )
    if form in (PaymentForm.AUTHORISED, PaymentForm.CAPTURED):
        if rng.random() < 0.15:  # a gateway that we cannot call
            return Payment(form=form, amount=total, gateway="unknown")
        short = rng.choice((0,) * 9 + (100,))
        reference = bank.placed_by_storefront(
            Money(amount=max(1, total - short), currency="USD"),
            captured=form is PaymentForm.CAPTURED,
            several=rng.random() < 0.5,
        )
        return Payment(form=form, provider="fake", reference=reference, amount=total)
    return Payment(form=form, amount=total)


def some_units(lines: dict[str, int], rng: random.Random) -> dict[str, int]:
    """Return a few of some units by line."""
    chosen = [line_id for line_id, count in lines.items() if count > 0 and rng.random() < 0.7]
    return {line_id: rng.randint(1, lines[line_id]) for line_id in chosen}
