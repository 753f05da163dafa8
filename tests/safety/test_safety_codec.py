"""Payload encryption: what Temporal stores says nothing, and what we read back was not changed."""

import traceback
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safety_material import NEW, OLD
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from adapters.temporal.codec import MAX_BYTES, EncryptionCodec, UnreadablePayload
from adapters.temporal.converter import data_converter
from adapters.temporal.keys import KeyRing
from adapters.temporal.words import WORDS_1
from contracts.orders import OrderRef
from contracts.steps import LabelBought
from domain.errors import DomainError

CLEAR = Payload(metadata={"encoding": b"json/plain"}, data=b'{"mail":"jane@example.com"}')


async def test_clear_text_is_not_in_the_payload(ring: KeyRing) -> None:
    (sealed,) = await EncryptionCodec(ring).encode([CLEAR])
    stored = sealed.SerializeToString()
    assert not any(word in stored for word in (b"jane", b"example", b"mail", b"json/plain"))
    assert await EncryptionCodec(ring).decode([sealed]) == [CLEAR]


async def test_the_same_value_never_looks_the_same_twice(ring: KeyRing) -> None:
    sealed = await EncryptionCodec(ring).encode([CLEAR] * 50)
    assert len({payload.data for payload in sealed}) == 50


async def test_rotation_keeps_old_payloads_readable_and_seals_with_the_new_key(
    ring: KeyRing, old_ring: KeyRing
) -> None:
    old = await EncryptionCodec(old_ring).encode([CLEAR])
    new = await EncryptionCodec(ring).encode([CLEAR])
    assert await EncryptionCodec(ring).decode([*old, *new]) == [CLEAR, CLEAR]
    assert [one.metadata["encoding"] for one in (*old, *new)] == [b"sealed/n0", b"sealed/n1"]


async def test_a_missing_key_is_named(ring: KeyRing, old_ring: KeyRing) -> None:
    sealed = await EncryptionCodec(ring).encode([CLEAR])
    with pytest.raises(UnreadablePayload, match="no key b'n1'"):
        await EncryptionCodec(old_ring).decode(sealed)


async def test_every_flipped_bit_is_noticed(ring: KeyRing) -> None:
    codec = EncryptionCodec(ring)
    (sealed,) = await codec.encode([CLEAR])
    for position in range(len(sealed.data) * 8):
        changed = bytearray(sealed.data)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(UnreadablePayload):
            await codec.decode([Payload(metadata=dict(sealed.metadata), data=bytes(changed))])


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 27, 28, 29])
async def test_a_truncated_payload_is_noticed(ring: KeyRing, length: int) -> None:
    (sealed,) = await EncryptionCodec(ring).encode([CLEAR])
    cut = Payload(metadata=dict(sealed.metadata), data=sealed.data[:length])
    with pytest.raises(UnreadablePayload):
        await EncryptionCodec(ring).decode([cut])


async def test_the_key_id_is_bound_to_the_payload() -> None:
    one = EncryptionCodec(KeyRing.parse(f"a:{NEW},b:{OLD}"))
    renamed = EncryptionCodec(KeyRing.parse(f"b:{NEW}"))
    (sealed,) = await one.encode([CLEAR])
    relabelled = Payload(metadata={"encoding": b"sealed/b"}, data=sealed.data)
    with pytest.raises(UnreadablePayload):
        await renamed.decode([relabelled])


async def test_what_was_never_sealed_passes_and_sealing_twice_is_sealing_once(
    ring: KeyRing,
) -> None:
    codec = EncryptionCodec(ring)
    once = await codec.encode([CLEAR])
    assert await codec.decode([CLEAR]) == [CLEAR]
    assert await codec.encode(once) == once


async def test_none_stays_as_small_as_it_is(ring: KeyRing) -> None:
    (payload,) = await data_converter(ring).encode([None])
    assert payload.ByteSize() < 40


async def test_a_payload_never_inflates_beyond_the_limit(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec, large = EncryptionCodec(ring), Payload(data=b"0" * MAX_BYTES)
    assert await codec.decode(await codec.encode([large])) == [large]
    monkeypatch.setattr("adapters.temporal.codec.MAX_BYTES", 2 * MAX_BYTES)
    bomb = await codec.encode([large])
    monkeypatch.undo()
    with pytest.raises(UnreadablePayload, match="inflates to more"):
        await codec.decode(bomb)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=3000), encoding=st.sampled_from([b"json/plain", b"binary/plain"]))
async def test_any_payload_comes_back_exactly(data: bytes, encoding: bytes) -> None:
    codec = EncryptionCodec(KeyRing.parse(f"n1:{NEW}"))
    payload = Payload(metadata={"encoding": encoding, "x": b"y"}, data=data)
    (sealed,) = await codec.encode([payload])
    assert await codec.decode([sealed]) == [payload]
    assert sealed.ByteSize() <= payload.ByteSize() + 70


def _raised() -> Exception:
    try:
        secret_name = "Jane Doe"
        raise ValueError(f"no street for {secret_name}, jane@example.com")
    except ValueError as cause:
        error = ApplicationError("Jane Doe was refused", {"mail": "jane@example.com"}, type="x")
        error.__cause__ = cause
        assert "Jane" in "".join(traceback.format_exception(error))
        return error


async def test_failure_messages_traces_and_details_are_sealed(ring: KeyRing) -> None:
    converter, failure = data_converter(ring), Failure()
    await converter.encode_failure(_raised(), failure)
    stored = failure.SerializeToString()
    assert not any(word in stored for word in (b"Jane", b"jane", b"refused", b"_raised"))
    error = await converter.decode_failure(failure)
    assert "Jane Doe was refused" in str(error)
    assert "no street" in str(error.__cause__)


async def test_a_payload_stays_small(ring: KeyRing) -> None:
    sizes = {
        type(value).__name__: (await data_converter(ring).encode([value]))[0].ByteSize()
        for value in (
            OrderRef(order_id="webshop-1001"),
            LabelBought(
                label_id="shp_4a1f8c09d2b74e6f9d",
                carrier="USPS",
                service="Priority",
                tracking_number="9400100897846211234567",
                tracking_url="https://track.easypost.com/djE6dHJrX2",
                cost=712,
                currency="USD",
            ),
        )
    }
    assert sizes["OrderRef"] <= 95
    assert sizes["LabelBought"] <= 165


def test_the_words_of_stored_histories_never_change() -> None:
    assert sha256(WORDS_1).hexdigest() == (
        "d5e761d4694268b844f3cabd41c511f5c465a4d32f6c6f81c403006f7dcb53a0"
    ), "add WORDS_2 instead: every stored history was written with these words"


async def test_a_history_written_by_the_first_version_is_readable() -> None:
    sealed = Payload(
        metadata={"encoding": b"sealed/n0"},
        data=bytes.fromhex(
            "5ed8d8dc1df2e132acb3019887766d802654c8eba05381d1b635b178fd173043be1567daf17ae2c4f2f1"
        ),
    )
    converter: DataConverter = data_converter(KeyRing.parse(f"n1:{NEW},n0:{OLD}"))
    assert await converter.decode([sealed], [OrderRef]) == [OrderRef(order_id="shop-1001")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no encryption key"),
        ("justbase64", "key 1 is not written"),
        (f"a:{NEW},a:{OLD}", "stands twice"),
        ("a:not base64!", "not base64"),
        ("a:c2hvcnQ=", "has 5 bytes"),
    ],
)
def test_bad_keys_are_named_and_not_shown(text: str, says: str) -> None:
    with pytest.raises(DomainError, match=says) as refused:
        KeyRing.parse(text)
    assert refused.value.code == "bad_keys"
    assert "c2hvcnQ" not in str(refused.value)


def test_a_ring_never_prints_its_keys(ring: KeyRing) -> None:
    assert repr(ring) == "KeyRing(active='n1')"
