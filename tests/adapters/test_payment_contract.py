"""What every payment gateway promises: one suite for the fake and for Stripe's adapter."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from domain.errors import EffectRefused, PaymentDeclined
from ports.payments import PaymentState
from tests.adapters.payment_rigs import SERVERS, FakeRig, PaymentRig, eur, held, rig_on


@pytest.fixture(params=SERVERS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[PaymentRig]:
    made = rig_on(request.param, request)
    yield made
    await made.aclose()


class TestAuthorise:
    async def test_it_holds_the_amount_and_takes_nothing(self, rig: PaymentRig, order: str) -> None:
        payment = await held(rig, order)
        assert payment.state is PaymentState.AUTHORISED
        assert (payment.amount, payment.currency) == (10_000, "EUR")
        assert (payment.capturable, payment.captured, payment.refunded) == (10_000, 0, 0)

    async def test_it_says_when_it_lapses(self, rig: PaymentRig, order: str) -> None:
        rig.needs("expiry")
        payment = await held(rig, order)
        now = rig.time if isinstance(rig, FakeRig) else datetime.now(UTC)
        assert payment.expires_at is not None
        assert 6 <= (payment.expires_at - now).total_seconds() / 86_400 <= 8

    async def test_a_key_makes_one_authorisation(self, rig: PaymentRig, order: str) -> None:
        rig.needs("keys")
        assert await held(rig, order) == await held(rig, order)
        assert await rig.effects(order, "authorise") == [10_000]

    async def test_a_key_with_other_parameters_is_refused(
        self, rig: PaymentRig, order: str
    ) -> None:
        rig.needs("keys")
        await held(rig, order, 10_000)
        with pytest.raises(EffectRefused) as refused:
            await held(rig, order, 9_000)
        assert refused.value.code == "key_reused"

    async def test_a_decline_keeps_its_code(self, rig: PaymentRig, order: str) -> None:
        with pytest.raises(PaymentDeclined) as declined:
            await rig.gateway.authorise(
                order, eur(500), customer="", method=rig.declined, multi_capture=False,
                key=f"{order}:authorise:1",
            )  # fmt: skip
        assert declined.value.code == "card_declined"

    async def test_multi_capture_is_had_where_it_is_asked_for(
        self, rig: PaymentRig, order: str
    ) -> None:
        rig.needs("multi-capture")
        assert not (await held(rig, order, n=1)).multi_capture
        assert (await held(rig, order, several=True, n=2)).multi_capture


class TestCapture:
    async def test_the_whole_amount_is_captured(self, rig: PaymentRig, order: str) -> None:
        payment = await held(rig, order)
        taken = await rig.gateway.capture(
            order, payment.reference, eur(10_000), final=True, key=f"{order}:capture:1"
        )
        assert (taken.amount, taken.capturable) == (10_000, 0)
        assert (await rig.gateway.retrieve(payment.reference)).state is PaymentState.CAPTURED

    async def test_a_final_part_releases_the_rest(self, rig: PaymentRig, order: str) -> None:
        rig.needs("amounts", "ledger")
        payment = await held(rig, order)
        await rig.gateway.capture(
            order, payment.reference, eur(6_000), final=True, key=f"{order}:capture:1"
        )
        after = await rig.gateway.retrieve(payment.reference)
        assert (after.captured, after.capturable, after.refunded) == (6_000, 0, 0)
        assert await rig.effects(order, "release") == [4_000]

    async def test_parcels_are_captured_one_by_one(self, rig: PaymentRig, order: str) -> None:
        rig.needs("multi-capture")
        payment = await held(rig, order, several=True)
        first = await rig.gateway.capture(
            order, payment.reference, eur(6_000), final=False, key=f"{order}:capture:1"
        )
        second = await rig.gateway.capture(
            order, payment.reference, eur(4_000), final=True, key=f"{order}:capture:2"
        )
        assert (first.capturable, second.capturable) == (4_000, 0)
        assert (await rig.gateway.retrieve(payment.reference)).captured == 10_000
        assert await rig.effects(order, "capture") == [6_000, 4_000]

    async def test_the_rest_is_not_kept_without_multi_capture(
        self, rig: PaymentRig, order: str
    ) -> None:
        payment = await held(rig, order)
        with pytest.raises(EffectRefused):
            await rig.gateway.capture(
                order, payment.reference, eur(6_000), final=False, key=f"{order}:capture:1"
            )

    async def test_no_more_is_captured_than_is_held(self, rig: PaymentRig, order: str) -> None:
        payment = await held(rig, order)
        with pytest.raises(EffectRefused):
            await rig.gateway.capture(
                order, payment.reference, eur(10_001), final=True, key=f"{order}:capture:1"
            )

    async def test_a_key_makes_one_capture(self, rig: PaymentRig, order: str) -> None:
        rig.needs("keys")
        payment = await held(rig, order, several=True)
        for _ in range(2):
            await rig.gateway.capture(
                order, payment.reference, eur(6_000), final=False, key=f"{order}:capture:1"
            )
        assert await rig.effects(order, "capture") == [6_000]

    async def test_the_fee_is_told(self, rig: PaymentRig, order: str) -> None:
        rig.needs("amounts")
        payment = await held(rig, order)
        taken = await rig.gateway.capture(
            order, payment.reference, eur(10_000), final=True, key=f"{order}:capture:1"
        )
        assert taken.fee == 320

    async def test_a_lapsed_hold_is_not_captured(self, rig: PaymentRig, order: str) -> None:
        rig.needs("expiry")
        payment = await held(rig, order)
        await rig.lapse(payment.reference)
        with pytest.raises(EffectRefused):
            await rig.gateway.capture(
                order, payment.reference, eur(10_000), final=True, key=f"{order}:capture:1"
            )
        assert await rig.effects(order, "capture") == []


class TestVoid:
    async def test_it_releases_the_hold(self, rig: PaymentRig, order: str) -> None:
        payment = await held(rig, order)
        await rig.gateway.void(order, payment.reference, key=f"{order}:void:1")
        after = await rig.gateway.retrieve(payment.reference)
        assert (after.state, after.capturable) == (PaymentState.VOIDED, 0)

    async def test_what_is_void_is_not_captured(self, rig: PaymentRig, order: str) -> None:
        rig.needs("memory of a void")
        payment = await held(rig, order)
        await rig.gateway.void(order, payment.reference, key=f"{order}:void:1")
        with pytest.raises(EffectRefused):
            await rig.gateway.capture(
                order, payment.reference, eur(1), final=True, key=f"{order}:capture:1"
            )

    async def test_void_twice_and_void_of_nothing_are_all_right(
        self, rig: PaymentRig, order: str
    ) -> None:
        payment = await held(rig, order)
        for n in (1, 2):
            await rig.gateway.void(order, payment.reference, key=f"{order}:void:{n}")
        await rig.gateway.void(order, "pi_never_was", key=f"{order}:void:3")

    async def test_a_lapsed_hold_is_void_already(self, rig: PaymentRig, order: str) -> None:
        rig.needs("expiry")
        payment = await held(rig, order)
        await rig.lapse(payment.reference)
        await rig.gateway.void(order, payment.reference, key=f"{order}:void:1")

    async def test_what_is_captured_is_not_void(self, rig: PaymentRig, order: str) -> None:
        rig.needs("amounts")
        payment = await held(rig, order)
        await rig.gateway.capture(
            order, payment.reference, eur(10_000), final=True, key=f"{order}:capture:1"
        )
        with pytest.raises(EffectRefused) as refused:
            await rig.gateway.void(order, payment.reference, key=f"{order}:void:1")
        assert refused.value.code == "already_captured"


class TestRefund:
    async def captured(self, rig: PaymentRig, order: str) -> str:
        payment = await held(rig, order)
        await rig.gateway.capture(
            order, payment.reference, eur(10_000), final=True, key=f"{order}:capture:1"
        )
        return payment.reference

    async def test_parts_are_refunded_once_a_key(self, rig: PaymentRig, order: str) -> None:
        reference = await self.captured(rig, order)
        first = await rig.gateway.refund(order, reference, eur(3_000), key=f"{order}:refund:1")
        await rig.gateway.refund(order, reference, eur(2_000), key=f"{order}:refund:2")
        assert first.amount == 3_000
        assert (await rig.gateway.retrieve(reference)).refunded == 5_000
        rig.needs("keys")
        again = await rig.gateway.refund(order, reference, eur(3_000), key=f"{order}:refund:1")
        assert again == first
        assert await rig.effects(order, "refund") == [3_000, 2_000]

    async def test_no_more_is_refunded_than_was_captured(self, rig: PaymentRig, order: str) -> None:
        rig.needs("refund limit")
        reference = await self.captured(rig, order)
        answers = await asyncio.gather(
            rig.gateway.refund(order, reference, eur(6_000), key=f"{order}:refund:1"),
            rig.gateway.refund(order, reference, eur(6_000), key=f"{order}:refund:2"),
            return_exceptions=True,
        )
        assert sorted(type(answer).__name__ for answer in answers) == ["EffectRefused", "Refund"]
        assert await rig.effects(order, "refund") == [6_000]


class TestAdopt:
    async def test_a_storefronts_hold_is_ours_to_capture(self, rig: PaymentRig, order: str) -> None:
        reference = await rig.storefront_payment(eur(2_500))
        payment = await rig.gateway.adopt(order, reference, key=f"{order}:adopt:1")
        assert (payment.state, payment.capturable) == (PaymentState.AUTHORISED, 2_500)
        await rig.gateway.capture(
            order, payment.reference, eur(2_500), final=True, key=f"{order}:capture:1"
        )

    async def test_money_taken_by_the_storefront_is_refunded_by_us(
        self, rig: PaymentRig, order: str
    ) -> None:
        reference = await rig.storefront_payment(eur(2_500), captured=True)
        payment = await rig.gateway.adopt(order, reference, key=f"{order}:adopt:1")
        assert (payment.state, payment.captured) == (PaymentState.CAPTURED, 2_500)
        await rig.gateway.refund(order, payment.reference, eur(2_500), key=f"{order}:refund:1")

    async def test_a_payment_belongs_to_one_order(self, rig: PaymentRig, order: str) -> None:
        reference = await rig.storefront_payment(eur(2_500))
        await rig.gateway.adopt(order, reference, key=f"{order}:adopt:1")
        assert await rig.gateway.adopt(order, reference, key=f"{order}:adopt:1")
        with pytest.raises(EffectRefused) as refused:
            await rig.gateway.adopt("shop-other", reference, key=f"{order}:adopt:other")
        assert refused.value.code == "adopted_by_another_order"

    async def test_a_payment_that_is_not_there_is_refused(
        self, rig: PaymentRig, order: str
    ) -> None:
        with pytest.raises(EffectRefused):
            await rig.gateway.adopt(order, "pi_never_was", key=f"{order}:adopt:1")
