"""Segment lists of an SR policy's candidate path (RFC 9830 section 2.4.4), with segments of types A and B."""

from __future__ import annotations

import struct
from typing import Self

from msgspec import Struct

from bgp.attribute.tunnel import read_sub_tlvs, write_sub_tlvs
from bgp.attribute.tunnel_behavior import ENDPOINT_GIVEN, EndpointBehavior, check_flags, read_behavior
from bgp.attribute.tunnel_segment_address import LAYOUTS, AddressSegment
from bgp.wire import Reader


class SegmentTlv:
    """Sub-TLV types of a segment list (IANA, SR policy segment list sub-TLVs)."""

    SEGMENT_A = 1
    WEIGHT = 9
    SEGMENT_B = 13


_ENTRY = struct.Struct("!BxI")  # flags, reserved, label stack entry or weight


class SegmentA(Struct, frozen=True):
    """Type A, an MPLS label (RFC 9830 section 2.4.4.2.1). `entry` is the 32-bit label stack entry."""

    entry: int
    flags: int = 0

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if not 0 <= self.entry < 1 << 32:
            raise ValueError(f"label stack entry {self.entry} does not fit 32 bits")
        check_flags(self.flags)

    @classmethod
    def of_label(cls, label: int) -> Self:
        """Build from a label of 20 bits, which leaves traffic class and TTL to the head end; raises ValueError."""
        if not 0 <= label < 1 << 20:
            raise ValueError(f"label {label} does not fit 20 bits")
        return cls(label << 12)

    @property
    def label(self) -> int:
        """The label alone."""
        return self.entry >> 12

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read flags and entry; raises ValueError."""
        if len(data) != _ENTRY.size:
            raise ValueError(f"segment type A length {len(data)} is not {_ENTRY.size}")
        flags, entry = _ENTRY.unpack(data)
        return cls(entry, flags)

    def sub_tlv(self) -> tuple[int, bytes]:
        """Return type, and flags and entry."""
        return SegmentTlv.SEGMENT_A, _ENTRY.pack(self.flags, self.entry)


class SegmentB(Struct, frozen=True):
    """Type B, an SRv6 SID of 16 octets (RFC 9830 section 2.4.4.2.2). Flag B follows from `endpoint`."""

    sid: bytes
    flags: int = 0
    endpoint: EndpointBehavior | None = None

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if len(self.sid) != 16:
            raise ValueError(f"segment type B has a SID of 16 octets, not {len(self.sid)}")
        check_flags(self.flags)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read flags, SID, endpoint behavior if any; raises ValueError."""
        reader = Reader(data)
        flags = reader.u8()
        reader.take(1)
        return cls(reader.take(16), flags, read_behavior(reader))

    def sub_tlv(self) -> tuple[int, bytes]:
        """Return type, and flags, SID, endpoint behavior."""
        flags = self.flags if self.endpoint is None else self.flags | ENDPOINT_GIVEN
        behavior = b"" if self.endpoint is None else self.endpoint.encode()
        return SegmentTlv.SEGMENT_B, bytes((flags, 0)) + self.sid + behavior


class OpaqueSegment(Struct, frozen=True):
    """A segment of another type, or another sub-TLV: its octets."""

    kind: int
    data: bytes

    def sub_tlv(self) -> tuple[int, bytes]:
        """Return type and octets."""
        return self.kind, self.data


Segment = SegmentA | SegmentB | AddressSegment | OpaqueSegment


class SegmentList(Struct, frozen=True):
    """One weighted list of segments; `weight` is None where it is not given, which counts as 1."""

    segments: tuple[Segment, ...]
    weight: int | None = None

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if self.weight is not None and not 0 <= self.weight < 1 << 32:
            raise ValueError(f"segment list weight {self.weight} does not fit 32 bits")

    def encode(self) -> bytes:
        """Return reserved octet, weight, segments in order; raises ValueError where one is too long."""
        tlvs = [segment.sub_tlv() for segment in self.segments]
        if self.weight is not None:
            tlvs.insert(0, (SegmentTlv.WEIGHT, _ENTRY.pack(0, self.weight)))
        return b"\0" + write_sub_tlvs(tlvs)


def read_list(data: bytes) -> SegmentList:
    """Read a segment list; raises ValueError."""
    reader = Reader(data)
    reader.take(1)
    weight = None
    segments: list[Segment] = []
    for kind, value in read_sub_tlvs(reader.rest()):
        if kind == SegmentTlv.WEIGHT:
            if len(value) != _ENTRY.size:
                raise ValueError(f"segment list weight length {len(value)} is not {_ENTRY.size}")
            weight = _ENTRY.unpack(value)[1] if weight is None else weight
        elif kind == SegmentTlv.SEGMENT_A:
            segments.append(SegmentA.decode(value))
        elif kind == SegmentTlv.SEGMENT_B:
            segments.append(SegmentB.decode(value))
        elif kind in LAYOUTS:
            segments.append(AddressSegment.decode(kind, value))
        else:
            segments.append(OpaqueSegment(kind, value))
    return SegmentList(tuple(segments), weight)
