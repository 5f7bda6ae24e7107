"""Multiprotocol extensions (RFC 4760): code 1, one capability for each family."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_length, register
from bgp.family import Family


@register(1, "multiprotocol")
class Multiprotocol(Capability, frozen=True):
    """A family that the speaker carries."""

    family: Family

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read AFI, a reserved octet that is ignored, and SAFI."""
        expect_length("multiprotocol", data, 4)
        return cls(Family(data[0] << 8 | data[1], data[3]))

    def encode(self) -> bytes:
        """Return AFI, zero, SAFI."""
        return self.family.afi.to_bytes(2, "big") + bytes((0, self.family.safi))
