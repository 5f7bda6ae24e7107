"""The table of capabilities (RFC 5492), and the shape that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self, TypeVar

from msgspec import Struct


class Capability(Struct, frozen=True):
    """Base of every capability. `decode` and `encode` deal with the value, without code and length."""

    CODE: ClassVar[int] = -1
    NAME: ClassVar[str] = "unknown"
    # Damage to what no RFC defines and nothing depends on must not cost the session: it is kept as unknown octets.
    INFORMATIONAL: ClassVar[bool] = False

    @property
    def code(self) -> int:
        """The capability code on the wire."""
        return self.CODE

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the value; raise ValueError where it is malformed."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """Return the value."""
        raise NotImplementedError


class UnknownCapability(Capability, frozen=True):
    """A capability that we do not know, or an informational one that is damaged: carried as it came."""

    number: int
    data: bytes = b""

    @property
    def code(self) -> int:
        """The capability code on the wire."""
        return self.number

    def encode(self) -> bytes:
        """Return the value."""
        return self.data


CAPABILITIES: dict[int, type[Capability]] = {}

_C = TypeVar("_C", bound=type[Capability])


def register(code: int, name: str, informational: bool = False) -> Callable[[_C], _C]:
    """Enter a class under its code; a second one for the same code raises ValueError."""

    def enter(cls: _C) -> _C:
        if code in CAPABILITIES:
            raise ValueError(f"capability {code} is already {CAPABILITIES[code].__name__}")
        cls.CODE = code
        cls.NAME = name
        cls.INFORMATIONAL = informational
        CAPABILITIES[code] = cls
        return cls

    return enter


def decode_capability(code: int, data: bytes) -> Capability:
    """Turn a code and a value into an object; raise ValueError where a known one is malformed."""
    cls = CAPABILITIES.get(code)
    if cls is None:
        return UnknownCapability(code, data)
    try:
        return cls.decode(data)
    except ValueError:
        if cls.INFORMATIONAL:
            return UnknownCapability(code, data)
        raise


# Names of codes whose values we do not read (IANA).
OTHER_NAMES = {0: "reserved", 3: "outbound-route-filtering", 4: "multiple-routes", 67: "dynamic-capability"}


def capability_name(code: int) -> str:
    """Name a capability code; one without a name is told by its number."""
    cls = CAPABILITIES.get(code)
    if cls is not None:
        return cls.NAME
    kind = "reserved" if code >= 128 else "unassigned" if code >= 71 else "capability"
    return OTHER_NAMES.get(code) or f"{kind}-{code:#x}"


def expect_length(name: str, data: bytes, length: int) -> None:
    """Raise ValueError unless `data` has `length` octets."""
    if len(data) != length:
        raise ValueError(f"{name} capability has {len(data)} octets, not {length}")


def expect_multiple(name: str, data: bytes, size: int) -> None:
    """Raise ValueError unless `data` is made of entries of `size` octets."""
    if len(data) % size:
        raise ValueError(f"{name} capability has {len(data)} octets, not a multiple of {size}")
