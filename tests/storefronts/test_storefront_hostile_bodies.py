"""Whatever arrives, the answer is an event or ``InvalidOrder``, and nothing else."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidOrder
from tests.storefronts.hostile import mutated, text_of
from tests.storefronts.platforms import STOREFRONTS, body_of, faults, read, sent


@pytest.mark.parametrize("platform", STOREFRONTS)
@settings(deadline=None, max_examples=250)
@given(random=st.randoms(use_true_random=False))
def test_a_mutated_body_raises_nothing_but_invalid_order(platform, random):
    body, headers = sent(platform, random)
    raw = text_of(mutated(body, random), random)
    with contextlib.suppress(InvalidOrder):
        event = read(STOREFRONTS[platform], raw, **headers)
        assert event.order is None or event.order.lines


@pytest.mark.parametrize("platform", STOREFRONTS)
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"webhook_id=12",
        b"null",
        b'"text"',
        b"12",
        b"[]",
        b"{}",
        b'{"id": 1',
        b'{"id": NaN}',
        b'{"id": 1, "id": 2}',
        b'{"id": ' + b"9" * 5000 + b"}",
        b'{"id": 1e99999999999999999999}',
        b'{"id": "\\u0000"}',
        b'{"id": "\\ud800"}',
        b'{"id": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b"\xef\xbb\xbf{}",
        b" " * (1024 * 1024 + 1),
    ],
)
def test_what_is_no_strict_json_object_is_refused(platform, raw):
    assert faults(lambda: read(STOREFRONTS[platform], raw))


@pytest.mark.parametrize("platform", STOREFRONTS)
def test_a_card_number_anywhere_is_refused_and_not_repeated(platform):
    body = body_of(platform) | {"note": "my card is 4111 1111 1111 1111"}
    with pytest.raises(InvalidOrder) as refusal:
        read(STOREFRONTS[platform], body)
    assert refusal.value.problems == [("note", "looks like a card number")]


@pytest.mark.parametrize("platform", STOREFRONTS)
def test_a_body_twice_is_the_same_order(platform):
    assert read(STOREFRONTS[platform], body_of(platform)) == read(
        STOREFRONTS[platform], body_of(platform)
    )
