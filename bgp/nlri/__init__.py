"""NLRI: cut a field into items, read an item, and tell which route an item is about.

An item is one NLRI in ADD-PATH form (RFC 7911): 4 octets of path identifier, 0 where there is none, then
the NLRI's own octets. The functions here raise ValueError on damage and nothing else.
"""

from __future__ import annotations

from bgp.family import SAFI, Family
from bgp.nlri.distinguisher import RouteDistinguisher
from bgp.nlri.evpn import Evpn, EvpnKind
from bgp.nlri.evpn_prefix import IpPrefix
from bgp.nlri.evpn_route import EthernetAutoDiscovery, EthernetSegment, InclusiveMulticast, MacAdvertisement
from bgp.nlri.flow import Flow
from bgp.nlri.flow_component import Component, FlowKind, OperatorComponent, PrefixComponent, Term
from bgp.nlri.labelled import WITHDRAWN_LABEL, LabelledPrefix
from bgp.nlri.link_state import (
    LinkState,
    LinkStateIpv4Prefix,
    LinkStateIpv6Prefix,
    LinkStateKind,
    LinkStateLink,
    LinkStateNlri,
    LinkStateNode,
    LinkStatePrefix,
    LinkStateSrv6Sid,
    OpaqueLinkState,
)
from bgp.nlri.mup import (
    DirectSegmentDiscovery,
    InterworkSegmentDiscovery,
    Mup,
    MupKind,
    OpaqueMup,
    Type1SessionTransformed,
    Type2SessionTransformed,
)
from bgp.nlri.mvpn import Mvpn, MvpnKind, SharedTreeJoin, SourceActive, SourceTreeJoin
from bgp.nlri.opaque import OpaqueNlri
from bgp.nlri.prefix import Prefix
from bgp.nlri.registry import CODECS, KINDS, NLRI, PATH_ID_OCTETS, frame, register, register_kind
from bgp.nlri.route_target import RouteTarget
from bgp.nlri.sr_policy import SrPolicy
from bgp.nlri.typed import OpaqueTyped
from bgp.nlri.vpls import Vpls
from bgp.nlri.vpn import VpnPrefix
from bgp.wire import Truncated

__all__ = [
    "CODECS",
    "KEYED_BY_ITEM",
    "KINDS",
    "NLRI",
    "WITHDRAWN_LABEL",
    "Component",
    "DirectSegmentDiscovery",
    "EthernetAutoDiscovery",
    "EthernetSegment",
    "Evpn",
    "EvpnKind",
    "Flow",
    "FlowKind",
    "InclusiveMulticast",
    "InterworkSegmentDiscovery",
    "IpPrefix",
    "LabelledPrefix",
    "LinkState",
    "LinkStateIpv4Prefix",
    "LinkStateIpv6Prefix",
    "LinkStateKind",
    "LinkStateLink",
    "LinkStateNlri",
    "LinkStateNode",
    "LinkStatePrefix",
    "LinkStateSrv6Sid",
    "MacAdvertisement",
    "Mup",
    "MupKind",
    "Mvpn",
    "MvpnKind",
    "OpaqueLinkState",
    "OpaqueMup",
    "OpaqueNlri",
    "OpaqueTyped",
    "OperatorComponent",
    "Prefix",
    "PrefixComponent",
    "RouteDistinguisher",
    "RouteTarget",
    "SharedTreeJoin",
    "SourceActive",
    "SourceTreeJoin",
    "SrPolicy",
    "Term",
    "Type1SessionTransformed",
    "Type2SessionTransformed",
    "Vpls",
    "VpnPrefix",
    "decode",
    "register",
    "register_kind",
    "route_key",
    "split",
    "split_withdrawn",
]


# SAFIs whose items are their own keys: no label, no ESI to leave out.
KEYED_BY_ITEM = frozenset({SAFI.UNICAST, SAFI.MULTICAST, SAFI.FLOW, SAFI.FLOW_VPN})


def split(family: Family, data: bytes, add_path: bool) -> list[bytes]:
    """Cut an NLRI field into items.

    Raises ValueError where the routes cannot be told apart (RFC 7606 section 5.3). What is inside a
    route's own frame is for `decode` to judge.
    """
    return CODECS.get(family, OpaqueNlri).split(family, data, add_path)


def split_withdrawn(family: Family, data: bytes, add_path: bool) -> list[bytes]:
    """Cut the NLRI field of an MP_UNREACH_NLRI into items; raises ValueError as `split` does.

    It differs from `split` for routes with labels alone, whose label is to be ignored when they are
    withdrawn (RFC 8277 section 2.4).
    """
    return CODECS.get(family, OpaqueNlri).split_withdrawn(family, data, add_path)


def decode(family: Family, item: bytes) -> NLRI:
    """Read one item; raises ValueError unless it is exactly one well-formed NLRI."""
    if len(item) < PATH_ID_OCTETS:
        raise Truncated(f"{family} item: {PATH_ID_OCTETS} octets of path identifier expected, {len(item)} left")
    codec = CODECS.get(family, OpaqueNlri)
    stop = frame(codec, family, item, PATH_ID_OCTETS)
    if stop != len(item):
        raise ValueError(f"{family} item: {stop} octets expected, {len(item)} seen")
    path_id = int.from_bytes(item[:PATH_ID_OCTETS], "big")
    return codec.decode(family, item[PATH_ID_OCTETS:], path_id)


def route_key(family: Family, item: bytes) -> bytes:
    """Return what identifies the route of an item: path identifier, then NLRI without labels and the like.

    Two items with the same key are two versions of one route. Where all octets count, it is `item` itself.
    """
    return CODECS.get(family, OpaqueNlri).route_key(family, item)
