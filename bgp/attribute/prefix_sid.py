"""The BGP Prefix-SID attribute, code 40: MPLS segments (RFC 8669) and SRv6 services (RFC 9252)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import ClassVar, Self

from bgp.attribute.prefix_sid_service import Srv6Sid, read_service, write_service
from bgp.attribute.registry import OPTIONAL_TRANSITIVE, Attribute, register
from bgp.errors import AttributeDiscard, TreatAsWithdraw
from bgp.negotiated import Negotiated
from bgp.wire import Reader, Truncated, address_text


class PrefixSidTlv:
    """TLV types (IANA, BGP Prefix-SID TLV types)."""

    LABEL_INDEX = 1
    ORIGINATOR_SRGB = 3
    SRV6_L3_SERVICE = 5
    SRV6_L2_SERVICE = 6


SERVICES = (PrefixSidTlv.SRV6_L3_SERVICE, PrefixSidTlv.SRV6_L2_SERVICE)

_HEADER = struct.Struct("!BH")
_LABEL_INDEX = struct.Struct("!BHI")  # reserved, flags, index
_BLOCK_OCTETS = 6


@register("BGP_PREFIX_SID", AttributeDiscard, wrong_flags=AttributeDiscard)
class PrefixSid(Attribute, frozen=True):
    """Segment identifiers of a prefix: TLVs as they came, with typed views. The views expect sound TLVs."""

    CODE: ClassVar[int] = 40
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    tlvs: tuple[tuple[int, bytes], ...]

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read TLVs; unknown ones are kept.

        A malformed attribute is discarded (RFC 8669 section 6). A malformed SRv6 service withdraws the route,
        which without its segments would go elsewhere (RFC 9252 section 7).
        """
        if not data:
            raise cls.malformed("has no TLV")  # RFC 7606 section 4: nobody says that its length may be zero
        reader = Reader(data)
        tlvs = []
        while len(reader):
            try:
                kind, length = _HEADER.unpack(reader.take(_HEADER.size))
            except Truncated as error:
                raise cls.malformed(f"TLV header: {error}") from error
            try:
                value = reader.take(length)
                check(kind, value)
            except ValueError as error:
                if kind in SERVICES:
                    raise TreatAsWithdraw(f"{cls.NAME} TLV {kind}: {error}") from error
                raise cls.malformed(f"TLV {kind}: {error}") from error
            tlvs.append((kind, value))
        return cls(tuple(tlvs))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the TLVs."""
        return b"".join(_HEADER.pack(kind, len(value)) + value for kind, value in self.tlvs)

    @classmethod
    def of_label(cls, index: int, blocks: Iterable[tuple[int, int]] = ()) -> Self:
        """Build from a label index and SRGB blocks (first label, range); raises ValueError."""
        if not 0 <= index < 1 << 32:
            raise ValueError(f"label index {index} does not fit 32 bits")
        tlvs = [(PrefixSidTlv.LABEL_INDEX, _LABEL_INDEX.pack(0, 0, index))]
        octets = bytearray()
        for base, size in blocks:
            if not (0 <= base < 1 << 24 and 0 <= size < 1 << 24):
                raise ValueError(f"SRGB {base},{size} does not fit 24 bits each")
            octets += base.to_bytes(3, "big") + size.to_bytes(3, "big")
        if octets:
            tlvs.append((PrefixSidTlv.ORIGINATOR_SRGB, bytes(2) + bytes(octets)))
        return cls(tuple(tlvs))

    @classmethod
    def of_service(cls, kind: int, sids: Iterable[Srv6Sid]) -> Self:
        """Build from the SIDs of one SRv6 service, `SRV6_L3_SERVICE` or `SRV6_L2_SERVICE`; raises ValueError."""
        if kind not in SERVICES:
            raise ValueError(f"an SRv6 service is TLV 5 or 6, not {kind}")
        return cls(((kind, write_service(sids)),))

    @property
    def label_index(self) -> int | None:
        """The label index, 32 bits (RFC 8669 section 3.1), or None."""
        value = self._first(PrefixSidTlv.LABEL_INDEX)
        return None if value is None else int.from_bytes(value[3:7], "big")

    @property
    def blocks(self) -> tuple[tuple[int, int], ...] | None:
        """The originator's SRGBs as (first label, range) (RFC 8669 section 3.2), or None."""
        value = self._first(PrefixSidTlv.ORIGINATOR_SRGB)
        return None if value is None else read_blocks(value)

    @property
    def l3_service(self) -> tuple[Srv6Sid, ...] | None:
        """The SIDs of the SRv6 L3 service (RFC 9252 section 2), or None; only the first TLV counts."""
        value = self._first(PrefixSidTlv.SRV6_L3_SERVICE)
        return None if value is None else read_service(value)

    @property
    def l2_service(self) -> tuple[Srv6Sid, ...] | None:
        """The SIDs of the SRv6 L2 service (RFC 9252 section 2), or None; only the first TLV counts."""
        value = self._first(PrefixSidTlv.SRV6_L2_SERVICE)
        return None if value is None else read_service(value)

    def as_pairs(self) -> list[tuple[str, object]]:
        """Return names and values as events show them: numbers, text, lists and objects."""
        pairs: list[tuple[str, object]] = []
        seen: set[int] = set()
        for kind, value in self.tlvs:
            if kind == PrefixSidTlv.LABEL_INDEX:
                named: tuple[str, object] = ("sr-label-index", self.label_index)
            elif kind == PrefixSidTlv.ORIGINATOR_SRGB:
                named = ("sr-srgbs", [list(block) for block in read_blocks(value)])
            elif kind == PrefixSidTlv.SRV6_L3_SERVICE:
                named = ("l3-service", [describe(sid) for sid in read_service(value)])
            elif kind == PrefixSidTlv.SRV6_L2_SERVICE:
                named = ("l2-service", [describe(sid) for sid in read_service(value)])
            else:
                named = (f"attribute-not-implemented-{kind}", "0x" + value.hex().upper())
            if kind not in seen:
                pairs.append(named)
            seen.add(kind)
        return pairs

    def _first(self, kind: int) -> bytes | None:
        return next((value for number, value in self.tlvs if number == kind), None)


def check(kind: int, value: bytes) -> None:
    """Raise ValueError where the value of a known TLV is malformed."""
    if kind == PrefixSidTlv.LABEL_INDEX:
        if len(value) != _LABEL_INDEX.size:
            raise ValueError(f"length {len(value)} is not {_LABEL_INDEX.size}")
    elif kind == PrefixSidTlv.ORIGINATOR_SRGB:
        read_blocks(value)
    elif kind in SERVICES:
        read_service(value)


def read_blocks(value: bytes) -> tuple[tuple[int, int], ...]:
    """Read SRGB blocks behind 16 bits of flags (RFC 8669 section 3.2); raises ValueError."""
    reader = Reader(value)
    reader.take(2)
    if not len(reader) or len(reader) % _BLOCK_OCTETS:
        raise ValueError(f"length {len(value)} is not 2 and a positive multiple of {_BLOCK_OCTETS}")
    return tuple((reader.u24(), reader.u24()) for _ in range(len(reader) // _BLOCK_OCTETS))


def describe(sid: Srv6Sid) -> dict[str, object]:
    """Return a SID as events show it."""
    said: dict[str, object] = {
        "sid": address_text(sid.sid),
        "flags": sid.flags,
        "endpoint_behavior": sid.behavior,
    }
    if sid.structure is not None:
        said["structure"] = {
            "locator-block-length": sid.structure.block,
            "locator-node-length": sid.structure.node,
            "function-length": sid.structure.function,
            "argument-length": sid.structure.argument,
            "transposition-length": sid.structure.transposition_length,
            "transposition-offset": sid.structure.transposition_offset,
        }
    return said
