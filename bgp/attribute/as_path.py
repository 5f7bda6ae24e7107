"""AS_PATH and AS4_PATH (RFC 4271 section 5.1.2, RFC 5065, RFC 6793, RFC 7606 section 7.2, RFC 7607)."""

from __future__ import annotations

import struct
from typing import ClassVar, NamedTuple, Self

from bgp.attribute.registry import OPTIONAL_TRANSITIVE, WELL_KNOWN, Attribute, register
from bgp.errors import AttributeDiscard
from bgp.negotiated import Negotiated
from bgp.wire import AS_TRANS

AS_SET = 1
AS_SEQUENCE = 2
AS_CONFED_SEQUENCE = 3
AS_CONFED_SET = 4
CONFEDERATION = (AS_CONFED_SEQUENCE, AS_CONFED_SET)

LARGEST_TWO_OCTET_AS = 0xFFFF
LARGEST_AS = 0xFFFFFFFF

# Formats of 0..255 AS numbers, which is what one segment can hold.
_TWO_OCTETS = tuple(struct.Struct(f"!{count}H") for count in range(256))
_FOUR_OCTETS = tuple(struct.Struct(f"!{count}I") for count in range(256))


class Segment(NamedTuple):
    """One segment of a path: its kind (1 set, 2 sequence, 3 confederation sequence, 4 confederation set) and ASNs."""

    kind: int
    asns: tuple[int, ...]

    @property
    def hops(self) -> int:
        """What the segment adds to the path's length: a set counts as one, a confederation as nothing."""
        if self.kind == AS_SEQUENCE:
            return len(self.asns)
        return 1 if self.kind == AS_SET else 0


def read_segments(data: bytes, asn4: bool) -> tuple[Segment, ...]:
    """Cut path segments of 2- or 4-octet AS numbers; raises ValueError. What is in them is for `check_segments`."""
    formats = _FOUR_OCTETS if asn4 else _TWO_OCTETS
    segments = []
    offset, end = 0, len(data)
    while offset < end:
        if end - offset < 2:
            raise ValueError("ends within a segment header")
        layout = formats[data[offset + 1]]
        start, stop = offset + 2, offset + 2 + layout.size
        if stop > end:
            raise ValueError(f"segment needs {layout.size} octets, {end - start} left")
        segments.append(Segment(data[offset], layout.unpack_from(data, start)))
        offset = stop
    return tuple(segments)


def write_segments(segments: tuple[Segment, ...], asn4: bool) -> bytes:
    """Return the octets of path segments; where they have 2 octets, AS_TRANS stands for what does not fit."""
    parts = []
    for kind, asns in segments:
        count = len(asns)
        if asn4:
            parts.append(bytes((kind, count)) + _FOUR_OCTETS[count].pack(*asns))
        else:
            fitting = [asn if asn <= LARGEST_TWO_OCTET_AS else AS_TRANS for asn in asns]
            parts.append(bytes((kind, count)) + _TWO_OCTETS[count].pack(*fitting))
    return b"".join(parts)


def check_segments(segments: tuple[Segment, ...]) -> None:
    """Raise ValueError for segments that no path may have, or that have no octets (RFC 7606 section 7.2, RFC 7607)."""
    for kind, asns in segments:
        if not AS_SET <= kind <= AS_CONFED_SET:
            raise ValueError(f"segment type {kind} is not within 1..4")
        if not asns:
            raise ValueError("has a segment without AS numbers")
        if len(asns) > 255:
            raise ValueError(f"has a segment of {len(asns)} AS numbers, more than 255")
        if min(asns) < 1 or max(asns) > LARGEST_AS:
            wrong = next(asn for asn in asns if not 1 <= asn <= LARGEST_AS)
            raise ValueError(f"contains AS {wrong}")


@register("AS_PATH", subcode=11)
class AsPath(Attribute, frozen=True):
    """The autonomous systems that the route went through, nearest first."""

    CODE: ClassVar[int] = 2
    FLAGS: ClassVar[int] = WELL_KNOWN

    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        check_segments(self.segments)

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read segments; confederation segments are an error from external peers (RFC 5065 section 5)."""
        try:
            path = cls(read_segments(data, negotiated.asn4))
        except ValueError as error:
            raise cls.malformed(str(error)) from error
        if not negotiated.ibgp:
            for kind, _ in path.segments:
                if kind in CONFEDERATION:
                    raise cls.malformed(f"has a confederation segment (type {kind}) from an external peer")
        return path

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the segments with 2- or 4-octet AS numbers, as negotiated."""
        return write_segments(self.segments, negotiated.asn4)


def from_two_octet_peers(negotiated: Negotiated) -> bool:
    """Accept AS4_PATH and AS4_AGGREGATOR only where AS numbers have 2 octets (RFC 6793 section 4.1)."""
    return not negotiated.asn4


@register("AS4_PATH", AttributeDiscard, accepted=from_two_octet_peers)
class As4Path(Attribute, frozen=True):
    """The path's 4-octet AS numbers, carried through speakers that know only 2 octets."""

    CODE: ClassVar[int] = 17
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        check_segments(self.segments)

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read segments; those of confederations are dropped (RFC 6793 section 6)."""
        try:
            path = cls(read_segments(data, asn4=True))
        except ValueError as error:
            raise cls.malformed(str(error)) from error
        if any(segment.kind in CONFEDERATION for segment in path.segments):
            return cls(tuple(segment for segment in path.segments if segment.kind not in CONFEDERATION))
        return path

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the segments with 4-octet AS numbers."""
        return write_segments(self.segments, asn4=True)


def merge_paths(path: AsPath, path4: As4Path) -> AsPath:
    """Rebuild the path from AS_PATH with AS_TRANS and AS4_PATH (RFC 6793 section 4.2.3).

    AS4_PATH replaces the end of AS_PATH that it is as long as; one that is longer is ignored.
    """
    leading = sum(segment.hops for segment in path.segments) - sum(segment.hops for segment in path4.segments)
    if leading < 0 or not path4.segments:
        return path
    kept: list[Segment] = []
    for segment in path.segments:
        hops = segment.hops
        if hops <= leading:
            kept.append(segment)
            leading -= hops
        else:
            if leading:  # only a sequence counts more than one
                kept.append(Segment(segment.kind, segment.asns[:leading]))
            break
    first = path4.segments[0]
    if kept and kept[-1].kind == first.kind == AS_SEQUENCE and len(kept[-1].asns) + len(first.asns) <= 255:
        joined = Segment(AS_SEQUENCE, kept.pop().asns + first.asns)
        return AsPath((*kept, joined, *path4.segments[1:]))
    return AsPath((*kept, *path4.segments))
