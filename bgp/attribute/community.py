"""The four kinds of communities (RFC 1997, RFC 4360, RFC 5701, RFC 8092; RFC 7606 sections 7.8, 7.14, 7.15).

All share one rule: a length that is not a positive multiple of one community's makes the UPDATE a withdraw.
"""

from __future__ import annotations

import struct
from typing import ClassVar, Self

from bgp.attribute.registry import OPTIONAL_TRANSITIVE, Attribute, register
from bgp.negotiated import Negotiated

_COMMUNITY = struct.Struct("!I")
_LARGE_COMMUNITY = struct.Struct("!III")
EXTENDED_COMMUNITY_OCTETS = 8
IPV6_EXTENDED_COMMUNITY_OCTETS = 20


def _require_multiple(cls: type[Attribute], data: bytes, octets: int) -> None:
    if not data or len(data) % octets:
        raise cls.malformed(f"length {len(data)} is not a positive multiple of {octets}")


def _require_octets(name: str, values: tuple[bytes, ...], octets: int) -> None:
    for value in values:
        if len(value) != octets:
            raise ValueError(f"{name} has {octets} octets, not {len(value)}")


@register("COMMUNITY")
class Communities(Attribute, frozen=True):
    """Communities of 32 bits, in the order of the wire."""

    CODE: ClassVar[int] = 8
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    values: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.values and not 0 <= min(self.values) <= max(self.values) <= 0xFFFFFFFF:
            raise ValueError("a community is not within 0..4294967295")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read communities of 4 octets."""
        _require_multiple(cls, data, _COMMUNITY.size)
        return cls(struct.unpack(f"!{len(data) // _COMMUNITY.size}I", data))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 4 octets for each."""
        return b"".join(map(_COMMUNITY.pack, self.values))


@register("EXTENDED COMMUNITIES")
class ExtendedCommunities(Attribute, frozen=True):
    """Communities of 8 octets, whose first one or two are their type."""

    CODE: ClassVar[int] = 16
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    values: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _require_octets("an extended community", self.values, EXTENDED_COMMUNITY_OCTETS)

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read communities of 8 octets."""
        _require_multiple(cls, data, EXTENDED_COMMUNITY_OCTETS)
        return cls(words(data, EXTENDED_COMMUNITY_OCTETS))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 8 octets for each."""
        return b"".join(self.values)


@register("IPv6 EXTENDED COMMUNITIES")
class Ipv6ExtendedCommunities(Attribute, frozen=True):
    """Communities of 20 octets with an IPv6 address."""

    CODE: ClassVar[int] = 25
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    values: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _require_octets("an IPv6 extended community", self.values, IPV6_EXTENDED_COMMUNITY_OCTETS)

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read communities of 20 octets."""
        _require_multiple(cls, data, IPV6_EXTENDED_COMMUNITY_OCTETS)
        return cls(words(data, IPV6_EXTENDED_COMMUNITY_OCTETS))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 20 octets for each."""
        return b"".join(self.values)


@register("LARGE_COMMUNITY")
class LargeCommunities(Attribute, frozen=True):
    """Communities of three 32-bit numbers (RFC 8092)."""

    CODE: ClassVar[int] = 32
    FLAGS: ClassVar[int] = OPTIONAL_TRANSITIVE

    values: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        for value in self.values:
            if len(value) != 3 or not 0 <= min(value) <= max(value) <= 0xFFFFFFFF:
                raise ValueError(f"large community {value} is not three numbers within 0..4294967295")

    @classmethod
    def decode(cls, data: bytes, negotiated: Negotiated) -> Self:
        """Read communities of 12 octets; repeated ones count once (RFC 8092 section 5)."""
        _require_multiple(cls, data, _LARGE_COMMUNITY.size)
        return cls(tuple(dict.fromkeys(_LARGE_COMMUNITY.iter_unpack(data))))

    def encode(self, negotiated: Negotiated) -> bytes:
        """Return 12 octets for each."""
        return b"".join(_LARGE_COMMUNITY.pack(*value) for value in self.values)


def words(data: bytes, octets: int) -> tuple[bytes, ...]:
    """Cut octets into words of one length."""
    return tuple(data[offset : offset + octets] for offset in range(0, len(data), octets))
