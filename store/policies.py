"""Versions of the merchant's policy; 0 is the shipped default."""

from datetime import datetime

from sqlalchemy import bindparam, func, insert, select

from domain.errors import DomainError
from domain.policy import Policy
from store.engine import Database
from store.part import Part
from store.tables.access import policies

NEWEST = select(func.coalesce(func.max(policies.c.version), 0))
DOCUMENT = select(policies.c.document).where(policies.c.version == bindparam("v"))
ADD = insert(policies)


class Policies(Part):
    """The merchant's document, version by version."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._read: dict[int, Policy] = {}  # versions never change, so each is parsed once

    def policy(self, version: int | None = None) -> tuple[int, Policy]:
        """Return a policy version, the newest when none is given.

        Raises:
            DomainError: ``unknown_policy``.
        """
        if version is not None and version in self._read:
            return version, self._read[version]
        with self._database.read() as connection:
            if version is None:
                version = int(connection.execute(NEWEST).scalar_one())
            if version not in self._read:
                document = connection.execute(DOCUMENT, {"v": version}).scalar_one_or_none()
                if document is None and version != 0:
                    raise DomainError(f"there is no policy version {version}", "unknown_policy")
                found = Policy.model_validate_json(document) if document else Policy()
                self._read[version] = found
        return version, self._read[version]

    def save_policy(self, policy: Policy, actor: str, at: datetime) -> int:
        """Add a policy version; return its number."""
        with self._database.write() as connection:
            self._database.lock(connection, "policy")
            version = int(connection.execute(NEWEST).scalar_one()) + 1
            row = {"version": version, "document": policy.model_dump_json()}
            connection.execute(ADD, {**row, "actor": actor, "at": at})
        return version
