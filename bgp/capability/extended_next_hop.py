"""Extended next hop (RFC 8950): code 5."""

from __future__ import annotations

import struct
from typing import Self

from bgp.capability.registry import Capability, expect_multiple, register
from bgp.family import Family

_ENTRY = struct.Struct("!HHH")


@register(5, "nexthop")
class ExtendedNextHop(Capability, frozen=True):
    """Families whose next hop may be of another AFI: (family, AFI of the next hop)."""

    entries: tuple[tuple[Family, int], ...]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read entries of 6 octets; the SAFI has two."""
        expect_multiple("nexthop", data, _ENTRY.size)
        return cls(tuple((Family(afi, safi), next_hop) for afi, safi, next_hop in _ENTRY.iter_unpack(data)))

    def encode(self) -> bytes:
        """Return entries of 6 octets."""
        return b"".join(_ENTRY.pack(family.afi, family.safi, next_hop) for family, next_hop in self.entries)
