"""Four-octet AS numbers (RFC 6793): code 65."""

from __future__ import annotations

from typing import Self

from bgp.capability.registry import Capability, expect_length, register


@register(65, "asn4")
class FourOctetAsn(Capability, frozen=True):
    """The speaker's AS number, in 4 octets."""

    asn: int

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read 4 octets."""
        expect_length("asn4", data, 4)
        return cls(int.from_bytes(data, "big"))

    def encode(self) -> bytes:
        """Return 4 octets."""
        return self.asn.to_bytes(4, "big")
