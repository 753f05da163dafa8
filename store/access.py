"""API keys, idempotent requests and single-use links."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, false, insert, or_, select, update

from domain.errors import DomainError
from ports.stores import ApiKey
from store.part import Part, put_once
from store.tables.access import api_keys, idempotency, used_links

NOTE_EVERY = timedelta(minutes=1)
ABANDONED = timedelta(seconds=15)
"""A first request that has run this long died with its process; a repeat may take its place.

No request waits for Temporal as long as this. Were the first alive after all, both have one effect:
the key is also that of what they do.
"""

ADD_KEY = insert(api_keys)
KEY = select(api_keys).where(api_keys.c.key_hash == bindparam("h"))
LIVE_KEY = KEY.where(
    api_keys.c.revoked == false(),
    or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > bindparam("now")),
)
KEYS = select(api_keys).order_by(api_keys.c.name, api_keys.c.key_id)
NOTE_USE = update(api_keys).where(api_keys.c.key_hash == bindparam("h"))
REVOKE = update(api_keys).where(api_keys.c.key_id == bindparam("id")).values(revoked=True)
BEGIN = put_once(idempotency)
_this = (idempotency.c.caller == bindparam("c"), idempotency.c.key == bindparam("k"))
BEGUN = select(idempotency).where(*_this).with_for_update()
CHANGE_REQUEST = update(idempotency).where(*_this)
"""SET comes from the parameters."""
FORGET = delete(idempotency).where(*_this)
USE_LINK = put_once(used_links)


class Access(Part):
    """Who may call, and what was already answered."""

    def add_key(self, key: ApiKey, key_hash: str) -> None:
        """Store a key by its hash."""
        row = key.model_dump() | {"key_hash": key_hash}
        row |= {"scopes": json.dumps(key.scopes), "channels": json.dumps(key.channels)}
        with self._database.write() as connection:
            connection.execute(ADD_KEY, row)

    def key(self, key_hash: str, now: datetime) -> ApiKey | None:
        """Return the live key with this hash; note its use at most once a minute."""
        with self._database.read_one() as connection:
            live = {"h": key_hash, "now": now}
            row = connection.execute(LIVE_KEY, live).mappings().one_or_none()
        if row is None:
            return None
        if row["last_used_at"] is None or row["last_used_at"] + NOTE_EVERY <= now:
            with self._database.write_one() as connection:
                connection.execute(NOTE_USE, {"h": key_hash, "last_used_at": now})
            return _key(dict(row) | {"last_used_at": now})
        return _key(dict(row))

    def keys(self) -> Sequence[ApiKey]:
        """Return all keys, by name."""
        with self._database.read() as connection:
            return [_key(dict(row)) for row in connection.execute(KEYS).mappings()]

    def revoke(self, key_id: str) -> None:
        """Switch a key off."""
        with self._database.write() as connection:
            connection.execute(REVOKE, {"id": key_id})

    def begin(self, caller: str, key: str, body_hash: str, at: datetime) -> tuple[int, str] | None:
        """Begin an idempotent request.

        Returns:
            None for the first, (status, body) for a repeat; status 0 while the first is running.

        Raises:
            DomainError: ``idempotency_key_reused``, the same key with another body.
        """
        row = {"caller": caller, "key": key, "body_hash": body_hash, "status": 0, "body": ""}
        this = {"c": caller, "k": key}
        with self._database.write() as connection:
            first = None
            while first is None:  # forgotten between both statements: begin again
                if connection.execute(BEGIN, row | {"at": at}).rowcount == 1:
                    return None
                first = connection.execute(BEGUN, this).one_or_none()
            if first.body_hash != body_hash:
                text = "this Idempotency-Key was used for another request"
                raise DomainError(text, "idempotency_key_reused")
            if first.status == 0 and first.at + ABANDONED <= at:
                connection.execute(CHANGE_REQUEST, this | {"at": at})
                return None
            return first.status, first.body

    def finish(self, caller: str, key: str, status: int, body: str) -> None:
        """Keep the answer of an idempotent request."""
        with self._database.write_one() as connection:
            answer = {"c": caller, "k": key, "status": status, "body": body}
            connection.execute(CHANGE_REQUEST, answer)

    def forget(self, caller: str, key: str) -> None:
        """Drop a request that ended in a 5xx, so that it may be tried again."""
        with self._database.write_one() as connection:
            connection.execute(FORGET, {"c": caller, "k": key})

    def use_once(self, nonce: str, at: datetime) -> bool:
        """Use up a single-use link; False when it was used before."""
        with self._database.write() as connection:
            return connection.execute(USE_LINK, {"nonce": nonce, "at": at}).rowcount == 1


def _key(row: dict[str, Any]) -> ApiKey:
    return ApiKey(
        **row | {"scopes": json.loads(row["scopes"]), "channels": json.loads(row["channels"])}
    )
