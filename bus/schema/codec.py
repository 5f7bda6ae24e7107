"""Messages as octets: the msgpack array `[SCHEMA, kind, field, ...]`, checked field by field when it is read."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from functools import cache
from math import isfinite
from operator import attrgetter
from types import NoneType
from typing import Any, ClassVar, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgpack
from msgspec import Struct

SCHEMA = 1
MESSAGE_LIMIT = 16 * 1024 * 1024  # octets; larger messages are refused by every socket
PACKED = 1024  # octets that a message usually takes: for more, the buffer grows

Check = Callable[[Any], bool]


class SchemaError(ValueError):
    """Octets from the bus that are not a message of this catalogue, or a message that no octets stand for."""


class Message(Struct, frozen=True):
    """Base of all messages. `KIND` numbers it; `ROUTE` says who sends it to whom."""

    SCHEMA: ClassVar[int] = SCHEMA
    KIND: ClassVar[int]
    ROUTE: ClassVar[str]


class Layout(NamedTuple):
    """How the messages of one kind are packed and checked."""

    fields: tuple[tuple[str, type | None, Check], ...]  # a value of that very type is good
    body: Callable[[Message], tuple[Any, ...]]
    required: int  # fields without a default


M = TypeVar("M", bound=Message)
KINDS: dict[int, type[Message]] = {}


def message(kind: int, route: str) -> Callable[[type[M]], type[M]]:
    """Enter a class into the catalogue under `kind`; a number used twice is an error."""

    def register(cls: type[M]) -> type[M]:
        if kind in KINDS:
            raise ValueError(f"kind {kind} is taken by {KINDS[kind].__name__}")
        cls.KIND, cls.ROUTE = kind, route
        KINDS[kind] = cls
        return cls

    return register


@cache
def _layout(cls: type[Message]) -> Layout:
    """Read the annotations of a kind when it is first met: no process meets all, and reading them takes long."""
    hints = get_type_hints(cls)
    names = cls.__struct_fields__
    fields = tuple((name, _plain(hints[name]), _check(hints[name])) for name in names)
    return Layout(fields, attrgetter("SCHEMA", "KIND", *names), len(names) - len(cls.__struct_defaults__))


# What a list may hold that is told by its type alone, and needs no look at each element.
_PLAIN: dict[Any, type] = {bytes: bytes, str: str, int: int, list[Any]: list}


def _plain(hint: Any) -> type | None:
    """Return the type of an annotation that its type alone tells; None for others."""
    return hint if hint in (bool, int, str, bytes) else None


def _check(hint: Any) -> Check:
    """Build the test for one annotation: int, float, str, bytes, bool, list[X], X | None, list, dict."""
    origin = get_origin(hint)
    if hint is Any:
        return lambda value: True
    if origin is dict:
        return lambda value: type(value) is dict and set(map(type, value)) <= {str}
    if origin is list:
        inner = get_args(hint)[0]
        if inner is Any:
            return lambda value: type(value) is list
        if inner in _PLAIN:
            kinds = {_PLAIN[inner]}
            return lambda value: type(value) is list and set(map(type, value)) <= kinds
        check = _check(inner)
        return lambda value: type(value) is list and all(map(check, value))
    if origin is not None:  # X | None
        checks = [_check(part) for part in get_args(hint)]
        return lambda value: any(check(value) for check in checks)
    if hint in (None, NoneType):
        return lambda value: value is None
    if hint is float:
        return lambda value: type(value) in (float, int) and isfinite(value)  # NaN in a timer would stop all others
    return lambda value: type(value) is hint


def shown(value: object) -> str:
    """Return a value for an error's text: it may be nested as deeply as `repr` cannot follow, or large."""
    return reprlib.repr(value)[:60]


def pack(value: Message) -> bytes:
    """Encode a message; `SchemaError` where a text in it is not Unicode."""
    try:
        octets: bytes = msgpack.Packer(use_bin_type=True, buf_size=PACKED).pack(_layout(type(value)).body(value))
    except UnicodeEncodeError as error:
        raise SchemaError(f"{type(value).__name__} with a text that is not Unicode: {error}") from error
    return octets


def unpack(octets: bytes, limit: int = MESSAGE_LIMIT) -> Message:
    """Decode and check a message of at most `limit` octets; `SchemaError` names what is wrong."""
    if len(octets) > limit:
        raise SchemaError(f"a message of {len(octets)} octets is larger than {limit}")
    try:
        body = msgpack.unpackb(octets, raw=False, strict_map_key=True, use_list=True)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise SchemaError(f"not msgpack: {error}") from error
    if type(body) is not list or len(body) < 2:
        raise SchemaError("an array [schema, kind, …] expected")
    if body[0] != SCHEMA:
        raise SchemaError(f"schema {shown(body[0])}, not {SCHEMA}")
    cls = KINDS.get(body[1]) if type(body[1]) is int else None
    if cls is None:
        raise SchemaError(f"unknown kind {shown(body[1])}")
    fields, _, required = _layout(cls)
    if not required <= len(body) - 2 <= len(fields):
        raise SchemaError(f"{cls.__name__} has {len(fields)} fields, not {len(body) - 2}")
    # What a former release wrote lacks the fields that were appended since: they have defaults.
    for (name, plain, check), value in zip(fields, body[2:], strict=False):
        if type(value) is not plain and not check(value):
            raise SchemaError(f"{cls.__name__}.{name} is of the wrong type: {shown(value)}")
    return cls(*body[2:])
