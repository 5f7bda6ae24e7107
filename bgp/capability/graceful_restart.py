"""Graceful restart (RFC 4724, RFC 8538): code 64."""

from __future__ import annotations

import struct
from typing import Self

from bgp.capability.registry import Capability, register
from bgp.family import Family

_ENTRY = struct.Struct("!HBB")

RESTARTING = 0x8  # R: the speaker has restarted
NOTIFICATION = 0x4  # N: RFC 8538
FORWARDING = 0x80  # F, for a family: forwarding state was kept


@register(64, "graceful-restart")
class GracefulRestart(Capability, frozen=True):
    """Flags (4 bits), restart time in seconds (12 bits), and (family, flags)."""

    flags: int
    time: int
    families: tuple[tuple[Family, int], ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the time, then entries of 4 octets."""
        if len(data) < 2 or (len(data) - 2) % _ENTRY.size:
            raise ValueError(f"graceful-restart capability has {len(data)} octets, not 2 and a multiple of 4")
        word = data[0] << 8 | data[1]
        families = tuple((Family(afi, safi), flags) for afi, safi, flags in _ENTRY.iter_unpack(data[2:]))
        return cls(word >> 12, word & 0xFFF, families)

    def encode(self) -> bytes:
        """Return the time, then entries of 4 octets."""
        word = (self.flags << 12 | self.time).to_bytes(2, "big")
        return word + b"".join(_ENTRY.pack(family.afi, family.safi, flags) for family, flags in self.families)
