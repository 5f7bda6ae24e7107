"""The tunnel encapsulation attribute, code 23 (RFC 9012)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import ClassVar, Self

from msgspec import Struct

from bgp.attribute.registry import OPTIONAL_TRANSITIVE, Attribute, register
from bgp.errors import TreatAsWithdraw
from bgp.negotiated import Negotiated
from bgp.wire import Reader

LONG_SUB_TLV = 128  # RFC 9012 section 2: from this type on, the length has two octets

_HEADER = struct.Struct("!HH")


def read_sub_tlvs(data: bytes) -> tuple[tuple[int, bytes], ...]:
    """Cut octets into (type, value); raises Truncated (a ValueError) unless they end where a sub-TLV ends."""
    reader = Reader(data)
    tlvs = []
    while len(reader):
        kind = reader.u8()
        length = reader.u8() if kind < LONG_SUB_TLV else reader.u16()
        tlvs.append((kind, reader.take(length)))
    return tuple(tlvs)


def write_sub_tlvs(tlvs: Iterable[tuple[int, bytes]]) -> bytes:
    """Return the octets of sub-TLVs; raises ValueError for a type or length that does not fit."""
    octets = bytearray()
    for kind, value in tlvs:
        size = 1 if kind < LONG_SUB_TLV else 2
        if not 0 <= kind <= 255:
            raise ValueError(f"tunnel sub-TLV type {kind} is not within 0..255")
        if len(value) >= 1 << (8 * size):
            raise ValueError(f"tunnel sub-TLV {kind} has at most {(1 << 8 * size) - 1} octets, not {len(value)}")
        octets += bytes((kind,)) + len(value).to_bytes(size, "big") + value
    return bytes(octets)


class Tunnel(Struct, frozen=True):
    """One tunnel: its type (IANA, BGP tunnel encapsulation attribute tunnel types) and its sub-TLVs."""

    kind: int
    tlvs: tuple[tuple[int, bytes], ...] = ()

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        if not 0 <= self.kind <= 0xFFFF:
            raise ValueError(f"tunnel type {self.kind} is not within 0..65535")
        size = len(write_sub_tlvs(self.tlvs))
        if size > 0xFFFF:
            raise ValueError(f"a tunnel has at most 65535 octets, not {size}")

    def encode(self) -> bytes:
        """Return type, length, sub-TLVs."""
        body = write_sub_tlvs(self.tlvs)
        return _HEADER.pack(self.kind, len(body)) + body


@register("TUNNEL_ENCAP", TreatAsWithdraw)
class TunnelEncapsulation(Attribute, frozen=True):
    """The tunnels by which a route may be reached. Sub-TLVs are octets here; `tunnel_sr_policy` reads some."""

    CODE: ClassVar[int] = 23
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    tunnels: tuple[Tunnel, ...]

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read tunnels; one that does not end with its last sub-TLV withdraws the route (RFC 9012 section 13)."""
        if not data:
            raise cls.malformed("has no tunnel")
        reader = Reader(data)
        tunnels = []
        try:
            while len(reader):
                kind = reader.u16()
                tunnels.append(Tunnel(kind, read_sub_tlvs(reader.take(reader.u16()))))
        except ValueError as error:
            raise cls.malformed(str(error)) from error
        return cls(tuple(tunnels))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the tunnels."""
        return b"".join(tunnel.encode() for tunnel in self.tunnels)
