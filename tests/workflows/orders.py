"""Orders as a storefront places them, for workflow tests."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from domain.order import (
    Address,
    Customer,
    Order,
    OrderLine,
    Payment,
    PaymentForm,
    ShippingChoice,
    Totals,
    order_id_of,
)

SHOP = Address(
    name="Depot", line1="1 Dock St", city="Austin", region="TX", postal_code="78701", country="US"
)
HOME = Address(
    name="Ada Marker",
    line1="500 Main St",
    city="Dallas",
    region="TX",
    postal_code="75201",
    country="US",
)


def now() -> datetime:
    """Return the time now, UTC."""
    return datetime.now(UTC)


def order(
    *lines: tuple[str, int],
    external_id: str = "",
    form: PaymentForm = PaymentForm.METHOD,
    method: str = "pm_card_visa",
    reference: str = "",
    price: int = 1000,
    shipping: int = 500,
    placed_at: datetime | None = None,
    **more: Any,
) -> Order:
    """Return an order of (sku, quantity) lines at ``price`` each."""
    wanted = lines or (("MUG", 1),)
    external = external_id or uuid4().hex[:12]
    total = sum(quantity for _, quantity in wanted) * price + shipping
    values: dict[str, Any] = {
        "order_id": order_id_of("shop", external),
        "channel": "shop",
        "external_id": external,
        "number": f"#{external}",
        "placed_at": placed_at or now(),
        "currency": "USD",
        "customer": Customer(email=f"{external}@marker.example", name="Ada Marker"),
        "ship_to": HOME,
        "lines": tuple(
            OrderLine(line_id=str(i + 1), sku=sku, title=sku, quantity=quantity, unit_price=price)
            for i, (sku, quantity) in enumerate(wanted)
        ),
        "shipping": ShippingChoice(code="standard", title="Standard", price=shipping),
        "totals": Totals(subtotal=total - shipping, shipping=shipping, total=total),
        "payment": Payment(
            form=form,
            provider="fake",
            method=method if form is PaymentForm.METHOD else "",
            reference=reference,
            amount=total,
        ),
    }
    return Order(**(values | more))


DAY = timedelta(days=1)
