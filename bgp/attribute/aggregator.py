"""ATOMIC_AGGREGATE, AGGREGATOR and AS4_AGGREGATOR (RFC 4271 section 5.1, RFC 6793, RFC 7606 sections 7.6 and 7.7)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.attribute.as_path import LARGEST_TWO_OCTET_AS, from_two_octet_peers
from bgp.attribute.registry import OPTIONAL_TRANSITIVE, WELL_KNOWN, Attribute, register
from bgp.errors import AttributeDiscard
from bgp.negotiated import Negotiated
from bgp.wire import AS_TRANS


@register("ATOMIC_AGGREGATE", AttributeDiscard)
class AtomicAggregate(Attribute, frozen=True):
    """The route is an aggregate whose path may not name every autonomous system."""

    CODE: ClassVar[int] = 6
    FLAGS: ClassVar[int] = WELL_KNOWN

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read no octets."""
        if data:
            raise cls.malformed(f"length {len(data)} is not 0")
        return cls()

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return no octets."""
        return b""


def _validate(name: str, asn: int, address: bytes) -> None:
    if not 0 < asn <= 0xFFFFFFFF:
        raise ValueError(f"{name} AS {asn} is not within 1..4294967295")
    if len(address) != 4:
        raise ValueError(f"{name} address has 4 octets, not {len(address)}")


@register("AGGREGATOR", AttributeDiscard)
class Aggregator(Attribute, frozen=True):
    """Who formed the aggregate."""

    CODE: ClassVar[int] = 7
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    asn: int
    address: bytes

    def __post_init__(self) -> None:
        _validate("AGGREGATOR", self.asn, self.address)

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read 6 or 8 octets, as 4-octet AS numbers are negotiated; AS 0 is malformed (RFC 7607)."""
        length = 8 if negotiated.asn4 else 6
        if len(data) != length:
            raise cls.malformed(f"length {len(data)} is not {length}")
        asn = int.from_bytes(data[:-4], "big")
        if not asn:
            raise cls.malformed("contains AS 0")
        return cls(asn, data[-4:])

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 6 or 8 octets; in 2 octets AS_TRANS stands for what does not fit."""
        if negotiated.asn4:
            return self.asn.to_bytes(4, "big") + self.address
        asn = self.asn if self.asn <= LARGEST_TWO_OCTET_AS else AS_TRANS
        return asn.to_bytes(2, "big") + self.address


@register("AS4_AGGREGATOR", AttributeDiscard, accepted=from_two_octet_peers)
class As4Aggregator(Attribute, frozen=True):
    """The aggregator's 4-octet AS number, carried through speakers that know only 2 octets."""

    CODE: ClassVar[int] = 18
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    asn: int
    address: bytes

    def __post_init__(self) -> None:
        _validate("AS4_AGGREGATOR", self.asn, self.address)

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read 8 octets; AS 0 is malformed (RFC 7607)."""
        if len(data) != 8:
            raise cls.malformed(f"length {len(data)} is not 8")
        asn = int.from_bytes(data[:4], "big")
        if not asn:
            raise cls.malformed("contains AS 0")
        return cls(asn, data[4:])

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 8 octets."""
        return self.asn.to_bytes(4, "big") + self.address
