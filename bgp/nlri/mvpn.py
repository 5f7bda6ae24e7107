"""Multicast VPN NLRI: source active and C-multicast routes (RFC 6514 section 4)."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar, Self

from bgp.family import IPV4_MCAST_VPN, IPV6_MCAST_VPN, Family
from bgp.nlri.distinguisher import RD_OCTETS, check_rd
from bgp.nlri.registry import KINDS, NLRI, KindNLRI, register, register_kind
from bgp.wire import Reader


class MvpnKind:
    """Route types (IANA, MCAST-VPN route types)."""

    SOURCE_ACTIVE = 5
    SHARED_TREE_JOIN = 6
    SOURCE_TREE_JOIN = 7


@register(IPV4_MCAST_VPN, IPV6_MCAST_VPN)
@dataclass(frozen=True, slots=True, kw_only=True)
class Mvpn(KindNLRI, ABC):
    """What all routes share: route type and length in one octet each. All octets identify the route."""

    HEADER: ClassVar[int] = 2

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the route, type and length included."""
        return 2 + data[offset + 1]

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> KindNLRI:
        """Read one route; types that nobody knows come out opaque. Raises ValueError."""
        kind = data[0]
        return KINDS.get((family, kind), OpaqueMvpn).decode_body(family, kind, data[2:], path_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueMvpn(Mvpn):
    """A route of a type that is not read here: `data` is what follows type and length."""

    kind: int
    data: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        if not 0 <= self.kind <= 255:
            raise ValueError(f"MVPN route type {self.kind} is not within 0..255")
        if len(self.data) > 255:
            raise ValueError(f"an MVPN route has at most 255 octets, not {len(self.data)}")

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Keep the octets."""
        return cls(family=family, path_id=path_id, kind=kind, data=body)

    def encode(self) -> bytes:
        """Return type, length, octets."""
        return bytes((self.kind, len(self.data))) + self.data


def check_address(name: str, address: bytes) -> None:
    """Raise ValueError unless the address is packed IPv4 or IPv6."""
    if len(address) not in (4, 16):
        raise ValueError(f"MVPN {name} has 4 or 16 octets, not {len(address)}")


def check_source_as(source_as: int) -> None:
    """Raise ValueError unless the AS number fits 32 bits."""
    if not 0 <= source_as < 1 << 32:
        raise ValueError(f"MVPN source AS {source_as} does not fit 32 bits")


def read_address(reader: Reader) -> bytes:
    """Read an address behind its length in bits (RFC 6514 sections 4.5 and 4.6); raises ValueError."""
    bits = reader.u8()
    if bits not in (32, 128):
        raise ValueError(f"MVPN address length is 32 or 128 bits, not {bits}")
    return reader.take(bits // 8)


def sized(address: bytes) -> bytes:
    """Return an address behind its length in bits."""
    return bytes((len(address) * 8,)) + address


@register_kind(MvpnKind.SOURCE_ACTIVE, IPV4_MCAST_VPN, IPV6_MCAST_VPN)
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceActive(Mvpn):
    """Type 5, source active auto-discovery (RFC 6514 section 4.5). Addresses are packed."""

    rd: bytes
    source: bytes
    group: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_address("source", self.source)
        check_address("group", self.group)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, source, group; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        source = read_address(reader)
        group = read_address(reader)
        reader.finish()
        return cls(family=family, path_id=path_id, rd=rd, source=source, group=group)

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, source, group."""
        body = self.rd + sized(self.source) + sized(self.group)
        return bytes((MvpnKind.SOURCE_ACTIVE, len(body))) + body


@register_kind(MvpnKind.SHARED_TREE_JOIN, IPV4_MCAST_VPN, IPV6_MCAST_VPN)
@dataclass(frozen=True, slots=True, kw_only=True)
class SharedTreeJoin(Mvpn):
    """Type 6, C-multicast shared tree join (RFC 6514 section 4.6), towards a rendezvous point."""

    rd: bytes
    source_as: int
    rp: bytes
    group: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_source_as(self.source_as)
        check_address("rendezvous point", self.rp)
        check_address("group", self.group)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, source AS, rendezvous point, group; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        source_as = reader.u32()
        rp = read_address(reader)
        group = read_address(reader)
        reader.finish()
        return cls(family=family, path_id=path_id, rd=rd, source_as=source_as, rp=rp, group=group)

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, source AS, rendezvous point, group."""
        body = self.rd + self.source_as.to_bytes(4, "big") + sized(self.rp) + sized(self.group)
        return bytes((MvpnKind.SHARED_TREE_JOIN, len(body))) + body


@register_kind(MvpnKind.SOURCE_TREE_JOIN, IPV4_MCAST_VPN, IPV6_MCAST_VPN)
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTreeJoin(Mvpn):
    """Type 7, C-multicast source tree join (RFC 6514 section 4.6), towards a source."""

    rd: bytes
    source_as: int
    source: bytes
    group: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_source_as(self.source_as)
        check_address("source", self.source)
        check_address("group", self.group)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, source AS, source, group; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        source_as = reader.u32()
        source = read_address(reader)
        group = read_address(reader)
        reader.finish()
        return cls(family=family, path_id=path_id, rd=rd, source_as=source_as, source=source, group=group)

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, source AS, source, group."""
        body = self.rd + self.source_as.to_bytes(4, "big") + sized(self.source) + sized(self.group)
        return bytes((MvpnKind.SOURCE_TREE_JOIN, len(body))) + body
