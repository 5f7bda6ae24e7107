"""The endpoint behavior and structure of an SRv6 SID, as segments and binding SIDs carry them (RFC 9830)."""

from __future__ import annotations

import struct
from typing import Self

from msgspec import Struct

from bgp.wire import Reader

ENDPOINT_GIVEN = 0x10  # the B flag of a segment: endpoint behavior and structure follow

_BEHAVIOR = struct.Struct("!HxxBBBB")


class EndpointBehavior(Struct, frozen=True):
    """SRv6 endpoint behavior, and the lengths in bits of the SID's parts (RFC 9830 section 2.4.4.2.4)."""

    behavior: int
    block: int = 0
    node: int = 0
    function: int = 0
    argument: int = 0

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if not 0 <= self.behavior <= 0xFFFF:
            raise ValueError(f"endpoint behavior {self.behavior} is not within 0..65535")
        parts = (self.block, self.node, self.function, self.argument)
        if any(not 0 <= bits <= 255 for bits in parts):
            raise ValueError(f"SID structure {parts} has a length that is not within 0..255")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read eight octets; raises ValueError."""
        if len(data) != _BEHAVIOR.size:
            raise ValueError(f"endpoint behavior length {len(data)} is not {_BEHAVIOR.size}")
        return cls(*_BEHAVIOR.unpack(data))

    def encode(self) -> bytes:
        """Return eight octets."""
        return _BEHAVIOR.pack(self.behavior, self.block, self.node, self.function, self.argument)


def read_behavior(reader: Reader) -> EndpointBehavior | None:
    """Read the endpoint behavior that ends a sub-TLV, if any; raises ValueError."""
    return EndpointBehavior.decode(reader.rest()) if len(reader) else None


def check_flags(flags: int) -> None:
    """Raise ValueError unless the flags fit an octet."""
    if not 0 <= flags <= 255:
        raise ValueError(f"segment flags {flags} are not within 0..255")
