"""Multicast VPN NLRI: source active and C-multicast routes (RFC 6514 section 4)."""

from __future__ import annotations

from typing import ClassVar, Self

from bgp.family import IPV4_MCAST_VPN, IPV6_MCAST_VPN, Family
from bgp.nlri.distinguisher import RD_OCTETS, check_rd
from bgp.nlri.registry import NLRI, register, register_kind
from bgp.nlri.typed import TypedNLRI, check_address, framed, read_sized_address, sized_address
from bgp.wire import Reader


class MvpnKind:
    """Route types (IANA, MCAST-VPN route types)."""

    SOURCE_ACTIVE = 5
    SHARED_TREE_JOIN = 6
    SOURCE_TREE_JOIN = 7


@register(IPV4_MCAST_VPN, IPV6_MCAST_VPN)
class Mvpn(TypedNLRI, frozen=True, kw_only=True):
    """What all routes share. All octets identify the route."""


@register_kind(MvpnKind.SOURCE_ACTIVE, IPV4_MCAST_VPN, IPV6_MCAST_VPN)
class SourceActive(Mvpn, frozen=True, kw_only=True):
    """Type 5, source active auto-discovery (RFC 6514 section 4.5). Addresses are packed."""

    rd: bytes
    source: bytes
    group: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        check_address("MVPN source", self.source)
        check_address("MVPN group", self.group)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, source, group; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        source = read_sized_address(reader)
        group = read_sized_address(reader)
        reader.finish()
        return cls(family=family, path_id=path_id, rd=rd, source=source, group=group)

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, source, group."""
        body = self.rd + sized_address(self.source) + sized_address(self.group)
        return framed(MvpnKind.SOURCE_ACTIVE, body)


class MvpnJoin(Mvpn, frozen=True, kw_only=True):
    """What the C-multicast routes share (RFC 6514 section 4.6): `source` is what the tree is joined towards."""

    KIND: ClassVar[int]

    rd: bytes
    source_as: int
    source: bytes
    group: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        check_rd(self.rd)
        if not 0 <= self.source_as < 1 << 32:
            raise ValueError(f"MVPN source AS {self.source_as} does not fit 32 bits")
        check_address("MVPN source", self.source)
        check_address("MVPN group", self.group)

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Read route distinguisher, source AS, source, group; raises ValueError."""
        reader = Reader(body)
        rd = reader.take(RD_OCTETS)
        source_as = reader.u32()
        source = read_sized_address(reader)
        group = read_sized_address(reader)
        reader.finish()
        return cls(family=family, path_id=path_id, rd=rd, source_as=source_as, source=source, group=group)

    def encode(self) -> bytes:
        """Return type, length, route distinguisher, source AS, source, group."""
        body = self.rd + self.source_as.to_bytes(4, "big") + sized_address(self.source) + sized_address(self.group)
        return framed(self.KIND, body)


@register_kind(MvpnKind.SHARED_TREE_JOIN, IPV4_MCAST_VPN, IPV6_MCAST_VPN)
class SharedTreeJoin(MvpnJoin, frozen=True, kw_only=True):
    """Type 6, shared tree join: `source` is the rendezvous point."""

    KIND: ClassVar[int] = MvpnKind.SHARED_TREE_JOIN


@register_kind(MvpnKind.SOURCE_TREE_JOIN, IPV4_MCAST_VPN, IPV6_MCAST_VPN)
class SourceTreeJoin(MvpnJoin, frozen=True, kw_only=True):
    """Type 7, source tree join."""

    KIND: ClassVar[int] = MvpnKind.SOURCE_TREE_JOIN
