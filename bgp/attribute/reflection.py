"""ORIGINATOR_ID and CLUSTER_LIST of route reflection (RFC 4456 section 8, RFC 7606 sections 7.9 and 7.10)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.community import words
from bgp.attribute.registry import OPTIONAL_NON_TRANSITIVE, Attribute, from_internal_peers, register
from bgp.negotiated import Negotiated


@register("ORIGINATOR_ID", accepted=from_internal_peers, length=4)
class OriginatorId(Attribute, frozen=True):
    """The BGP identifier of the router that brought the route into the autonomous system."""

    CODE: ClassVar[int] = 9
    FLAGS: ClassVar[int] = OPTIONAL_NON_TRANSITIVE

    address: bytes

    def __post_init__(self) -> None:
        if len(self.address) != 4:
            raise ValueError(f"ORIGINATOR_ID has 4 octets, not {len(self.address)}")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read 4 octets."""
        if len(data) != 4:
            raise cls.malformed(f"length {len(data)} is not 4")
        return cls(data)

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 4 octets."""
        return self.address


@register("CLUSTER_LIST", accepted=from_internal_peers)
class ClusterList(Attribute, frozen=True):
    """The route reflectors that the route went through, nearest first."""

    CODE: ClassVar[int] = 10
    FLAGS: ClassVar[int] = OPTIONAL_NON_TRANSITIVE

    addresses: tuple[bytes, ...]

    def __post_init__(self) -> None:
        for address in self.addresses:
            if len(address) != 4:
                raise ValueError(f"a cluster id has 4 octets, not {len(address)}")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read cluster ids of 4 octets."""
        if not data or len(data) % 4:
            raise cls.malformed(f"length {len(data)} is not a positive multiple of 4")
        return cls(words(data, 4))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 4 octets for each."""
        return b"".join(self.addresses)
