"""Long-lived graceful restart (RFC 9494): code 71."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_multiple, register
from bgp.family import Family
from bgp.wire import Reader


@register(71, "long-lived-graceful-restart")
class LongLivedGracefulRestart(Capability, frozen=True):
    """(family, flags, stale time in seconds of 24 bits)."""

    entries: tuple[tuple[Family, int, int], ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read entries of 7 octets."""
        expect_multiple("long-lived-graceful-restart", data, 7)
        reader = Reader(data)
        entries = []
        while len(reader):
            entries.append((Family(reader.u16(), reader.u8()), reader.u8(), reader.u24()))
        return cls(tuple(entries))

    def encode(self) -> bytes:
        """Return entries of 7 octets."""
        return b"".join(
            family.octets + bytes((flags,)) + time.to_bytes(3, "big") for family, flags, time in self.entries
        )
