"""BGP-LS and BGP-LS-VPN NLRI: nodes, links, prefixes and SRv6 SIDs (RFC 9552 section 5.2, RFC 9514 section 6)."""

from __future__ import annotations

import struct
from typing import ClassVar, Self

from bgp.family import BGP_LS, BGP_LS_VPN, Family
from bgp.nlri.distinguisher import RD_OCTETS, check_rd
from bgp.nlri.link_state_descriptor import (
    Descriptor,
    check_descriptors,
    link_identifiers,
    node_descriptors,
    prefix_of,
    topologies,
)
from bgp.nlri.link_state_tlv import Pair, Tlv, Value, hexadecimal, read_tlvs, write_tlvs
from bgp.nlri.registry import KINDS, NLRI, KindNLRI, register, register_kind
from bgp.wire import Reader, address_text


class LinkStateKind:
    """NLRI types (IANA, BGP-LS NLRI types)."""

    NODE = 1
    LINK = 2
    IPV4_PREFIX = 3
    IPV6_PREFIX = 4
    SRV6_SID = 6


_FRAME = struct.Struct("!HH")
_FIXED = struct.Struct("!BQ")


@register(BGP_LS, BGP_LS_VPN)
class LinkState(KindNLRI, frozen=True, kw_only=True):
    """What all kinds share: type and length in 16 bits each (RFC 9552 section 5.2)."""

    HEADER: ClassVar[int] = _FRAME.size

    @classmethod
    def measure(cls, family: Family, data: bytes, offset: int) -> int:
        """Return the octets of the NLRI, type and length included."""
        length: int = _FRAME.unpack_from(data, offset)[1]
        return _FRAME.size + length

    @classmethod
    def decode(cls, family: Family, data: bytes, path_id: int) -> KindNLRI:
        """Read one NLRI; types that nobody knows come out opaque. Raises ValueError."""
        kind = _FRAME.unpack_from(data)[0]
        codec = KINDS.get((family, kind), OpaqueLinkState)
        return codec.decode_body(family, kind, data[_FRAME.size :], path_id)


class OpaqueLinkState(LinkState, frozen=True, kw_only=True):
    """An NLRI of a type that nobody here can read: `data` is what follows type and length."""

    kind: int
    data: bytes

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        if not 0 <= self.kind <= 0xFFFF:
            raise ValueError(f"link-state NLRI type {self.kind} is not within 0..65535")
        if len(self.data) > 0xFFFF:
            raise ValueError(f"a link-state NLRI has at most 65535 octets, not {len(self.data)}")

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> Self:
        """Keep the octets."""
        return cls(family=family, path_id=path_id, kind=kind, data=body)

    def encode(self) -> bytes:
        """Return type, length, octets."""
        return _FRAME.pack(self.kind, len(self.data)) + self.data


class LinkStateNlri(LinkState, frozen=True, kw_only=True):
    """Base of the kinds that are read. `rd` is there in BGP-LS-VPN only; `identifier` tells routing universes apart.

    `descriptors` are the TLVs as they came; `first` and `every` pick some, `as_pairs` says what they mean. `NEEDED` are
    those without which the kind says nothing.
    """

    NAME: ClassVar[str]
    NEEDED: ClassVar[frozenset[int]] = frozenset((Descriptor.LOCAL_NODE,))
    kind: ClassVar[int]

    protocol: int
    identifier: int
    rd: bytes | None = None
    descriptors: tuple[Tlv, ...]

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        NLRI.__post_init__(self)
        if not 0 <= self.protocol <= 255:
            raise ValueError(f"link-state protocol {self.protocol} is not within 0..255")
        if not 0 <= self.identifier < 1 << 64:
            raise ValueError(f"link-state identifier {self.identifier} does not fit 64 bits")
        if (self.rd is not None) != (self.family == BGP_LS_VPN):
            raise ValueError("BGP-LS-VPN has a route distinguisher and BGP-LS has none")
        if self.rd is not None:
            check_rd(self.rd)
        check_descriptors(self.descriptors)
        if len(self.body()) > 0xFFFF:
            raise ValueError(f"a link-state NLRI has at most 65535 octets, not {len(self.body())}")
        if self.first(Descriptor.LOCAL_NODE) is None:
            raise ValueError(f"{self.NAME} has no local node descriptors")

    def first(self, kind: int) -> bytes | None:
        """Return the value of the first descriptor TLV of that type."""
        return next((value for number, value in self.descriptors if number == kind), None)

    def every(self, *kinds: int) -> list[bytes]:
        """Return the values of all descriptor TLVs of those types, in order."""
        return [value for number, value in self.descriptors if number in kinds]

    def as_pairs(self) -> list[Pair]:
        """Return names and values as events show them, all but the route distinguisher and the next hop."""
        pairs: list[Pair] = [
            ("ls-nlri-type", self.NAME),
            ("l3-routing-topology", self.identifier),
            ("protocol-id", self.protocol),
        ]
        pairs += self.descriptor_pairs()
        return pairs

    def descriptor_pairs(self) -> list[Pair]:
        """Return what the descriptors say; a link has more to say than this."""
        return [("node-descriptors", self.nodes(Descriptor.LOCAL_NODE))]

    def nodes(self, kind: int) -> list[dict[str, Value]]:
        """Return the sub-TLVs of the local or remote node descriptor, none where it is missing."""
        return node_descriptors(self.protocol, self.first(kind) or b"")

    @classmethod
    def decode_body(cls, family: Family, kind: int, body: bytes, path_id: int) -> LinkState:
        """Read route distinguisher (VPN only), protocol, identifier, descriptors; raises ValueError.

        A route that lacks descriptors is not malformed (RFC 9552 section 8.2.2): it comes out opaque.
        """
        reader = Reader(body)
        rd = reader.take(RD_OCTETS) if family == BGP_LS_VPN else None
        protocol, identifier = reader.u8(), reader.u64()
        descriptors = read_tlvs(reader.rest())
        if not cls.NEEDED.issubset(number for number, _ in descriptors):
            check_descriptors(descriptors)
            return OpaqueLinkState(family=family, path_id=path_id, kind=kind, data=body)
        return cls(
            family=family,
            path_id=path_id,
            rd=rd,
            protocol=protocol,
            identifier=identifier,
            descriptors=descriptors,
        )

    def encode(self) -> bytes:
        """Return type, length, route distinguisher (VPN only), protocol, identifier, descriptors."""
        body = self.body()
        return _FRAME.pack(self.kind, len(body)) + body

    def body(self) -> bytes:
        """Return what follows type and length."""
        head = (self.rd or b"") + _FIXED.pack(self.protocol, self.identifier)
        return head + write_tlvs(self.descriptors)


@register_kind(LinkStateKind.NODE, BGP_LS, BGP_LS_VPN)
class LinkStateNode(LinkStateNlri, frozen=True, kw_only=True):
    """A node (RFC 9552 section 5.2, figure 6)."""

    NAME: ClassVar[str] = "bgpls-node"
    kind: ClassVar[int] = LinkStateKind.NODE


@register_kind(LinkStateKind.LINK, BGP_LS, BGP_LS_VPN)
class LinkStateLink(LinkStateNlri, frozen=True, kw_only=True):
    """A link from the local to the remote node (RFC 9552 section 5.2, figure 7)."""

    NAME: ClassVar[str] = "bgpls-link"
    kind: ClassVar[int] = LinkStateKind.LINK

    def descriptor_pairs(self) -> list[Pair]:
        """Return both nodes and the link's own descriptors."""
        interfaces = self.every(Descriptor.IPV4_INTERFACE_ADDRESS, Descriptor.IPV6_INTERFACE_ADDRESS)
        neighbors = self.every(Descriptor.IPV4_NEIGHBOR_ADDRESS, Descriptor.IPV6_NEIGHBOR_ADDRESS)
        return [
            ("local-node-descriptors", self.nodes(Descriptor.LOCAL_NODE)),
            ("remote-node-descriptors", self.nodes(Descriptor.REMOTE_NODE)),
            ("interface-addresses", [address_text(address) for address in interfaces]),
            ("neighbor-addresses", [address_text(address) for address in neighbors]),
            (
                "multi-topology-ids",
                [number for value in self.every(Descriptor.MULTI_TOPOLOGY) for number in topologies(value)],
            ),
            (
                "link-identifiers",
                [link_identifiers(value) for value in self.every(Descriptor.LINK_IDENTIFIERS)],
            ),
        ]


class LinkStatePrefix(LinkStateNlri, frozen=True, kw_only=True):
    """A prefix that a node reaches (RFC 9552 section 5.2, figure 8); its version is its kind."""

    NEEDED: ClassVar[frozenset[int]] = frozenset((Descriptor.LOCAL_NODE, Descriptor.IP_REACHABILITY))
    SIZE: ClassVar[int]

    def __post_init__(self) -> None:
        """Validate; raises ValueError."""
        LinkStateNlri.__post_init__(self)
        prefix_of(self.reachability, self.SIZE)

    @property
    def reachability(self) -> bytes:
        """The value of the IP reachability TLV; raises ValueError where there is none."""
        value = self.first(Descriptor.IP_REACHABILITY)
        if value is None:
            raise ValueError(f"{self.NAME} has no IP reachability information")
        return value

    @property
    def length(self) -> int:
        """The prefix length in bits."""
        return prefix_of(self.reachability, self.SIZE)[0]

    @property
    def address(self) -> bytes:
        """The packed address, zero beyond the length."""
        return prefix_of(self.reachability, self.SIZE)[1]

    @property
    def ospf_route_type(self) -> int | None:
        """OSPF route type (RFC 9552 section 5.2.3.1), 1 intra-area to 6 NSSA 2, or None."""
        value = self.first(Descriptor.OSPF_ROUTE_TYPE)
        return None if value is None else value[0]

    def descriptor_pairs(self) -> list[Pair]:
        """Return the node, the prefix, and the OSPF route type where there is one."""
        address = address_text(self.address)
        pairs: list[Pair] = [
            ("node-descriptors", self.nodes(Descriptor.LOCAL_NODE)),
            ("ip-reachability-tlv", address),
            ("ip-reach-prefix", f"{address}/{self.length}"),
        ]
        if self.ospf_route_type is not None:
            pairs.append(("ospf-route-type", self.ospf_route_type))
        return pairs


@register_kind(LinkStateKind.IPV4_PREFIX, BGP_LS, BGP_LS_VPN)
class LinkStateIpv4Prefix(LinkStatePrefix, frozen=True, kw_only=True):
    """An IPv4 prefix."""

    NAME: ClassVar[str] = "bgpls-prefix-v4"
    SIZE: ClassVar[int] = 4
    kind: ClassVar[int] = LinkStateKind.IPV4_PREFIX


@register_kind(LinkStateKind.IPV6_PREFIX, BGP_LS, BGP_LS_VPN)
class LinkStateIpv6Prefix(LinkStatePrefix, frozen=True, kw_only=True):
    """An IPv6 prefix."""

    NAME: ClassVar[str] = "bgpls-prefix-v6"
    SIZE: ClassVar[int] = 16
    kind: ClassVar[int] = LinkStateKind.IPV6_PREFIX


@register_kind(LinkStateKind.SRV6_SID, BGP_LS, BGP_LS_VPN)
class LinkStateSrv6Sid(LinkStateNlri, frozen=True, kw_only=True):
    """SRv6 segment identifiers of a node (RFC 9514 section 6)."""

    NAME: ClassVar[str] = "bgpls-srv6sid"
    kind: ClassVar[int] = LinkStateKind.SRV6_SID

    def descriptor_pairs(self) -> list[Pair]:
        """Return the node and the SID; descriptors that are not known come in hexadecimal."""
        numbers = [number for value in self.every(Descriptor.MULTI_TOPOLOGY) for number in topologies(value)]
        sid: dict[str, Value] = {"multi-topology-ids": [str(number) for number in numbers]}
        for value in self.every(Descriptor.SRV6_SID):
            sid["srv6-sid"] = address_text(value)
        known = (Descriptor.LOCAL_NODE, Descriptor.MULTI_TOPOLOGY, Descriptor.SRV6_SID)
        for kind, _ in self.descriptors:
            if kind not in known:
                sid[f"generic-tlv-{kind}"] = [hexadecimal(value) for value in self.every(kind)]
        return [
            ("node-descriptors", self.nodes(Descriptor.LOCAL_NODE)),
            ("srv6-sid-descriptors", sid),
        ]
