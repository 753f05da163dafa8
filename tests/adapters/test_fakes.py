"""The fakes' own promises: seeded, deterministic, fast, and books that cannot be cooked."""

import asyncio
import time

import pytest

from domain.errors import EffectRefused, ProviderUnavailable
from domain.money import Money
from tests.fakes.faults import Fault, FaultPlan
from tests.fakes.payments import FakePaymentGateway

EUR = Money(amount=1_000, currency="EUR")


async def authorise(gateway: FakePaymentGateway, n: int) -> str:
    order = f"shop-{n}"
    for _ in range(50):
        try:
            payment = await gateway.authorise(
                order, EUR, customer="", method="pm", multi_capture=False,
                key=f"{order}:authorise:1",
            )  # fmt: skip
        except ProviderUnavailable:
            continue
        return payment.reference
    raise AssertionError("fifty failures in a row")


async def run(seed: int, orders: list[int]) -> tuple[list[tuple[str, str, Fault]], int]:
    rates = {"payments.*": {Fault.AFTER: 0.2, Fault.BEFORE: 0.2}}
    gateway = FakePaymentGateway(faults=FaultPlan(seed, rates))
    for n in orders:
        await authorise(gateway, n)
    return sorted(gateway._desk.faults.struck), len(gateway.ledger.rows(kind="authorise"))


async def test_a_seed_makes_the_same_run_in_any_order() -> None:
    there, back = await run(7, list(range(100))), await run(7, list(range(99, -1, -1)))
    assert there == back
    assert there[1] == 100
    assert (await run(8, list(range(100))))[0] != there[0]


async def test_scripted_faults_strike_as_often_as_told_and_where_told() -> None:
    faults = FaultPlan()
    gateway = FakePaymentGateway(faults=faults)
    faults.add("payments.authorise", Fault.UNAVAILABLE, times=2, key="shop-2:*")
    await authorise(gateway, 1)
    await authorise(gateway, 2)
    assert [(key, fault) for _, key, fault in faults.struck] == [
        ("shop-2:authorise:1", Fault.UNAVAILABLE)
    ] * 2


async def test_a_charge_back_lowers_what_can_be_refunded() -> None:
    gateway = FakePaymentGateway()
    reference = gateway.placed_by_storefront(EUR, captured=True)
    gateway.charge_back(reference, 600)
    with pytest.raises(EffectRefused):
        await gateway.refund("o", reference, Money(amount=500, currency="EUR"), key="o:refund:1")
    await gateway.refund("o", reference, Money(amount=400, currency="EUR"), key="o:refund:2")


async def test_thousands_of_calls_a_second() -> None:
    gateway = FakePaymentGateway(faults=FaultPlan(1, {"payments.*": {Fault.AFTER: 0.01}}))
    start = time.perf_counter()
    await asyncio.gather(*(authorise(gateway, n) for n in range(2_000)))
    assert time.perf_counter() - start < 1.0
