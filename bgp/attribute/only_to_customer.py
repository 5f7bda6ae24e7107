"""ONLY_TO_CUSTOMER, the route leak guard (RFC 9234 section 5)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.registry import OPTIONAL_TRANSITIVE, Attribute, register
from bgp.capability.role import CUSTOMER, PEER, PROVIDER, ROUTE_SERVER, ROUTE_SERVER_CLIENT
from bgp.negotiated import Negotiated


@register("OTC", length=4)
class OnlyToCustomer(Attribute, frozen=True):
    """The AS that sent the route down; from here on it may only go to customers."""

    CODE: ClassVar[int] = 35
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    asn: int

    def __post_init__(self) -> None:
        if not 0 < self.asn <= 0xFFFFFFFF:
            raise ValueError(f"OTC AS {self.asn} is not within 1..4294967295")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read 4 octets; AS 0 is no AS (RFC 7607)."""
        if len(data) != 4:
            raise cls.malformed(f"length {len(data)} is not 4")
        asn = int.from_bytes(data, "big")
        if not asn:
            raise cls.malformed("contains AS 0")
        return cls(asn)

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 4 octets."""
        return self.asn.to_bytes(4, "big")


def leak(role: int | None, asn: int, peer_as: int) -> str | None:
    """Tell why a received route with OTC is a leak, if it is (section 5, ingress); `role` is ours or unknown."""
    if role in (PROVIDER, ROUTE_SERVER):
        return f"OTC {asn} from a customer or a route server client: route leak"
    if role == PEER and asn != peer_as:
        return f"OTC {asn} from peer AS {peer_as}: route leak"
    return None


def adds_otc(role: int | None) -> bool:
    """Whether routes without OTC get ours on the way out (section 5, egress)."""
    return role in (PROVIDER, ROUTE_SERVER, PEER)


def withholds_otc(role: int | None) -> bool:
    """Whether routes with OTC must not be sent (section 5, egress)."""
    return role in (CUSTOMER, ROUTE_SERVER_CLIENT, PEER)
