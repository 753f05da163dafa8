"""Grading: the worst counts. Validation: every problem at once, and none that is not there."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grading import WORST_FIRST, grade, worse
from domain.order import Address, Order, OrderLine, Payment, PaymentForm, Totals
from domain.policy import (
    Grading,
    GradingRule,
    PaymentPolicy,
    Policy,
    ShippingMethod,
    Validation,
    Verdict,
)
from domain.stock import Product
from domain.validation import problems_of

verdicts = st.sampled_from(list(Verdict))
rules = st.builds(
    GradingRule,
    name=st.sampled_from("abc"),
    when=st.just("true"),
    score=st.integers(-100, 100),
    verdict=st.none() | verdicts,
)
matches = st.lists(st.tuples(rules, st.sampled_from([True, False, None])), max_size=8)


def graded(some: list[tuple[GradingRule, bool | None]]) -> Verdict:
    return grade(Grading(rules=tuple(r for r, _ in some)), [holds for _, holds in some])[0]


@given(matches)
def test_a_rule_that_cannot_be_evaluated_never_lets_an_order_through_unseen(
    some: list[tuple[GradingRule, bool | None]],
) -> None:
    verdict, score, _ = grade(
        Grading(rules=tuple(rule for rule, _ in some)), [holds for _, holds in some]
    )

    assert 0 <= score <= 100
    if any(holds is None for _, holds in some):
        assert verdict is not Verdict.ACCEPT
    if any(holds and rule.verdict is Verdict.REJECT for rule, holds in some):
        assert verdict is Verdict.REJECT


@given(matches, st.randoms())
def test_the_order_of_the_rules_does_not_matter(
    some: list[tuple[GradingRule, bool | None]], random: Any
) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)

    assert graded(some) is graded(shuffled)


@given(verdicts, verdicts)
def test_the_worse_of_two_verdicts_is_the_same_from_both_sides(
    one: Verdict, other: Verdict
) -> None:
    assert worse(one, other) is worse(other, one)
    assert WORST_FIRST.index(worse(one, other)) <= WORST_FIRST.index(one)


HOME = Address(name="Ada", line1="1 Road", city="Dallas", postal_code="75201", country="US")


def order(*lines: OrderLine, **more: Any) -> Order:
    values: dict[str, Any] = {
        "order_id": "o",
        "channel": "shop",
        "external_id": "1",
        "placed_at": datetime(2026, 1, 1, tzinfo=UTC),
        "currency": "USD",
        "ship_to": HOME,
        "lines": lines or (OrderLine(line_id="1", sku="MUG", quantity=1),),
        "totals": Totals(total=100),
    }
    return Order(**(values | more))


STRICT = Policy(
    validation=Validation(currencies=("EUR",), max_quantity=10),
    payment=PaymentPolicy(accept_cod=False, accept_elsewhere=False),
    shipping=(ShippingMethod(code="post", countries=("CA",)),),
)


def test_every_problem_is_found_at_once() -> None:
    wrong = order(
        OrderLine(line_id="1", sku="GONE", quantity=11),
        OrderLine(line_id="2", sku="", quantity=1),
        OrderLine(line_id="3", sku="OLD", quantity=-1),
        ship_to=None,
        totals=Totals(total=-1),
        payment=Payment(form=PaymentForm.COD),
    )
    found = problems_of(wrong, STRICT, {"OLD": Product(sku="OLD", active=False)}, ("twin",))

    assert [field for field, _ in found] == [
        "lines[0].quantity",
        "lines[0].sku",
        "lines[1].sku",
        "lines[2].quantity",
        "lines[2].sku",
        "currency",
        "totals.total",
        "ship_to",
        "shipping.code",
        "payment.form",
        "order",
    ]


@pytest.mark.parametrize(
    "line",
    [
        OrderLine(line_id="1", sku="", quantity=1, requires_shipping=False),
        OrderLine(line_id="1", sku="MUG", quantity=1),
        OrderLine(line_id="1", sku="MUG", quantity=2, already_cancelled=1),
    ],
)
def test_a_sound_order_has_no_problem(line: OrderLine) -> None:
    assert problems_of(order(line), Policy(), {"MUG": Product(sku="MUG")}) == ()


def test_an_order_with_nothing_left_says_so() -> None:
    line = OrderLine(line_id="1", sku="MUG", quantity=1, already_cancelled=1)
    assert problems_of(order(line), Policy(), {"MUG": Product(sku="MUG")}) == (
        ("lines", "nothing is left to send"),
    )
