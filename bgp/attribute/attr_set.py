"""ATTR_SET, the customer's attributes through a provider's iBGP (RFC 6368)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.registry import OPTIONAL_TRANSITIVE, Attribute, register
from bgp.attribute.walk import MP_REACH_NLRI, MP_UNREACH_NLRI, walk
from bgp.negotiated import Negotiated
from bgp.wire import Truncated

ORIGIN_AS_OCTETS = 4


@register("ATTR_SET")
class AttrSet(Attribute, frozen=True):
    """The customer's AS and its path attributes as octets, always with 4-octet AS numbers."""

    CODE: ClassVar[int] = 128
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    origin_as: int
    octets: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.origin_as <= 0xFFFFFFFF:
            raise ValueError(f"ATTR_SET AS {self.origin_as} is not within 0..4294967295")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read the AS and check that attributes follow; MP_REACH_NLRI and MP_UNREACH_NLRI may not be among them."""
        if len(data) < ORIGIN_AS_OCTETS:
            raise cls.malformed(f"length {len(data)} is less than {ORIGIN_AS_OCTETS}")
        octets = data[ORIGIN_AS_OCTETS:]
        try:
            for _, code, _, _, _ in walk(octets):
                if code in (MP_REACH_NLRI, MP_UNREACH_NLRI):
                    raise cls.malformed(f"holds attribute {code}")
        except Truncated as error:
            raise cls.malformed(f"holds a damaged attribute: {error}") from error
        return cls(int.from_bytes(data[:ORIGIN_AS_OCTETS], "big"), octets)

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return the AS and the attributes."""
        return self.origin_as.to_bytes(ORIGIN_AS_OCTETS, "big") + self.octets
