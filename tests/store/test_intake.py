"""Taking orders in: each one once for ever, whatever is delivered how often."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from domain.order import FOLLOWED
from ports.stores import NOT_TAKEN, Intake, OrderFilter
from tests.store.shop import NOON, AnyStore, accept, delivery, order


def test_a_new_order_is_stored_whole(store: AnyStore) -> None:
    answer = accept(store)
    stored = store.get("shop-1001")
    assert answer.intake is Intake.NEW
    assert stored is not None
    assert stored.order == order()
    assert stored.ship_to == order().ship_to
    assert stored.progress is None


def test_the_same_order_again_is_a_repeat(store: AnyStore) -> None:
    accept(store)
    again = store.accept(delivery(delivery_id="d-2"), order())
    assert (again.intake, again.order_id, again.status) == (
        Intake.REPEAT,
        "shop-1001",
        "received",
    )
    assert store.alerts() == []


def test_the_same_order_with_another_body_is_a_conflict_and_an_alert(store: AnyStore) -> None:
    accept(store)
    forged = store.accept(delivery(body="other", delivery_id="d-2"), order(quantity=99))
    assert forged.intake is Intake.CONFLICT
    assert store.get("shop-1001").order == order()
    assert [alert["kind"] for alert in store.alerts()] == ["order_conflict"]


def test_a_later_event_in_other_words_is_no_conflict_whichever_comes_first(
    store: AnyStore,
) -> None:
    paid = {"attributes": {FOLLOWED: "orders/paid"}}
    for external_id, first, second in (("1", {}, paid), ("2", paid, {})):
        store.accept(delivery(external_id, f"a-{external_id}", "one"), order(external_id, **first))
        again = delivery(external_id, f"b-{external_id}", "two")
        assert store.accept(again, order(external_id, **second)).intake is Intake.REPEAT
    called_off = store.accept(delivery("1", "c-1", "three"), order("1"), "called off")
    assert called_off.intake is Intake.REPEAT
    assert store.alerts() == []


def test_a_delivery_id_never_carries_two_orders(store: AnyStore) -> None:
    accept(store)
    second = store.accept(delivery("1002", delivery_id="d-1001"), order("1002"))
    assert second.intake is Intake.CONFLICT
    assert store.get("shop-1002") is None


def test_two_channels_never_share_an_order_id(store: AnyStore) -> None:
    accept(store)
    other = order().model_copy(update={"channel": "sho", "external_id": "p-1001"})
    answer = store.accept(delivery("p-1001", channel="sho"), other)
    assert answer.intake is Intake.CONFLICT
    assert store.get("shop-1001").order.channel == "shop"


def test_one_order_delivered_200_times_at_once_is_new_once(store: AnyStore) -> None:
    def deliver(number: int) -> Intake:
        return store.accept(delivery(delivery_id=f"d-{number}"), order()).intake

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(deliver, range(200)))
    assert answers.count(Intake.NEW) == 1
    assert answers.count(Intake.REPEAT) == 199
    assert len(store.list(OrderFilter()).rows) == 1


def test_a_delivery_is_recorded_once(store: AnyStore) -> None:
    assert store.record(delivery()) is True
    assert store.record(delivery()) is False


def test_an_order_recorded_before_it_was_read_is_still_taken_in(store: AnyStore) -> None:
    store.record(delivery())
    assert accept(store).intake is Intake.NEW


def test_a_cancel_before_its_order_is_met_by_the_order(store: AnyStore) -> None:
    known = store.park_cancel(delivery(delivery_id="c-1"), "too slow", NOON + timedelta(hours=1))
    assert known is None
    assert accept(store).parked_cancel == "too slow"
    assert store.parked(NOON + timedelta(days=1)) == []


def test_a_cancel_after_its_order_names_the_order(store: AnyStore) -> None:
    accept(store)
    until = NOON + timedelta(hours=1)
    assert store.park_cancel(delivery(delivery_id="c-1"), "too slow", until) == "shop-1001"


def test_a_cancel_that_no_order_meets_is_found_after_its_deadline(store: AnyStore) -> None:
    cancel = delivery("404", delivery_id="c-1")
    store.park_cancel(cancel, "?", NOON + timedelta(hours=1))
    assert store.parked(NOON) == []
    assert store.parked(NOON + timedelta(hours=1)) == [cancel]


def test_a_cancel_that_no_order_met_is_told_of_once(store: AnyStore) -> None:
    later = NOON + timedelta(hours=1)
    for external_id in ("404", "405"):
        store.park_cancel(delivery(external_id, f"c-{external_id}"), "?", NOON)
    store.alert("parked_cancel", "shop-404", "it never came", later)
    assert [cancel.external_id for cancel in store.parked(later)] == ["405"]
    (alert,) = store.alerts()
    store.close_alert(alert["alert_id"], later)
    assert [cancel.external_id for cancel in store.parked(later)] == ["405"]


def test_a_cancel_of_an_order_that_was_never_to_be_taken_is_nothing_to_tell(
    store: AnyStore,
) -> None:
    ignored = delivery("404", "i-1").model_copy(update={"outcome": f"{NOT_TAKEN} never paid"})
    other = delivery("405", "i-2").model_copy(update={"outcome": "cancel"})
    for known in (ignored, other):
        store.record(known)
        store.park_cancel(delivery(known.external_id, f"c-{known.external_id}"), "?", NOON)
    assert [cancel.external_id for cancel in store.parked(NOON)] == ["405"]


def test_cancel_and_order_at_once_always_meet(store: AnyStore) -> None:
    until = NOON + timedelta(hours=1)

    def cancel(number: int) -> bool:
        return bool(store.park_cancel(delivery(str(number), f"c-{number}"), "no", until))

    def take(number: int) -> bool:
        return accept(store, str(number)).parked_cancel is not None

    with ThreadPoolExecutor(8) as pool:
        pairs = [(pool.submit(cancel, n), pool.submit(take, n)) for n in range(40)]
        met = [known.result() + parked.result() for known, parked in pairs]
    assert met == [1] * 40


def test_orders_whose_process_never_started_are_found(store: AnyStore) -> None:
    accept(store, "1001")
    accept(store, "1002")
    store.mark_started(["shop-1001"])
    assert store.unstarted(NOON + timedelta(minutes=1)) == [("shop-1002", None)]
    assert store.unstarted(NOON) == []


def test_an_unstarted_order_remembers_the_cancel_that_came_before_it(store: AnyStore) -> None:
    store.park_cancel(delivery("1001", "c-1"), "wrong size", NOON + timedelta(days=1))
    assert accept(store, "1001").parked_cancel == "wrong size"
    called_off = store.accept(delivery("1002"), order("1002"), "called off in the shop")
    assert called_off.parked_cancel == "called off in the shop"
    waiting = store.unstarted(NOON + timedelta(minutes=1))
    assert dict(waiting) == {"shop-1001": "wrong size", "shop-1002": "called off in the shop"}
    assert store.parked(NOON + timedelta(days=2)) == []


def test_the_order_records_the_policy_of_its_day(store: AnyStore) -> None:
    _, default = store.policy()
    accept(store, "1001")
    store.save_policy(default, "ann", NOON)
    accept(store, "1002")
    assert store.get("shop-1001").policy_version == 0
    assert store.get("shop-1002").policy_version == 1
