"""Frozen shares and the order's own ledger: whatever happens to the units, the money adds up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import (
    Held,
    cancelled_value,
    collectable,
    due,
    given_back_for,
    refund_owed,
    refund_parts,
    safe_until,
    to_capture,
)
from domain.order import Order, OrderLine, Payment, ShippingChoice, Totals
from domain.progress import LineProgress
from domain.shares import freeze
from domain.units import Units, UnitState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
prices = st.integers(0, 50_000)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    lines = []
    for i in range(draw(st.integers(1, 4))):
        quantity, price = draw(st.integers(1, 6)), draw(prices)
        lines.append(
            OrderLine(
                line_id=str(i),
                sku=f"S{i}",
                quantity=quantity,
                unit_price=price,
                discount=draw(st.integers(0, price * quantity)),
                tax=draw(st.integers(0, 500)),
                tax_included=draw(st.booleans()),
            )
        )
    shipping = ShippingChoice(price=draw(st.integers(0, 2_000)), tax=draw(st.integers(0, 300)))
    rest = draw(st.integers(0, 300))
    total = sum(line.net for line in lines) + shipping.net + rest
    return Order(
        order_id="o",
        channel="shop",
        external_id="1",
        placed_at=NOW,
        currency="EUR",
        lines=tuple(lines),
        shipping=shipping,
        totals=Totals(total=total),
        payment=Payment(amount=draw(st.integers(0, total))),
    )


def lines_of(order: Order) -> dict[str, LineProgress]:
    return {
        share.line_id: LineProgress(
            line_id=share.line_id,
            sku="S",
            units=Units(open=share.quantity),
            total=share.total,
            collect=share.collect,
        )
        for share in freeze(order)
    }


@given(orders())
def test_frozen_shares_add_up_to_the_total_and_to_the_payment(order: Order) -> None:
    shares = freeze(order)

    assert sum(share.total for share in shares) == order.totals.total
    assert sum(share.collect for share in shares) == order.payment.amount
    assert sum(share.shipping for share in shares) == order.shipping.net


def test_an_order_with_nothing_left_has_no_shares_whatever_its_shipping_costs() -> None:
    line = OrderLine(line_id="1", quantity=2, already_cancelled=2, unit_price=900)
    order = Order(
        order_id="o",
        channel="shop",
        external_id="1",
        placed_at=NOW,
        currency="EUR",
        lines=(line,),
        shipping=ShippingChoice(price=500),
        totals=Totals(total=2300),
        payment=Payment(amount=500),
    )

    assert freeze(order) == ()


@given(orders(), st.lists(st.sampled_from(["cancel", "capture", "return"]), max_size=60), st.data())
def test_captures_cancels_and_returns_in_any_order_add_up_exactly(
    order: Order, steps: list[str], data: st.DataObject
) -> None:
    lines = lines_of(order)
    captured = refunded = worth_cancelled = 0
    for step in steps:
        line = lines[data.draw(st.sampled_from(sorted(lines)))]
        if step == "cancel" and line.units.open:
            line = line.model_copy(
                update={"units": line.units.move(UnitState.OPEN, UnitState.CANCELLED, 1)}
            )
            worth_cancelled += cancelled_value(line, 1)
        elif step == "capture" and line.units.open:
            units = data.draw(st.integers(1, line.units.open))
            count, amount = to_capture(line, units)
            captured += amount
            moved = line.units.move(UnitState.OPEN, UnitState.DELIVERED, units)
            line = line.model_copy(update={"units": moved, "captured": line.captured + count})
        elif step == "return" and line.units.delivered:
            value = given_back_for(line, 1)
            moved = line.units.move(UnitState.DELIVERED, UnitState.RETURNED, 1)
            line = line.model_copy(update={"units": moved, "given_back": line.given_back + value})
        lines[line.line_id] = line
        refunded += refund_owed(lines.values(), captured, refunded)
        assert 0 <= refunded <= captured <= order.payment.amount
        assert due(lines.values()) + captured == order.payment.amount - worth_cancelled
    assert refund_owed(lines.values(), captured, refunded) == 0
    for line in lines.values():
        if line.units.returned == line.units.ordered:
            assert line.given_back == line.collect


@given(orders(), st.data())
def test_what_the_storefront_captured_and_was_cancelled_goes_back_whole(
    order: Order, data: st.DataObject
) -> None:
    lines = lines_of(order)
    for line_id, line in lines.items():
        cancelled = data.draw(st.integers(0, line.units.open))
        units = line.units.move(UnitState.OPEN, UnitState.CANCELLED, cancelled)
        lines[line_id] = line.model_copy(update={"units": units, "captured": line.units.ordered})

    kept = sum(
        line.collect - cancelled_value(line, line.units.cancelled) for line in lines.values()
    )
    assert refund_owed(lines.values(), order.payment.amount, 0) == order.payment.amount - kept
    assert due(lines.values()) == 0
    assert all(to_capture(line, collectable(line)) == (0, 0) for line in lines.values())


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), max_size=5),
    st.integers(0, 30_000),
)
def test_a_refund_is_split_so_that_no_payment_gives_more_than_it_has(
    payments: list[tuple[int, int]], amount: int
) -> None:
    held = [
        Held(reference=str(i), captured=taken, refunded=min(taken, back))
        for i, (taken, back) in enumerate(payments)
    ]
    left = {one.reference: one.captured - one.refunded for one in held}

    parts = refund_parts(held, amount)
    assert sum(share for _, share in parts) == min(amount, sum(left.values()))
    assert all(0 < share <= left[reference] for reference, share in parts)


@given(st.integers(1, 40 * 86400), st.integers(0, 40 * 86400))
def test_an_authorisation_is_safe_for_half_its_life_at_least_and_never_to_its_end(
    life: int, margin: int
) -> None:
    end = NOW + timedelta(seconds=life)
    until = safe_until(NOW, end, timedelta(seconds=margin))

    assert until is not None
    assert NOW + (end - NOW) / 2 <= until <= end
