"""The lean JSON of payloads: smaller, exactly the same back, and the same after a default moves."""

import importlib
import json
import pkgutil
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from temporalio.contrib.pydantic import pydantic_data_converter

import contracts
import domain
import ports
from adapters.temporal.converter import LeanPayloadConverter, lean
from domain.frozen import Frozen, Wire
from domain.order import Order
from domain.policy import GraceRule, Policy
from domain.progress import OrderProgress

CONVERTER = LeanPayloadConverter()


def _subclasses(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {s for c in model.__subclasses__() for s in (c, *_subclasses(c))}


def _models() -> list[type[BaseModel]]:
    for package in (domain, contracts, ports):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    ours = ("domain.", "contracts.", "ports.")
    found = _subclasses(Frozen) | _subclasses(Wire)
    return sorted((m for m in found if m.__module__.startswith(ours)), key=repr)


def _text(field: FieldInfo | None) -> st.SearchStrategy[str]:
    rules = field.metadata if field else []
    for rule in rules:
        if pattern := getattr(rule, "pattern", None):
            return st.from_regex(pattern, fullmatch=True)
    longest = min([getattr(rule, "max_length", None) or 12 for rule in rules] + [12])
    shortest = max([getattr(rule, "min_length", None) or 0 for rule in rules] + [0])
    return st.text(min_size=shortest, max_size=longest)


def _integer(field: FieldInfo | None) -> st.SearchStrategy[int]:
    low, high = -(10**9), 10**9
    for rule in field.metadata if field else []:
        low = max(low, getattr(rule, "ge", low) or low, (getattr(rule, "gt", low - 1)) + 1)
        high = min(high, getattr(rule, "le", high), getattr(rule, "lt", high + 1) - 1)
    return st.just(min(max(0, low), high)) | st.integers(low, high)


PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    AwareDatetime: st.datetimes(timezones=st.just(UTC)),
    date: st.dates(),
    time: st.times(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
    Any: st.none() | st.integers() | st.text(max_size=5),
    bytes: st.just(b"abc"),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


def _of(kind: Any, field: FieldInfo | None = None) -> st.SearchStrategy[Any]:
    """Return values of an annotation, often the empty ones."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (Union, UnionType):
        return st.one_of([_of(arg, field) for arg in args])
    if origin is tuple and args[-1] is Ellipsis:
        rules = field.metadata if field else []
        fewest = max((getattr(rule, "min_length", 0) or 0 for rule in rules), default=0)
        return st.lists(_of(args[0]), min_size=fewest, max_size=fewest + 2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_of, args))
    if origin in (list, frozenset, set):
        return st.lists(_of(args[0]), max_size=2).map(origin)
    if origin is not None and args and hasattr(origin, "keys"):
        return st.dictionaries(_of(args[0]), _of(args[1]), max_size=2)
    if origin is not None and args:
        inner = _of(args[0])
        return inner if origin.__name__ == "Annotated" else st.lists(inner, max_size=2).map(tuple)
    if kind is str:
        return _text(field)
    if kind is int:
        return _integer(field)
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _of_model(kind)
    return st.from_type(kind)


@st.composite
def _of_model(draw: st.DrawFn, model: type[BaseModel]) -> BaseModel:
    values = {}
    for name, field in model.model_fields.items():
        choice = draw(st.integers(0, 2)) if not field.is_required() else 2
        if choice == 0:
            continue
        default = field.get_default(call_default_factory=True) if choice == 1 else None
        values[name] = default if choice == 1 else draw(_of(field.annotation, field))
    try:
        return model(**values)
    except ValueError:
        reject()


def _there_and_back(value: BaseModel) -> Any:
    (payload,) = CONVERTER.to_payloads([value])
    return CONVERTER.from_payloads([payload], [type(value)])[0]


@pytest.mark.parametrize("model", _models(), ids=lambda m: f"{m.__module__}.{m.__name__}")
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_every_contract_comes_back_exactly(model: type[BaseModel], data: st.DataObject) -> None:
    value = data.draw(_of_model(model))
    back = _there_and_back(value)
    assert back == value
    assert back.model_dump() == value.model_dump()


@pytest.mark.parametrize("model", [Order, OrderProgress, Policy])
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_lean_json_says_what_the_sdk_says_in_fewer_bytes(
    model: type[BaseModel], data: st.DataObject
) -> None:
    value = data.draw(_of_model(model))
    (ours,) = CONVERTER.to_payloads([value])
    (theirs,) = pydantic_data_converter.payload_converter.to_payloads([value])
    assert model.model_validate_json(ours.data) == model.model_validate_json(theirs.data) == value
    assert len(ours.data) <= len(theirs.data)


@pytest.mark.parametrize("model", _models(), ids=lambda m: f"{m.__module__}.{m.__name__}")
def test_models_are_written_field_by_field(model: type[BaseModel]) -> None:
    decorators = model.__pydantic_decorators__
    assert not decorators.field_serializers
    assert not decorators.model_serializers
    assert not decorators.computed_fields
    assert not any(option.startswith("ser_json") for option in model.model_config)
    for name, field in model.model_fields.items():
        assert field.alias is None, name
        assert field.exclude is None, name
        assert not any("Serializer" in type(rule).__name__ for rule in field.metadata), name


def test_a_default_that_says_something_is_written_down() -> None:
    written = json.loads(CONVERTER.to_payloads([Policy()])[0].data)
    assert written["grace"] == [{"seconds": 1800}]
    assert written["returns"]["window"] == 30 * 24 * 3600
    assert "note" not in written


def test_an_order_in_flight_keeps_its_promise_when_a_default_moves() -> None:
    class GraceRuleOfNextYear(Frozen):
        channel: str = ""
        tier: str = ""
        seconds: int = 3600
        jitter: int = 5

    stored = CONVERTER.to_payloads([GraceRule()])
    (read,) = CONVERTER.from_payloads(stored, [GraceRuleOfNextYear])
    assert (read.seconds, read.jitter) == (1800, 5)


def test_false_is_not_left_out_for_zero_nor_a_value_for_an_empty_default() -> None:
    class Odd(Wire):
        anything: Any = 0
        maybe: str | None = None
        yes: bool = True

    assert lean(Odd(anything=False, maybe="", yes=False)) == {
        "anything": False,
        "maybe": "",
        "yes": False,
    }
    assert lean(Odd()) == {"yes": True}


def test_foreign_values_are_written_as_the_sdk_writes_them() -> None:
    class Foreign(BaseModel):
        note: str = ""

    for value in ({"a": [1, None, ""]}, [Foreign()], "text", 5, {"x": Foreign(note="y")}):
        (theirs,) = pydantic_data_converter.payload_converter.to_payloads([value])
        assert CONVERTER.to_payloads([value])[0] == theirs
