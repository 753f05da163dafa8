"""Keys, idempotent requests, links and policy versions, in memory."""

from collections.abc import Sequence
from datetime import datetime

from domain.errors import DomainError
from domain.policy import Policy
from ports.stores import ApiKey
from store.access import ABANDONED, NOTE_EVERY
from tests.fakes.stores.tables import Part, Row, transaction, utc


class Access(Part):
    """Who may call, and what was already answered."""

    @transaction
    def add_key(self, key: ApiKey, key_hash: str) -> None:
        """Store a key by its hash."""
        self.tables.keys[key_hash] = key

    @transaction
    def key(self, key_hash: str, now: datetime) -> ApiKey | None:
        """Return the live key with this hash; note its use at most once a minute."""
        key = self.tables.keys.get(key_hash)
        if key is None or key.revoked or (key.expires_at and key.expires_at <= now):
            return None
        if key.last_used_at is None or key.last_used_at + NOTE_EVERY <= now:
            key = self.tables.keys[key_hash] = key.model_copy(update={"last_used_at": utc(now)})
        return key

    @transaction
    def keys(self) -> Sequence[ApiKey]:
        """Return all keys, by name."""
        return sorted(self.tables.keys.values(), key=lambda key: (key.name, key.key_id))

    @transaction
    def revoke(self, key_id: str) -> None:
        """Switch a key off."""
        for key_hash, key in self.tables.keys.items():
            if key.key_id == key_id:
                self.tables.keys[key_hash] = key.model_copy(update={"revoked": True})

    @transaction
    def begin(self, caller: str, key: str, body_hash: str, at: datetime) -> tuple[int, str] | None:
        """Begin an idempotent request: None for the first, (status, body) for a repeat."""
        first = self.tables.requests.get((caller, key))
        if first is None:
            row: Row = {"body_hash": body_hash, "status": 0, "body": "", "at": utc(at)}
            self.tables.requests[caller, key] = row
            return None
        if first["body_hash"] != body_hash:
            text = "this Idempotency-Key was used for another request"
            raise DomainError(text, "idempotency_key_reused")
        if first["status"] == 0 and first["at"] + ABANDONED <= at:
            first["at"] = utc(at)
            return None
        return first["status"], first["body"]

    @transaction
    def finish(self, caller: str, key: str, status: int, body: str) -> None:
        """Keep the answer of an idempotent request."""
        if row := self.tables.requests.get((caller, key)):
            row.update(status=status, body=body)

    @transaction
    def forget(self, caller: str, key: str) -> None:
        """Drop a request that ended in a 5xx, so that it may be tried again."""
        self.tables.requests.pop((caller, key), None)

    @transaction
    def use_once(self, nonce: str, at: datetime) -> bool:
        """Use up a single-use link; False when it was used before."""
        at, fresh = utc(at), nonce not in self.tables.used_links
        if fresh:
            self.tables.used_links[nonce] = at
        return fresh

    @transaction
    def policy(self, version: int | None = None) -> tuple[int, Policy]:
        """Return a policy version, the newest when none is given; 0 is the shipped default."""
        saved = self.tables.policies
        number = len(saved) if version is None else version
        if not 0 <= number <= len(saved):
            raise DomainError(f"there is no policy version {version}", "unknown_policy")
        return number, saved[number - 1][0] if number else DEFAULT

    @transaction
    def save_policy(self, policy: Policy, actor: str, at: datetime) -> int:
        """Add a policy version; return its number."""
        self.tables.policies.append((policy, actor, utc(at)))
        return len(self.tables.policies)


DEFAULT = Policy()
