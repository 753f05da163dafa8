"""Whatever arrives, the answer is an event or ``InvalidOrder``, and nothing else."""

import contextlib
import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidOrder
from tests.storefronts.platforms import STOREFRONTS, body_of, faults, read

TOPICS = {
    "shopify": ("x_shopify_topic", ["", "orders/create", "orders/cancelled", "orders/updated"]),
    "woocommerce": ("x_wc_webhook_topic", ["", "order.created", "order.updated", "order.deleted"]),
    "generic": ("webhook_id", ["msg_1"]),
}
HOSTILE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(
        [-1, 0, 10**30, "-5.00", "1e999999999", "", "  ", [], {}, [[]], [None], {"a": []}, "\ud800",
         "\x00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "x" * 5000, "USD", "XAU",
         "4111111111111111", 1e308, -0.0, 1.5, "gid://shopify/Order/x", "١٢"]
    ),
)  # fmt: skip


def places(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


@st.composite
def mutated(draw, platform):
    body = body_of(platform)
    if platform == "generic" and draw(st.booleans()):
        body = {"type": "order.created", "timestamp": "2026-03-01T11:00:05Z", "data": body}
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(list(places(body)) or [("new",)]))
        target = body
        for key in parents:
            target = target[key]
        if draw(st.booleans()) or last == "new":
            target[last] = copy.deepcopy(draw(HOSTILE))
        else:
            del target[last]
    raw = json.dumps(body).encode()
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(st.binary(max_size=3)) + raw[at + draw(st.integers(0, 9)) :]
    return raw


@pytest.mark.parametrize("platform", STOREFRONTS)
@settings(deadline=None, max_examples=250)
@given(data=st.data())
def test_a_mutated_body_raises_nothing_but_invalid_order(platform, data):
    header, topics = TOPICS[platform]
    raw, topic = data.draw(mutated(platform)), data.draw(st.sampled_from(topics))
    with contextlib.suppress(InvalidOrder):
        event = read(STOREFRONTS[platform], raw, **{header: topic})
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
