"""The message catalogue: what is packed comes back, and nothing that is not a message is taken for one."""

from __future__ import annotations

import contextlib
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import fields

from bus.schema import (
    KINDS,
    MESSAGE_LIMIT,
    SCHEMA,
    Applied,
    Apply,
    Enrol,
    Message,
    Refused,
    SchemaError,
    Sync,
    message,
    pack,
    unpack,
)

CATALOGUE = [KINDS[kind] for kind in sorted(KINDS)]
INTEGERS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | st.text() | st.binary()
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=8
)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for what a field with this annotation may hold."""
    plain = {
        int: INTEGERS,
        str: st.text(),
        bytes: st.binary(),
        bool: st.booleans(),
        float: FLOATS | INTEGERS,
        NoneType: st.none(),
        Any: ANYTHING,
    }
    if hint in plain:
        return plain[hint]
    if get_origin(hint) is list:
        return st.lists(values_of(get_args(hint)[0]), max_size=4)
    if get_origin(hint) is dict:
        return st.dictionaries(st.text(), ANYTHING, max_size=4)
    return st.one_of([values_of(part) for part in get_args(hint)])


def messages_of(cls: type[Message]) -> st.SearchStrategy[Message]:
    """Return a strategy for messages of one kind."""
    hints = get_type_hints(cls)
    return st.builds(cls, **{name: values_of(hints[name]) for name in cls.__struct_fields__})


MESSAGES = st.one_of([messages_of(cls) for cls in CATALOGUE])


@pytest.mark.parametrize("cls", CATALOGUE, ids=lambda cls: cls.__name__)
def test_every_message_comes_back_as_it_was_packed(cls: type[Message]) -> None:
    @settings(max_examples=30, deadline=None)
    @given(messages_of(cls))
    def round_trip(value: Message) -> None:
        back = unpack(pack(value))
        assert type(back) is type(value)
        assert back == value

    round_trip()


def _wrong_values(hint: Any) -> list[Any]:
    samples = [None, True, 1, 1.5, "text", b"octets", [None], {"key": 1}, [[None]], {"key": None}]
    return [sample for sample in samples if not _fits(hint, sample)]


def _fits(hint: Any, sample: Any) -> bool:
    if hint is Any:
        return True
    origin = get_origin(hint)
    if origin is list:
        return type(sample) is list and all(_fits(get_args(hint)[0], each) for each in sample)
    if origin is dict:
        return type(sample) is dict
    if origin is not None:
        return any(_fits(part, sample) for part in get_args(hint))
    if hint is float:
        return type(sample) in (int, float)
    return type(sample) is hint


def _right_value(hint: Any) -> Any:
    for sample in (1, "text", b"octets", True, [], {}, 1.5, None):
        if _fits(hint, sample):
            return sample
    raise AssertionError(f"no sample for {hint}")


FIELDS = [
    pytest.param(cls, position, name, id=f"{cls.__name__}.{name}")
    for cls in CATALOGUE
    for position, name in enumerate(cls.__struct_fields__)
]


@pytest.mark.parametrize(("cls", "position", "name"), FIELDS)
def test_a_field_of_the_wrong_type_is_refused_by_its_name(cls: type[Message], position: int, name: str) -> None:
    hints = get_type_hints(cls)
    body = [SCHEMA, cls.KIND, *(_right_value(hints[name]) for name in cls.__struct_fields__)]
    assert isinstance(unpack(msgpack.packb(body)), cls)
    wrong = _wrong_values(hints[name])
    assert wrong
    for value in wrong:
        body[position + 2] = value
        with pytest.raises(SchemaError, match=rf"{cls.__name__}\.{name} "):
            unpack(msgpack.packb(body))


@pytest.mark.parametrize("cls", CATALOGUE, ids=lambda cls: cls.__name__)
def test_a_message_with_a_field_too_few_or_too_many_is_refused(cls: type[Message]) -> None:
    hints = get_type_hints(cls)
    body = [SCHEMA, cls.KIND, *(_right_value(hints[name]) for name in cls.__struct_fields__)]
    appended = sum(not field.required for field in fields(cls))
    for other in (body[: len(body) - appended - 1], [*body, 0]):
        with pytest.raises(SchemaError, match=f"{cls.__name__} has"):
            unpack(msgpack.packb(other))


def test_what_a_former_release_wrote_is_read_with_the_defaults_of_later_fields() -> None:
    assert unpack(msgpack.packb([SCHEMA, Enrol.KIND, "control", "e", 1, ["a"]])) == Enrol("control", "e", 1, ["a"], {})


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200))
def test_random_octets_raise_only_the_schema_error(octets: bytes) -> None:
    with contextlib.suppress(SchemaError):
        unpack(octets)


@settings(max_examples=500, deadline=None)
@given(ANYTHING, st.integers(0, 70))
def test_random_values_in_a_good_frame_raise_only_the_schema_error(value: Any, kind: int) -> None:
    body = [SCHEMA, kind, *value] if isinstance(value, list) else [SCHEMA, kind, value]
    with contextlib.suppress(SchemaError):
        unpack(msgpack.packb(body))


@settings(max_examples=300, deadline=None)
@given(MESSAGES, st.data())
def test_a_damaged_message_is_refused_or_still_well_typed(value: Message, data: st.DataObject) -> None:
    octets = bytearray(pack(value))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        back = unpack(bytes(octets))
    except SchemaError:
        return
    assert repr(unpack(pack(back))) == repr(back)  # not `==`: a flipped bit may have made a NaN


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"", "not msgpack"),
        (b"\xc1", "not msgpack"),
        (b"\x93\x01\x02", "not msgpack"),
        (msgpack.packb([SCHEMA, 2, 1]) + b"\x00", "not msgpack"),
        (msgpack.packb(b"text"), "an array"),
        (msgpack.packb([]), "an array"),
        (msgpack.packb([SCHEMA]), "an array"),
        (msgpack.packb({"1": 2}), "an array"),
        (msgpack.packb([SCHEMA + 1, 2, 1]), "schema 2, not 1"),
        (msgpack.packb([SCHEMA, 9999]), "unknown kind 9999"),
        (msgpack.packb([SCHEMA, "2", 1]), "unknown kind '2'"),
        (msgpack.packb([SCHEMA, True, 1]), "unknown kind True"),
        (b"\x93\x01\x18\x81\x91\x01\x02", "not msgpack"),  # a map whose key is a list
        (b"\x93\x01\x18\x81\x80\x02", "not msgpack"),  # a map whose key is a map
        (b"\x91" * 2000 + b"\xc0", "not msgpack"),  # nested deeper than any message
        (b"\xdd\xff\xff\xff\xff", "not msgpack"),  # an array of four billion
        (b"\xc7\x0c\xff" + b"\xff" * 12, "not msgpack|an array"),  # a time stamp that is none
        (b"\x93\x01\x02\xd6\xff\x00\x00\x00\x00", "Applied.sequence"),  # a time stamp in place of a number
        (b"\x93\x01\x02\xa1\xff", "not msgpack"),  # text that is not UTF-8
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else value,
)
def test_what_is_no_message_is_refused_with_its_reason(octets: bytes, expected: str) -> None:
    with pytest.raises(SchemaError, match=expected):
        unpack(octets)


def test_a_text_that_is_not_unicode_cannot_be_packed() -> None:
    with pytest.raises(SchemaError, match=r"^Refused with a text that is not Unicode: .*ud800"):
        pack(Refused(1, "a\ud800"))


@pytest.mark.parametrize("depth", [100, 1000])
def test_a_value_is_refused_however_deeply_it_is_nested(depth: int) -> None:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    for body in ([nested, 1], [SCHEMA, nested], [SCHEMA, Applied.KIND, nested]):
        with pytest.raises(SchemaError):
            unpack(msgpack.packb(body))


def test_a_message_above_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(SchemaError, match="larger than"):
        unpack(bytes(MESSAGE_LIMIT + 1))


def test_a_boolean_is_not_taken_for_a_number() -> None:
    with pytest.raises(SchemaError, match=r"Applied\.sequence"):
        unpack(msgpack.packb([SCHEMA, Applied.KIND, True]))


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), float("-inf")])
def test_a_time_is_a_number_that_a_clock_can_reach(seconds: float) -> None:
    with pytest.raises(SchemaError, match=r"Sync\.seconds"):
        unpack(pack(Sync("client", "epoch", 1, [], seconds)))


def test_a_kind_cannot_be_registered_twice() -> None:
    with pytest.raises(ValueError, match="kind 1 is taken by Apply"):
        message(Apply.KIND, "nobody")(Applied)
    assert KINDS[Apply.KIND] is Apply


def test_every_message_says_who_sends_it_to_whom_and_is_documented() -> None:
    for cls in CATALOGUE:
        assert cls.ROUTE
        assert cls.__doc__
        assert not cls.__doc__.startswith(f"{cls.__name__}("), f"{cls.__name__} has no docstring of its own"
