"""NEXT_HOP (RFC 4271 sections 5.1.3 and 6.3, RFC 7606 section 7.3)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.registry import WELL_KNOWN, Attribute, register
from bgp.negotiated import Negotiated


@register("NEXT_HOP", subcode=8, length=4)
class NextHop(Attribute, frozen=True):
    """The IPv4 address to forward to. Whether it is an address of a host is judged with the routes (`bgp.update`)."""

    CODE: ClassVar[int] = 3
    FLAGS: ClassVar[int] = WELL_KNOWN

    address: bytes

    def __post_init__(self) -> None:
        if len(self.address) != 4:
            raise ValueError(f"NEXT_HOP has 4 octets, not {len(self.address)}")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read 4 octets."""
        if len(data) != 4:
            raise cls.malformed(f"length {len(data)} is not 4")
        return cls(data)

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 4 octets."""
        return self.address
