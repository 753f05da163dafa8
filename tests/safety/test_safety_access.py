"""API keys and customer links."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.security.api_keys import Scope, create, hash_of, may, verify
from adapters.security.links import MAX_TOKEN, Links, Purpose
from domain.errors import DomainError

NOW = datetime(2026, 10, 5, 8, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
OLD, NEW = "o" * 40, "n" * 40


def test_keys_are_long_unlike_and_stored_as_hashes() -> None:
    made = [create("shop", [Scope.ORDERS_READ]) for _ in range(200)]
    assert len({key.secret for key in made}) == len({key.key_hash for key in made}) == 200
    assert all(key.secret.startswith("wb_") and len(key.secret) == 3 + 43 for key in made)
    first = made[0]
    assert first.secret not in repr(first)
    assert first.secret not in first.key.model_dump_json()
    assert first.key.prefix == first.secret[:11]


def test_a_key_is_verified_by_its_hash_and_pepper() -> None:
    made = create("shop", [Scope.ADMIN], pepper="p")
    assert verify(made.secret, made.key_hash, "p")
    assert not verify(made.secret, made.key_hash, "q")
    assert not verify(made.secret + "x", made.key_hash, "p")
    assert made.key_hash == hash_of(made.secret, "p") != hash_of(made.secret)


@pytest.mark.parametrize(("held", "needed"), [*product(Scope, Scope)])
def test_a_scope_allows_itself_and_admin_allows_all(held: Scope, needed: Scope) -> None:
    assert may([held.value], needed) == (held in (needed, Scope.ADMIN))


def test_nothing_is_allowed_by_default() -> None:
    assert not any(may((), scope) for scope in Scope)
    with pytest.raises(DomainError, match="at least one scope"):
        create("shop", [])
    with pytest.raises(ValueError, match="orders:all"):
        create("shop", ["orders:all"])  # type: ignore[list-item]


@pytest.mark.parametrize(("made_for", "used_for"), [*product(Purpose, Purpose)])
def test_a_link_serves_its_own_purpose_only(made_for: Purpose, used_for: Purpose) -> None:
    links = Links([NEW])
    token = links.issue("shop-1001", made_for, LATER)
    if made_for is used_for:
        assert links.read(token, used_for, NOW).order_id == "shop-1001"
    else:
        assert _code(links, token, used_for, NOW) == "link_invalid"


def _code(links: Links, token: str, purpose: str, now: datetime) -> str:
    with pytest.raises(DomainError) as refused:
        links.read(token, purpose, now)
    return refused.value.code


def test_a_link_says_what_it_was_made_for() -> None:
    claims = Links([NEW]).read(Links([NEW]).issue("shop-1001", "cancel", LATER), "cancel", NOW)
    assert (claims.order_id, claims.purpose, claims.expires_at) == ("shop-1001", "cancel", LATER)
    assert len(claims.nonce) == 12


def test_a_link_ends_on_the_second() -> None:
    links = Links([NEW])
    token = links.issue("shop-1001", "view", LATER)
    assert links.read(token, "view", LATER - timedelta(seconds=1))
    assert _code(links, token, "view", LATER) == "link_expired"


def test_no_character_of_a_link_can_be_changed() -> None:
    links = Links([NEW])
    token = links.issue("shop-1001", "cancel", LATER)
    for position, old in enumerate(token):
        for new in ("A" if old != "A" else "B", "", "."):
            changed = token[:position] + new + token[position + 1 :]
            if changed != token and not _only_unused_bits(token, changed):
                assert _code(links, changed, "cancel", NOW) == "link_invalid", position


def _only_unused_bits(token: str, changed: str) -> bool:
    """The last base64 character of 32 bytes has two bits that mean nothing."""
    return token[:-1] == changed[:-1] and len(token) == len(changed)


@given(st.text(max_size=MAX_TOKEN + 50))
def test_any_text_is_refused_and_breaks_nothing(text: str) -> None:
    for token in (text, f"{next(iter(Links([NEW])._secrets))}.{text}"):
        assert _code(Links([NEW]), token, "view", NOW) == "link_invalid"


def test_rotation_keeps_old_links_alive_until_the_secret_goes() -> None:
    before = Links([OLD]).issue("shop-1001", "view", LATER)
    after = Links([NEW, OLD]).issue("shop-1001", "view", LATER)
    assert Links([NEW, OLD]).read(before, "view", NOW).order_id == "shop-1001"
    assert Links([NEW]).read(after, "view", NOW).order_id == "shop-1001"
    assert _code(Links([NEW]), before, "view", NOW) == "link_invalid"


def test_links_are_short_url_safe_and_never_the_same() -> None:
    tokens = {Links([NEW]).issue("webshop-1001", "view", LATER) for _ in range(100)}
    assert len(tokens) == 100
    assert max(map(len, tokens)) <= 110
    assert all(c.isalnum() or c in "-_." for token in tokens for c in token)


def test_links_need_a_secret() -> None:
    for secrets in ([], [""], [NEW, ""]):
        with pytest.raises(DomainError, match="need a secret"):
            Links(secrets)
