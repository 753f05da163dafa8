"""How values become Temporal payloads: the one data converter of clients, workers and replayers.

JSON by pydantic, **lean**: a field that is empty and whose default is the same empty value is left
out. Only empty ones: a default that says something (thirty minutes of grace) is written down, or
raising it in a later version would change what an open order was promised, and break its replay.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Self

from pydantic_core import to_json
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    SerializationContext,
)

from adapters.temporal.codec import EncryptionCodec
from adapters.temporal.keys import KeyRing
from domain.frozen import Frozen, Wire

_ATOMS = frozenset({str, int, bool, float, type(None), datetime, date})
_CAN_BE_EMPTY = frozenset({str, int, bool, type(None), list, dict})


def data_converter(keys: KeyRing | None) -> DataConverter:
    """Return the data converter; ``None`` leaves payloads in the clear (tests only)."""
    return DataConverter(
        payload_converter_class=LeanPayloadConverter,
        payload_codec=EncryptionCodec(keys) if keys else None,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


class LeanJson(PydanticJSONPlainPayloadConverter):
    """The SDK's pydantic JSON, without the empty fields."""

    def to_payload(self, value: Any) -> Payload:
        """Write a value as JSON without what its model fills in again."""
        return Payload(metadata={"encoding": self.encoding.encode()}, data=to_json(lean(value)))


class LeanPayloadConverter(CompositePayloadConverter):
    """The SDK's default converters with ``LeanJson`` in place of plain JSON."""

    def __init__(self) -> None:
        self.converters = _CONVERTERS  # the SDK makes several of these for each workflow task

    def with_context(self, context: SerializationContext) -> Self:
        """Return itself: no converter of ours asks whose payload it writes."""
        return self


_CONVERTERS: Mapping[bytes, EncodingPayloadConverter] = {
    converter.encoding.encode(): LeanJson()
    if isinstance(converter, JSONPlainPayloadConverter)
    else converter
    for converter in DefaultPayloadConverter.default_encoding_payload_converters
}


def lean(value: Any) -> Any:
    """Return ``value`` with its models as dictionaries that lack their empty default fields.

    Only ``Frozen`` and ``Wire`` models are thinned: they are written field by field, without
    aliases and serialisers of their own (a test walks them all).
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    if isinstance(value, (Frozen, Wire)):
        empty = _empty_defaults(type(value))
        return {
            name: small
            for name, item in value.__dict__.items()
            if (small := lean(item)) or name not in empty or not _same(small, empty[name])
        }
    if kind is tuple or kind is list:
        return [lean(item) for item in value]
    if kind is dict:
        return {key: lean(item) for key, item in value.items()}
    return value


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


@cache
def _empty_defaults(model: type[Frozen | Wire]) -> Mapping[str, Any]:
    """Return the lean form of each default of a model that is empty."""
    defaults = {
        name: lean(field.get_default(call_default_factory=True))
        for name, field in model.model_fields.items()
        if not field.is_required() and not field.default_factory_takes_validated_data
    }
    return {
        name: default
        for name, default in defaults.items()
        if not default and type(default) in _CAN_BE_EMPTY
    }
