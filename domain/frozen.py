"""The one value type: immutable, strict about names, equal by content."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A frozen value; an unknown field is an error, so a misspelt one is never lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Wire(BaseModel):
    """A frozen message between processes of different age: an unknown field is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")
