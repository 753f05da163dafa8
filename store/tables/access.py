"""Who may call, what was already answered, and the merchant's policy."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from store.columns import Document, UtcTime, table_of


class ApiKeyRecord(SQLModel, table=True):
    """An API key, by its hash only. Scopes and channels are JSON lists."""

    __tablename__ = "api_key"

    key_id: str = Field(primary_key=True)
    key_hash: str = Field(unique=True)
    prefix: str
    name: str
    scopes: str = Field(sa_type=Document)
    channels: str = Field(sa_type=Document)
    expires_at: datetime | None = Field(default=None, sa_type=UtcTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcTime)
    revoked: bool = False


class IdempotencyRecord(SQLModel, table=True):
    """An idempotent request and its answer; status 0 while the first is running."""

    __tablename__ = "idempotency"

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_hash: str
    status: int
    body: str
    at: datetime = Field(sa_type=UtcTime)


class UsedLinkRecord(SQLModel, table=True):
    """A single-use link that was used."""

    __tablename__ = "used_link"

    nonce: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime)


class PolicyRecord(SQLModel, table=True):
    """A version of the merchant's policy; 0 is the shipped default and has no row."""

    __tablename__ = "policy_version"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    document: str = Field(sa_type=Document)
    actor: str
    at: datetime = Field(sa_type=UtcTime)


api_keys = table_of(ApiKeyRecord)
idempotency = table_of(IdempotencyRecord)
used_links = table_of(UsedLinkRecord)
policies = table_of(PolicyRecord)
