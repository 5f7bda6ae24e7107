"""Text of NLRI: what `show adj-rib` prints, what the text encoder prints, and the key in mission's JSON layout.

The text of a route that is a prefix has its next hop in the middle, before the route distinguisher; a rule's is last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apid.render.extended_community import extended_community_text
from apid.render.flow_text import Services, flow_text
from apid.render.json_value import json_value, spaced_json
from apid.render.values import address_text, esi_text, listed, mac_text, path_id_text, prefix_text, rd_text
from bgp.family import AFI, L2VPN_EVPN
from bgp.nlri import (
    NLRI,
    EthernetAutoDiscovery,
    EthernetSegment,
    Flow,
    InclusiveMulticast,
    IpPrefix,
    LabelledPrefix,
    MacAdvertisement,
    OpaqueNlri,
    OpaqueTyped,
    Prefix,
    RouteTarget,
    Vpls,
    VpnPrefix,
)
from bgp.nlri.link_state import (
    LinkStateIpv4Prefix,
    LinkStateIpv6Prefix,
    LinkStateLink,
    LinkStateNlri,
    LinkStateNode,
    LinkStateSrv6Sid,
    OpaqueLinkState,
)
from bgp.nlri.mup import (
    DirectSegmentDiscovery,
    InterworkSegmentDiscovery,
    OpaqueMup,
    Type1SessionTransformed,
    Type2SessionTransformed,
)
from bgp.nlri.mvpn import SharedTreeJoin, SourceActive, SourceTreeJoin
from bgp.nlri.sr_policy import SrPolicy

# (route, " path-information …" or empty, " next-hop …" or empty) -> text. The class is the row's to know.
Text = Callable[[Any, str, str], str]

NO_SERVICES: Services = {}


def labels(words: tuple[int, ...]) -> str:
    """Render labels as configurations have them, without what else is in their words."""
    return f"label {listed([str(word >> 4) for word in words])}"


def labelled_prefix(route: LabelledPrefix, path: str, next_hop: str) -> str:
    """Render prefix, labels, next hop."""
    return f"{prefix_text(route.address, route.length)}{path} {labels(route.labels)}{next_hop}"


def vpn_prefix(route: VpnPrefix, path: str, next_hop: str) -> str:
    """Render prefix, labels, next hop, route distinguisher."""
    prefix = prefix_text(route.address, route.length)
    return f"{prefix}{path} {labels(route.labels)}{next_hop} rd {rd_text(route.rd)}"


def flow(route: Flow, path: str, next_hop: str, services: Services = NO_SERVICES) -> str:
    """Render components, route distinguisher, next hop."""
    text = flow_text(route.components, route.family.afi == AFI.IPV6, services)
    rd = f" rd {rd_text(route.rd)}" if route.rd is not None else ""
    return f"{text}{rd}{next_hop}"


def vpls(route: Vpls, path: str, next_hop: str) -> str:
    """Render a block of labels as configurations have it."""
    return (
        f"vpls rd {rd_text(route.rd)} endpoint {route.endpoint} base {route.base} offset {route.offset} "
        f"size {route.size}{next_hop}"
    )


def route_target(route: RouteTarget, path: str, next_hop: str) -> str:
    """Render origin AS and route target; `wildcard` where there is no whole one."""
    if len(route.target) == 8:
        return f"rtc {route.origin}:{extended_community_text(route.target)}"
    if route.length == 0:
        return "rtc wildcard"
    return f"rtc {route.origin}:0x{route.target.hex().upper()}/{route.length}"


def evpn_label(label: int) -> str:
    """Render a label with its raw word, which may be a VNI."""
    return f" label {label >> 4} ({label})" if label else " label 0"


def ethernet_auto_discovery(route: EthernetAutoDiscovery, path: str, next_hop: str) -> str:
    """Render EVPN type 1."""
    key = f"{rd_text(route.rd)}:{esi_text(route.esi)}:{route.ethernet_tag}"
    return f"evpn:ethernetad::{key}:{evpn_label(route.label)}"


def mac_advertisement(route: MacAdvertisement, path: str, next_hop: str) -> str:
    """Render EVPN type 2."""
    address = address_text(route.address) if route.address else ""
    key = f"{rd_text(route.rd)}:{esi_text(route.esi)}:{route.ethernet_tag}:{mac_text(route.mac)}/48"
    return f"evpn:macadv::{key}:{address}:{evpn_label(route.labels[0])}"


def inclusive_multicast(route: InclusiveMulticast, path: str, next_hop: str) -> str:
    """Render EVPN type 3."""
    return f"evpn:multicast::{rd_text(route.rd)}:{route.ethernet_tag}:{address_text(route.address)}"


def ethernet_segment(route: EthernetSegment, path: str, next_hop: str) -> str:
    """Render EVPN type 4."""
    return f"evpn:segment::{rd_text(route.rd)}:{esi_text(route.esi)}:{address_text(route.address)}"


def ip_prefix(route: IpPrefix, path: str, next_hop: str) -> str:
    """Render EVPN type 5."""
    key = f"{rd_text(route.rd)}:{esi_text(route.esi)}:{route.ethernet_tag}"
    prefix = prefix_text(route.address, route.length)
    return f"evpn:prfxadv::{key}:{prefix}:{address_text(route.gateway)}:{evpn_label(route.label)}"


def source_active(route: SourceActive, path: str, next_hop: str) -> str:
    """Render MCAST-VPN type 5."""
    return f"mvpn:sourcead::{rd_text(route.rd)}:{address_text(route.source)}:{address_text(route.group)}"


def shared_tree_join(route: SharedTreeJoin, path: str, next_hop: str) -> str:
    """Render MCAST-VPN type 6."""
    key = f"{rd_text(route.rd)}:{route.source_as}"
    return f"mvpn:shared-join::{key}:{address_text(route.source)}:{address_text(route.group)}"


def source_tree_join(route: SourceTreeJoin, path: str, next_hop: str) -> str:
    """Render MCAST-VPN type 7."""
    key = f"{rd_text(route.rd)}:{route.source_as}"
    return f"mvpn:source-join::{key}:{address_text(route.source)}:{address_text(route.group)}"


def interwork_segment(route: InterworkSegmentDiscovery, path: str, next_hop: str) -> str:
    """Render MUP type 1."""
    return f"mup:isd::{rd_text(route.rd)}:{prefix_text(route.address, route.length)}"


def direct_segment(route: DirectSegmentDiscovery, path: str, next_hop: str) -> str:
    """Render MUP type 2."""
    return f"mup:dsd::{rd_text(route.rd)}:{address_text(route.address)}"


def type1_session(route: Type1SessionTransformed, path: str, next_hop: str) -> str:
    """Render MUP type 3."""
    endpoint = prefix_text(route.endpoint, len(route.endpoint) * 8)
    source = f":{prefix_text(route.source, len(route.source) * 8)}" if route.source is not None else ""
    prefix = prefix_text(route.address, route.length)
    return f"mup:t1st::{rd_text(route.rd)}:{prefix}:{route.teid}:{route.qfi}:{endpoint}{source}"


def type2_session(route: Type2SessionTransformed, path: str, next_hop: str) -> str:
    """Render MUP type 4."""
    return f"mup:t2st::{rd_text(route.rd)}:{route.length}:{address_text(route.endpoint)}:{route.teid}:"


def descriptor_members(route: LinkStateNlri) -> list[str]:
    """Return the JSON members of what a link-state NLRI says; lists have spaces in their brackets."""
    return [
        f'"{name}": {spaced_json(value) if isinstance(value, list) else json_value(value)}'
        for name, value in route.as_pairs()
    ]


def link_state(route: LinkStateNlri, path: str, next_hop: str) -> str:
    """Render a link-state NLRI as the JSON of its descriptors: there is no other text for them."""
    members = descriptor_members(route)
    if route.rd is not None:
        members.append(f'"rd": "{rd_text(route.rd)}"')
    return f"{{ {', '.join(members)} }}"


def sr_policy(route: SrPolicy, path: str, next_hop: str) -> str:
    """Render a segment routing policy as configurations have it."""
    endpoint = address_text(route.endpoint)
    return f"sr-policy distinguisher {route.distinguisher} color {route.color} endpoint {endpoint}{next_hop}"


def opaque_kind(word: str) -> Text:
    """Make the text function for a route of a type that nobody here can read."""
    return lambda route, path, next_hop: f"{word}:unknown:0x{route.data.hex()}"


def opaque_typed(route: OpaqueTyped, path: str, next_hop: str) -> str:
    """Render a route of EVPN or MCAST-VPN of a type that nobody here can read."""
    return opaque_kind("evpn" if route.family == L2VPN_EVPN else "mvpn")(route, path, next_hop)


TEXTS: dict[type[NLRI], Text] = {
    Prefix: lambda route, path, next_hop: f"{prefix_text(route.address, route.length)}{path}{next_hop}",
    LabelledPrefix: labelled_prefix,
    VpnPrefix: vpn_prefix,
    Flow: flow,
    Vpls: vpls,
    RouteTarget: route_target,
    EthernetAutoDiscovery: ethernet_auto_discovery,
    MacAdvertisement: mac_advertisement,
    InclusiveMulticast: inclusive_multicast,
    EthernetSegment: ethernet_segment,
    IpPrefix: ip_prefix,
    OpaqueTyped: opaque_typed,
    SourceActive: source_active,
    SharedTreeJoin: shared_tree_join,
    SourceTreeJoin: source_tree_join,
    InterworkSegmentDiscovery: interwork_segment,
    DirectSegmentDiscovery: direct_segment,
    Type1SessionTransformed: type1_session,
    Type2SessionTransformed: type2_session,
    OpaqueMup: opaque_kind("mup"),
    LinkStateNode: link_state,
    LinkStateLink: link_state,
    LinkStateIpv4Prefix: link_state,
    LinkStateIpv6Prefix: link_state,
    LinkStateSrv6Sid: link_state,
    OpaqueLinkState: opaque_kind("bgp-ls"),
    SrPolicy: sr_policy,
    OpaqueNlri: lambda route, path, next_hop: f"0x{route.data.hex()}{next_hop}",
}

PREFIXES = (Prefix, LabelledPrefix, VpnPrefix)


def route_prefix(route: NLRI) -> str | None:
    """Return the prefix of a route that is one, with or without labels and distinguisher; None for others."""
    if isinstance(route, PREFIXES):
        return prefix_text(route.address, route.length)
    return None


def nlri_text(route: NLRI, next_hop: str = "", add_path: bool = False, services: Services = NO_SERVICES) -> str:
    """Render a route; `add_path` shows its path identifier, `services` names the ports of a flow."""
    path = f" path-information {path_id_text(route.path_id)}" if add_path else ""
    hop = f" next-hop {next_hop}" if next_hop else ""
    if services and isinstance(route, Flow):
        return flow(route, path, hop, services)
    return TEXTS[type(route)](route, path, hop)
