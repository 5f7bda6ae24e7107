"""SRv6 services inside the Prefix-SID attribute: SIDs and their structure (RFC 9252 sections 2 and 3)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Self

from msgspec import Struct

from bgp.wire import Reader

SID_INFORMATION = 1  # sub-TLV of a service
SID_STRUCTURE = 1  # sub-sub-TLV of SID information

SID_BITS = 128
MOST_TRANSPOSED_BITS = 24  # RFC 9252 section 4: what a label field holds, 24 bits in EVPN and 20 elsewhere
ANY_BEHAVIOR = 0xFFFF  # RFC 9252 section 3.1: opaque, or not told

_INFORMATION = struct.Struct("!x16sBHx")
_STRUCTURE = struct.Struct("!6B")
_HEADER = struct.Struct("!BH")


class SidStructure(Struct, frozen=True):
    """Lengths in bits of a SID's parts, and of what a label field carries of it (RFC 9252 section 3.2.1)."""

    block: int
    node: int
    function: int
    argument: int
    transposition_length: int
    transposition_offset: int

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        parts = (self.block, self.node, self.function, self.argument)
        for bits in (*parts, self.transposition_length, self.transposition_offset):
            if not 0 <= bits <= SID_BITS:
                raise ValueError(f"SID structure: {bits} bits are not within 0..{SID_BITS}")
        if sum(parts) > SID_BITS:
            raise ValueError(f"SID structure: {sum(parts)} bits are more than {SID_BITS}")
        if self.transposition_length > MOST_TRANSPOSED_BITS:
            raise ValueError(f"SID structure: a label field holds no {self.transposition_length} bits")
        if self.transposition_offset + self.transposition_length > sum(parts):
            raise ValueError(f"SID structure: transposition ends beyond {sum(parts)} bits")
        if self.transposition_length > max(self.function, self.argument):
            longest = max(self.function, self.argument)
            raise ValueError(f"SID structure: neither function nor argument has more than {longest} bits to transpose")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read six octets; raises ValueError."""
        if len(data) != _STRUCTURE.size:
            raise ValueError(f"SID structure length {len(data)} is not {_STRUCTURE.size}")
        return cls(*_STRUCTURE.unpack(data))

    def encode(self) -> bytes:
        """Return six octets."""
        return _STRUCTURE.pack(
            self.block,
            self.node,
            self.function,
            self.argument,
            self.transposition_length,
            self.transposition_offset,
        )


class Srv6Sid(Struct, frozen=True):
    """SRv6 SID information (RFC 9252 section 3.1): `sid` in 16 octets, flags, endpoint behavior."""

    sid: bytes
    behavior: int = ANY_BEHAVIOR
    flags: int = 0
    structure: SidStructure | None = None

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if len(self.sid) != 16:
            raise ValueError(f"an SRv6 SID has 16 octets, not {len(self.sid)}")
        if not 0 <= self.behavior <= 0xFFFF:
            raise ValueError(f"endpoint behavior {self.behavior} is not within 0..65535")
        if not 0 <= self.flags <= 0xFF:
            raise ValueError(f"SID flags {self.flags} are not within 0..255")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read SID, flags, behavior, structure; unknown sub-sub-TLVs are skipped. Raises ValueError."""
        reader = Reader(data)
        sid, flags, behavior = _INFORMATION.unpack(reader.take(_INFORMATION.size))
        structure = None
        for kind, value in read_subs(reader):
            if kind == SID_STRUCTURE and structure is None:
                structure = SidStructure.decode(value)
        return cls(sid, behavior, flags, structure)

    def encode(self) -> bytes:
        """Return SID, flags, behavior, structure."""
        octets = _INFORMATION.pack(self.sid, self.flags, self.behavior)
        if self.structure is not None:
            octets += sub(SID_STRUCTURE, self.structure.encode())
        return octets


def read_subs(reader: Reader) -> list[tuple[int, bytes]]:
    """Read (type, value) to the end: 8 bits of type, 16 of length; raises Truncated."""
    subs = []
    while len(reader):
        kind = reader.u8()
        subs.append((kind, reader.take(reader.u16())))
    return subs


def sub(kind: int, value: bytes) -> bytes:
    """Return a sub-TLV or sub-sub-TLV."""
    return _HEADER.pack(kind, len(value)) + value


def read_service(value: bytes) -> tuple[Srv6Sid, ...]:
    """Read the SIDs of a service TLV; unknown sub-TLVs are skipped. Raises ValueError (RFC 9252 section 7)."""
    reader = Reader(value)
    reader.take(1)
    return tuple(Srv6Sid.decode(octets) for kind, octets in read_subs(reader) if kind == SID_INFORMATION)


def write_service(sids: Iterable[Srv6Sid]) -> bytes:
    """Return the value of a service TLV."""
    return b"\0" + b"".join(sub(SID_INFORMATION, sid.encode()) for sid in sids)
