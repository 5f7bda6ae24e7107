"""JSON of NLRI: one row for each class, that returns the members of a route's object.

A row leaves out what the place in an event says anyhow: the prefix where it is the key, the next hop where
that is the key. `path-information` is the caller's, who knows whether ADD-PATH was negotiated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apid.render.dialect import Dialect
from apid.render.extended_community import extended_community_text
from apid.render.flow_text import flow_components
from apid.render.nlri_text import descriptor_members, nlri_text
from apid.render.values import address_text, esi_text, mac_text, quote, rd_text
from bgp.family import AFI
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
    Mup,
    OpaqueMup,
    Type1SessionTransformed,
    Type2SessionTransformed,
)
from bgp.nlri.mvpn import SharedTreeJoin, SourceActive, SourceTreeJoin
from bgp.nlri.sr_policy import SrPolicy

# (route, text of its next hop or empty, dialect) -> members, joined. The class is the row's to know.
Members = Callable[[Any, str, Dialect], str]


def raw(route: NLRI) -> str:
    """Render the octets of a route as capital digits."""
    return route.encode().hex().upper()


def label_json(label: int, word: bool) -> str:
    """Render a raw 24-bit label word as `[label]`, or `[label, word]`; zero stands alone."""
    return f"[{label >> 4}, {label}]" if word and label else f"[{label >> 4}]"


def labels(words: tuple[int, ...], dialect: Dialect) -> str:
    """Render the `label` member of labelled and VPN routes."""
    return f'"label": [ {", ".join(label_json(word, dialect.raw_labels) for word in words)} ]'


def prefix(route: Prefix, next_hop: str, dialect: Dialect) -> str:
    """A prefix has nothing beside itself."""
    return ""


def labelled_prefix(route: LabelledPrefix, next_hop: str, dialect: Dialect) -> str:
    """Render labels."""
    return labels(route.labels, dialect)


def vpn_prefix(route: VpnPrefix, next_hop: str, dialect: Dialect) -> str:
    """Render labels and route distinguisher."""
    return f'{labels(route.labels, dialect)}, "rd": "{rd_text(route.rd)}"'


def flow(route: Flow, next_hop: str, dialect: Dialect) -> str:
    """Render components, route distinguisher, next hop, and the whole as text."""
    members = [
        f'"{name}": [ {", ".join(quote(term) for term in terms)} ]'
        for name, terms in flow_components(route.components, route.family.afi == AFI.IPV6)
    ]
    if route.rd is not None:
        members.append(f'"rd": "{rd_text(route.rd)}"')
    if next_hop and dialect.flow_next_hop:
        members.append(f'"next-hop": "{next_hop}"')
    members.append(f'"string": {quote(nlri_text(route, next_hop))}')
    return ", ".join(members)


def vpls(route: Vpls, next_hop: str, dialect: Dialect) -> str:
    """Render a block of labels."""
    return (
        f'"rd": "{rd_text(route.rd)}", "endpoint": {route.endpoint}, "base": {route.base}, '
        f'"offset": {route.offset}, "size": {route.size}'
    )


def route_target(route: RouteTarget, next_hop: str, dialect: Dialect) -> str:
    """Render origin AS and route target, null where it is not a whole one."""
    target = quote(extended_community_text(route.target)) if len(route.target) == 8 else "null"
    return f'"origin": {route.origin}, "route-target": {target}'


def coded(code: int, name: str, route: NLRI) -> str:
    """Render what routes with a type begin with."""
    return f'"code": {code}, "parsed": true, "raw": "{raw(route)}", "name": "{name}"'


def unparsed(code: int, route: NLRI) -> str:
    """Render a route of a type that nobody here can read."""
    return f'"code": {code}, "parsed": false, "raw": "{raw(route)}"'


def segment(route: Any) -> str:
    """Render route distinguisher, Ethernet segment and tag of EVPN types 1, 2 and 5."""
    return f'"rd": "{rd_text(route.rd)}", "esi": "{esi_text(route.esi)}", "ethernet-tag": {route.ethernet_tag}'


def ethernet_auto_discovery(route: EthernetAutoDiscovery, next_hop: str, dialect: Dialect) -> str:
    """Render EVPN type 1."""
    head = coded(1, "Ethernet Auto-Discovery", route)
    return f'{head}, {segment(route)}, "label": [ {label_json(route.label, True)} ]'


def mac_advertisement(route: MacAdvertisement, next_hop: str, dialect: Dialect) -> str:
    """Render EVPN type 2, with the first of its labels: helpers know one."""
    head = coded(2, "MAC/IP advertisement", route)
    label = label_json(route.labels[0], True)
    text = f'{head}, {segment(route)}, "mac": "{mac_text(route.mac)}", "label": [ {label} ]'
    return f'{text}, "ip": "{address_text(route.address)}"' if route.address else text


def inclusive_multicast(route: InclusiveMulticast, next_hop: str, dialect: Dialect) -> str:
    """Render EVPN type 3."""
    head = coded(3, "Inclusive Multicast Ethernet Tag", route)
    return (
        f'{head}, "rd": "{rd_text(route.rd)}", "ethernet-tag": {route.ethernet_tag}, '
        f'"ip": "{address_text(route.address)}"'
    )


def ethernet_segment(route: EthernetSegment, next_hop: str, dialect: Dialect) -> str:
    """Render EVPN type 4."""
    head = coded(4, "Ethernet Segment", route)
    return f'{head}, "rd": "{rd_text(route.rd)}", "esi": "{esi_text(route.esi)}", "ip": "{address_text(route.address)}"'


def ip_prefix(route: IpPrefix, next_hop: str, dialect: Dialect) -> str:
    """Render EVPN type 5."""
    head = coded(5, "IP Prefix Advertisement", route)
    return (
        f'{head}, {segment(route)}, "label": [ {label_json(route.label, True)} ], '
        f'"ip": "{address_text(route.address)}", "iplen": {route.length}, "gateway": "{address_text(route.gateway)}"'
    )


def source_active(route: SourceActive, next_hop: str, dialect: Dialect) -> str:
    """Render MCAST-VPN type 5."""
    head = coded(5, "Source Active A-D Route", route)
    return (
        f'{head}, "rd": "{rd_text(route.rd)}", "source": "{address_text(route.source)}", '
        f'"group": "{address_text(route.group)}"'
    )


def shared_tree_join(route: SharedTreeJoin, next_hop: str, dialect: Dialect) -> str:
    """Render MCAST-VPN type 6, the rendezvous point as its source."""
    head = coded(6, "C-Multicast Shared Tree Join route", route)
    return f"{head}, {join(route)}"


def source_tree_join(route: SourceTreeJoin, next_hop: str, dialect: Dialect) -> str:
    """Render MCAST-VPN type 7."""
    head = coded(7, "C-Multicast Source Tree Join route", route)
    return f"{head}, {join(route)}"


def join(route: SharedTreeJoin | SourceTreeJoin) -> str:
    """Render what both joins share; the AS number is a string."""
    return (
        f'"rd": "{rd_text(route.rd)}", "source-as": "{route.source_as}", "source": "{address_text(route.source)}", '
        f'"group": "{address_text(route.group)}"'
    )


def mup(code: int, name: str, route: Mup, rd: bytes, members: str) -> str:
    """Render what the mobile user plane routes share, around what is their own."""
    return (
        f'"name": "{name}", "arch": {route.architecture}, "code": {code}, {members}, '
        f'"rd": "{rd_text(rd)}", "raw": "{raw(route)}"'
    )


def interwork_segment(route: InterworkSegmentDiscovery, next_hop: str, dialect: Dialect) -> str:
    """Render MUP type 1."""
    own = f'"prefix_ip_len": {route.length}, "prefix_ip": "{address_text(route.address)}"'
    return mup(1, "InterworkSegmentDiscoveryRoute", route, route.rd, own)


def direct_segment(route: DirectSegmentDiscovery, next_hop: str, dialect: Dialect) -> str:
    """Render MUP type 2."""
    return mup(2, "DirectSegmentDiscoveryRoute", route, route.rd, f'"ip": "{address_text(route.address)}"')


def type1_session(route: Type1SessionTransformed, next_hop: str, dialect: Dialect) -> str:
    """Render MUP type 3; TEID and QFI are strings."""
    own = (
        f'"prefix_ip_len": {route.length}, "prefix_ip": "{address_text(route.address)}", "teid": "{route.teid}", '
        f'"qfi": "{route.qfi}", "endpoint_ip_len": {len(route.endpoint) * 8}, '
        f'"endpoint_ip": "{address_text(route.endpoint)}"'
    )
    if route.source is not None:
        own += f', "source_ip_len": {len(route.source) * 8}, "source_ip": "{address_text(route.source)}"'
    return mup(3, "Type1SessionTransformedRoute", route, route.rd, own)


def type2_session(route: Type2SessionTransformed, next_hop: str, dialect: Dialect) -> str:
    """Render MUP type 4; the length counts the bits of endpoint and TEID."""
    own = f'"endpoint_len": {route.length}, "endpoint_ip": "{address_text(route.endpoint)}", "teid": "{route.teid}"'
    return mup(4, "Type2SessionTransformedRoute", route, route.rd, own)


def link_state(route: LinkStateNlri, next_hop: str, dialect: Dialect) -> str:
    """Render a link-state NLRI that does not repeat its next hop."""
    members = descriptor_members(route)
    if route.rd is not None:
        members.append(f'"rd": "{rd_text(route.rd)}"')
    return ", ".join(members)


def link_state_with_next_hop(route: LinkStateNlri, next_hop: str, dialect: Dialect) -> str:
    """Render a link-state NLRI that does; without one it says so in a word."""
    return f'{link_state(route, next_hop, dialect)}, "nexthop": "{next_hop or None}"'


def sr_policy(route: SrPolicy, next_hop: str, dialect: Dialect) -> str:
    """Render a segment routing policy."""
    return (
        f'"distinguisher": {route.distinguisher}, "color": {route.color}, "endpoint": "{address_text(route.endpoint)}"'
    )


def opaque(route: OpaqueNlri, next_hop: str, dialect: Dialect) -> str:
    """Render routes of a family that nobody here can read, as octets."""
    return f'"parsed": false, "raw": "{raw(route)}"'


def opaque_kind(route: OpaqueTyped | OpaqueLinkState, next_hop: str, dialect: Dialect) -> str:
    """Render a route of a type that nobody here can read, as octets."""
    return unparsed(route.kind, route)


def opaque_mup(route: OpaqueMup, next_hop: str, dialect: Dialect) -> str:
    """Render a mobile user plane route that nobody here can read, as octets."""
    return f'"arch": {route.architecture}, "code": {route.kind}, "raw": "{raw(route)}"'


MEMBERS: dict[type[NLRI], Members] = {
    Prefix: prefix,
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
    OpaqueTyped: opaque_kind,
    SourceActive: source_active,
    SharedTreeJoin: shared_tree_join,
    SourceTreeJoin: source_tree_join,
    InterworkSegmentDiscovery: interwork_segment,
    DirectSegmentDiscovery: direct_segment,
    Type1SessionTransformed: type1_session,
    Type2SessionTransformed: type2_session,
    OpaqueMup: opaque_mup,
    LinkStateNode: link_state_with_next_hop,
    LinkStateLink: link_state,
    LinkStateIpv4Prefix: link_state_with_next_hop,
    LinkStateIpv6Prefix: link_state_with_next_hop,
    LinkStateSrv6Sid: link_state,
    OpaqueLinkState: opaque_kind,
    SrPolicy: sr_policy,
    OpaqueNlri: opaque,
}
