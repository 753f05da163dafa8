"""What is known after trouble: looking effects up, and repeating calls; fake and adapter alike."""

from collections.abc import AsyncIterator

import pytest

from domain.errors import ProviderUnavailable
from ports.payments import Capture, Refund
from tests.adapters.payment_rigs import SERVERS, PaymentRig, eur, held, rig_on
from tests.fakes.faults import Fault


@pytest.fixture(params=SERVERS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[PaymentRig]:
    made = rig_on(request.param, request)
    yield made
    await made.aclose()


class TestFind:
    async def test_nothing_proves_that_nothing_happened(self, rig: PaymentRig, order: str) -> None:
        assert await rig.gateway.find(order, f"{order}:authorise:1") is None
        assert await rig.gateway.find(order, f"{order}:void:1", reference="pi_never_was") is None

    async def test_an_authorisation_is_found_without_its_reference(
        self, rig: PaymentRig, order: str
    ) -> None:
        payment = await held(rig, order)
        assert await rig.gateway.find(order, f"{order}:authorise:1") == payment
        assert await rig.gateway.find(order, f"{order}:authorise:2") is None
        assert await rig.gateway.find("shop-other", f"{order}:authorise:1") is None

    async def test_a_refund_is_found(self, rig: PaymentRig, order: str) -> None:
        payment = await held(rig, order)
        reference, key = payment.reference, f"{order}:refund:1"
        await rig.gateway.capture(
            order, reference, eur(10_000), final=True, key=f"{order}:capture:1"
        )
        assert await rig.gateway.find(order, key, reference=reference) is None
        given = await rig.gateway.refund(order, reference, eur(700), key=key)
        assert await rig.gateway.find(order, key, reference=reference) == given
        assert await rig.gateway.find(order, key) == given

    async def test_each_of_two_captures_is_found(self, rig: PaymentRig, order: str) -> None:
        rig.needs("capture marks", "multi-capture")
        payment = await held(rig, order, several=True)
        for n, amount in ((1, 6_000), (2, 3_000)):
            await rig.gateway.capture(
                order, payment.reference, eur(amount), final=False, key=f"{order}:capture:{n}"
            )
        for n, amount in ((1, 6_000), (2, 3_000)):
            for reference in ("", payment.reference):
                found = await rig.gateway.find(order, f"{order}:capture:{n}", reference=reference)
                assert isinstance(found, Capture)
                assert found.amount == amount
        assert await rig.gateway.find(order, f"{order}:capture:3") is None

    async def test_an_adoption_is_found(self, rig: PaymentRig, order: str) -> None:
        reference = await rig.storefront_payment(eur(2_500))
        adopted = await rig.gateway.adopt(order, reference, key=f"{order}:adopt:1")
        found = await rig.gateway.find(order, f"{order}:adopt:1", reference=reference)
        assert found == adopted


class TestTrouble:
    @pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.UNAVAILABLE])
    async def test_repeating_with_the_key_makes_one_authorisation(
        self, rig: PaymentRig, order: str, fault: Fault
    ) -> None:
        rig.needs("faults")
        await rig.fail("authorise", fault)
        with pytest.raises(ProviderUnavailable) as trouble:
            await held(rig, order)
        assert trouble.value.retry_after == (30 if fault is Fault.UNAVAILABLE else None)
        found = await rig.gateway.find(order, f"{order}:authorise:1")
        assert (found is not None) == (fault is Fault.AFTER)
        await held(rig, order)
        assert await rig.effects(order, "authorise") == [10_000]

    @pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
    async def test_repeating_with_the_key_makes_one_capture_and_one_refund(
        self, rig: PaymentRig, order: str, fault: Fault
    ) -> None:
        rig.needs("faults")
        payment = await held(rig, order)
        await rig.fail("capture", fault)
        capture = (order, payment.reference, eur(10_000))
        with pytest.raises(ProviderUnavailable):
            await rig.gateway.capture(*capture, final=True, key=f"{order}:capture:1")
        await rig.gateway.capture(*capture, final=True, key=f"{order}:capture:1")
        await rig.fail("refund", fault)
        with pytest.raises(ProviderUnavailable):
            await rig.gateway.refund(*capture, key=f"{order}:refund:1")
        await rig.gateway.refund(*capture, key=f"{order}:refund:1")
        assert await rig.effects(order, "capture") == [10_000]
        assert await rig.effects(order, "refund") == [10_000]

    async def test_a_stored_failure_without_effect_is_proved_and_drawn_anew(
        self, rig: PaymentRig, order: str
    ) -> None:
        rig.needs("faults")
        payment = await held(rig, order)
        await rig.fail("capture", Fault.STUCK)
        capture = (order, payment.reference, eur(10_000))
        for _ in range(2):
            with pytest.raises(ProviderUnavailable):
                await rig.gateway.capture(*capture, final=True, key=f"{order}:capture:1")
        first = f"{order}:capture:1"
        assert await rig.gateway.find(order, first, reference=payment.reference) is None
        await rig.gateway.capture(*capture, final=True, key=f"{order}:capture:2")
        assert await rig.effects(order, "capture") == [10_000]

    @pytest.mark.parametrize("call", ["capture", "refund"])
    async def test_a_stored_failure_with_effect_is_found(
        self, rig: PaymentRig, order: str, call: str
    ) -> None:
        rig.needs("faults")
        payment = await held(rig, order)
        what = (order, payment.reference, eur(10_000))
        if call == "refund":
            await rig.gateway.capture(*what, final=True, key=f"{order}:capture:1")
        await rig.fail(call, Fault.STUCK_AFTER)
        key = f"{order}:{call}:9"
        for _ in range(2):
            with pytest.raises(ProviderUnavailable):
                await (
                    rig.gateway.capture(*what, final=True, key=key)
                    if call == "capture"
                    else rig.gateway.refund(*what, key=key)
                )
        found = await rig.gateway.find(order, key, reference=payment.reference)
        assert isinstance(found, Capture if call == "capture" else Refund)
        assert found.amount == 10_000
