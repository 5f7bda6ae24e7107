"""VPLS NLRI (RFC 4761 section 3.2.2)."""

from __future__ import annotations

import struct
from typing import ClassVar

from bgp.family import L2VPN_VPLS, Family
from bgp.nlri.distinguisher import check_rd
from bgp.nlri.opaque import OpaqueNlri
from bgp.nlri.registry import NLRI, register

LENGTH_OCTETS = 2
VPLS_OCTETS = 17
AUTO_DISCOVERY_OCTETS = 12  # RFC 6074 section 7.1: route distinguisher and PE address, same AFI and SAFI

_LAYOUT = struct.Struct("!H8sHHHHB")


@register(L2VPN_VPLS)
class Vpls(NLRI, frozen=True, kw_only=True):
    """A block of labels towards one VPLS edge.

    `base` is the 20-bit label; `base_bits` are the four bits below it, where routers set bottom of stack.
    """

    HEADER: ClassVar[int] = LENGTH_OCTETS

    rd: bytes
    endpoint: int
    offset: int
    size: int
    base: int
    base_bits: int = 1

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        for name, value, bits in (
            ("endpoint", self.endpoint, 16),
            ("offset", self.offset, 16),
            ("size", self.size, 16),
            ("base", self.base, 20),
            ("base bits", self.base_bits, 4),
        ):
            if not 0 <= value < 1 << bits:
                raise ValueError(f"VPLS {name} {value} does not fit {bits} bits")

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the NLRI, its 2-octet length included."""
        return LENGTH_OCTETS + int.from_bytes(data[offset : offset + LENGTH_OCTETS], "big")

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> NLRI:
        """Read one NLRI; auto-discovery routes (RFC 6074) come out opaque. Raises ValueError."""
        size = len(data) - LENGTH_OCTETS
        if size == AUTO_DISCOVERY_OCTETS:
            return OpaqueNlri(family=family, path_id=path_id, data=data)
        if size != VPLS_OCTETS:
            raise ValueError(f"VPLS NLRI has {VPLS_OCTETS} octets, not {size}")
        _, rd, endpoint, offset, block, high, low = _LAYOUT.unpack(data)
        label = high << 8 | low
        return cls(
            family=family,
            path_id=path_id,
            rd=rd,
            endpoint=endpoint,
            offset=offset,
            size=block,
            base=label >> 4,
            base_bits=label & 0xF,
        )

    def encode(self) -> bytes:
        """Return length, route distinguisher, VE identifier, block offset, block size, label base."""
        label = self.base << 4 | self.base_bits
        return _LAYOUT.pack(VPLS_OCTETS, self.rd, self.endpoint, self.offset, self.size, label >> 8, label & 0xFF)
