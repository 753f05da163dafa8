"""The judge of a run is itself judged: each fault, planted by hand, is found."""

from dataclasses import replace
from itertools import islice
from typing import Any

from adapters.storefronts.generic_order import read_generic
from cli.audit_books import Violation
from domain.progress import (
    LineUnits,
    MoneyProgress,
    OrderProgress,
    OrderStatus,
    ReturnProgress,
    ReturnStatus,
)
from ports.stores import StoredOrder
from tests.chaos.goods import payload_of
from tests.chaos.plan import PARTS, strikes, three_strikes, visits
from tests.chaos.report import without
from tests.chaos.verdict import Evidence, broken, changed, doubled, lost, percentile, stuck
from tests.chaos.witness import ADDRESS, CALLED_OFF, CANCEL, ORDER, RETURN, Told

ID = "shop-c-1"


def stored(status: OrderStatus = OrderStatus.COMPLETED, **more: Any) -> StoredOrder:
    order = read_generic(payload_of("generic-return", 1).body["data"], "shop")
    money = MoneyProgress(currency="USD")
    progress = OrderProgress(order_id=ID, status=status, money=money, **more)
    return StoredOrder(order=order, ship_to=order.ship_to, policy_version=1, progress=progress)


def returned(status: ReturnStatus) -> ReturnProgress:
    lines = (LineUnits(line_id="1", quantity=1),)
    return ReturnProgress(return_id=f"{ID}-r1", lines=lines, status=status)


def told(what: str = ORDER, answer: Any = None, **more: Any) -> Told:
    return replace(Told(what, ID, "k", f"/orders/{ID}", {}, 200, answer or {}), **more)


def paid(kind: str = "capture", key: str = "k1", **more: Any) -> dict[str, Any]:
    row = {"kind": kind, "order_id": ID, "idempotency_key": key, "purpose": "capture"}
    return {**row, "object_id": f"ch_{key}", "amount": 500, **more}


def parcel(number: str = "T1", reference: str = f"{ID}-s1") -> dict[str, Any]:
    return {"tracking_number": number, "reference": reference, "handed_over_at": 1.0}


def evidence(
    *given: Told,
    order: StoredOrder | None = None,
    payments: tuple[Any, ...] = (),
    parcels: tuple[Any, ...] = (),
    processes: tuple[tuple[str, str], ...] = ((f"order/{ID}", "Completed"),),
) -> Evidence:
    orders = {ID: order or stored()}
    ledger = {"payments": payments, "parcels": parcels}
    return Evidence(told=given, orders=orders, ledger=ledger, processes=processes)


def test_a_run_without_faults_is_acquitted() -> None:
    once = (paid("authorise", "k0"), paid(), paid("refund", "k2"))
    whole = evidence(told(), told(CANCEL, {"outcome": "too_late"}), payments=once)
    for judge in (lost, doubled, stuck, broken):
        assert list(judge(whole)) == []


def test_an_acknowledged_order_that_nobody_knows_is_lost() -> None:
    assert list(lost(evidence(told(order_id="shop-c-2"))))
    refused = told(order_id="shop-c-2", status=409)
    assert not list(lost(evidence(refused)))


def test_an_acknowledged_return_or_address_of_which_nothing_is_left_is_lost() -> None:
    opened = told(RETURN, {"return_id": f"{ID}-r1"})
    assert list(lost(evidence(opened)))
    there = stored(returns=(returned(ReturnStatus.REFUNDED),))
    assert not list(lost(evidence(opened, order=there)))
    assert list(lost(evidence(told(ADDRESS, asked={"address": {"postal_code": "99999"}}))))


def test_two_effects_of_one_key_and_two_runs_of_one_order_are_doubled() -> None:
    for twice in (
        evidence(payments=(paid(), paid(object_id="ch_other"))),
        evidence(payments=(paid(), paid(key="k2", object_id="ch_k1"))),
        evidence(parcels=(parcel(), parcel("T2"))),
        evidence(processes=((f"order/{ID}", "Completed"), (f"order/{ID}", "Completed"))),
    ):
        assert len(list(doubled(twice))) == 1
    orders = {ID: stored(), "shop-c-1-again": stored()}
    assert list(doubled(replace(evidence(), orders=orders)))


def test_an_order_or_a_process_that_has_not_ended_is_stuck() -> None:
    assert list(stuck(evidence(order=stored(OrderStatus.PROCESSING))))
    assert list(stuck(evidence(processes=((f"order/{ID}", "Running"),))))
    assert list(stuck(evidence(processes=((f"order/{ID}", "Failed"),))))


def test_a_cancel_that_was_promised_and_not_kept_is_found() -> None:
    promised = told(CANCEL, {"outcome": "cancelled"})
    cancelled = stored(OrderStatus.CANCELLED)
    assert not list(broken(evidence(promised, order=cancelled)))
    assert list(broken(evidence(promised)))
    assert list(broken(evidence(promised, order=cancelled, payments=(paid(),))))
    assert list(broken(evidence(promised, order=cancelled, parcels=(parcel(),))))
    late = told(CANCEL, {"outcome": "too_late"}, key="k2")
    assert list(broken(evidence(promised, late, order=cancelled)))
    assert list(broken(evidence(told(CALLED_OFF, {"status": "parked"}))))
    assert changed(promised, 200, {"outcome": "too_late"})
    assert not changed(promised, 200, {"outcome": "cancelled"})


def test_a_return_that_was_opened_and_not_refunded_is_found() -> None:
    one = returned(ReturnStatus.EXPIRED)
    opened = told(RETURN, {"return_id": f"{ID}-r1"})
    assert list(broken(evidence(opened, order=stored(returns=(one,)))))


def test_only_the_report_of_a_message_that_a_kill_left_claimed_is_no_violation() -> None:
    claimed = Violation(promise="N1", order_id=ID, text="shipped no. 1: claimed, never written")
    other = Violation(promise="N1", order_id=ID, text="2 mails arrived, 1 were meant")
    assert without([claimed, other], {(ID, "shipped no. 1")}) == [other]
    assert without([claimed], set()) == [claimed]


def test_the_same_seed_is_the_same_plan() -> None:
    first, again, other = (list(islice(strikes(seed), 60)) for seed in (7, 7, 8))
    assert first == again != other
    assert {victim for strike in first for victim in strike.victims} == set(PARTS)
    assert [strike.victims[0] for strike in three_strikes(7)][::2] == ["worker", "temporal"]
    stories = (("bought", 5), ("placed", 1))
    names = [[one.story for one in islice(visits(7, stories, 1.0), 50)] for _ in range(2)]
    assert names[0] == names[1]
    assert set(names[0][:2]) == {"bought", "placed"}


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([], 95) is None
    values = [float(n) for n in range(1, 21)]
    assert [percentile(values, share) for share in (50, 95, 100)] == [10.0, 19.0, 20.0]
