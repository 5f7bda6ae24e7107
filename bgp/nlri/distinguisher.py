"""Route distinguishers (RFC 4364 section 4.2): what the 8 octets in front of a VPN route say."""

from __future__ import annotations

import struct
from typing import ClassVar, Self

from msgspec import Struct

RD_OCTETS = 8

_TWO_OCTET_AS = struct.Struct("!HHI")
_FOUR_OCTET_ADMINISTRATOR = struct.Struct("!HIH")


def check_rd(rd: bytes) -> None:
    """Raise ValueError unless there are 8 octets; any 8 octets are a route distinguisher."""
    if len(rd) != RD_OCTETS:
        raise ValueError(f"a route distinguisher has {RD_OCTETS} octets, not {len(rd)}")


class RouteDistinguisher(Struct, frozen=True):
    """The parts of a route distinguisher of type 0, 1 or 2.

    `administrator` is a 2-octet AS number (type 0), an IPv4 address as a 32-bit number (type 1), or a
    4-octet AS number (type 2). `number` has 32 bits in type 0, and 16 in the others.
    """

    TWO_OCTET_AS: ClassVar[int] = 0
    IPV4_ADDRESS: ClassVar[int] = 1
    FOUR_OCTET_AS: ClassVar[int] = 2

    kind: int
    administrator: int
    number: int

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if self.kind not in (self.TWO_OCTET_AS, self.IPV4_ADDRESS, self.FOUR_OCTET_AS):
            raise ValueError(f"route distinguisher type {self.kind} is not 0, 1 or 2")
        administrator_bits, number_bits = (16, 32) if self.kind == self.TWO_OCTET_AS else (32, 16)
        if not 0 <= self.administrator < 1 << administrator_bits:
            raise ValueError(
                f"administrator {self.administrator} of a type {self.kind} route distinguisher "
                f"does not fit {administrator_bits} bits"
            )
        if not 0 <= self.number < 1 << number_bits:
            raise ValueError(
                f"number {self.number} of a type {self.kind} route distinguisher does not fit {number_bits} bits"
            )

    @classmethod
    def decode(cls, rd: bytes) -> Self:
        """Read 8 octets; raises ValueError for types other than 0, 1 and 2."""
        check_rd(rd)
        layout = _TWO_OCTET_AS if rd[:2] == b"\0\0" else _FOUR_OCTET_ADMINISTRATOR
        return cls(*layout.unpack(rd))

    def encode(self) -> bytes:
        """Return the 8 octets."""
        layout = _TWO_OCTET_AS if self.kind == self.TWO_OCTET_AS else _FOUR_OCTET_ADMINISTRATOR
        return layout.pack(self.kind, self.administrator, self.number)
