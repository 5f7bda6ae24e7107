"""What `show adj-rib … json` prints: one object for each route, in either of ExaBGP's two formats.

`v1` has prefixes alone: a route that is none has no line. `v2` (`exabgp.api.show-routes-format`) has all
routes, with numbers where events have strings of digits, and attributes of which lists of communities are text.
"""

from __future__ import annotations

import json

from apid.render.attribute_text import community_text, large_community_text
from apid.render.dialect import DEFAULT_DIALECT
from apid.render.extended_community import extended_community_text, ipv6_extended_community_text
from apid.render.flow_text import Services, flow_components
from apid.render.json_attributes import attributes_json
from apid.render.json_nlri import MEMBERS
from apid.render.nlri_text import NO_SERVICES, route_prefix
from apid.render.routes import next_hops, read_route
from apid.render.text_update import route_next_hop
from apid.render.values import path_id_text, rd_text
from bgp.attribute import (
    AttributeSet,
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
)
from bgp.family import AFI, Family
from bgp.nlri import NLRI, Flow, MacAdvertisement, RouteTarget, Vpls

NUMBERS = ("teid", "qfi", "source-as")  # strings of digits in events


def route_json(peer: str, family: Family, item: bytes) -> str | None:
    """Render one route of `peer` as v1 does; None where the route is not a prefix."""
    prefix = route_prefix(read_route(family, item))
    if prefix is None:
        return None
    return json.dumps({peer: {"routes": [{"prefix": prefix, "family": str(family)}]}})


def route_json_v2(
    peer: str,
    family: Family,
    item: bytes,
    attributes: AttributeSet,
    *,
    next_hop: bytes | None = None,
    services: Services = NO_SERVICES,
) -> str:
    """Render one route of `peer` as v2 does; the keywords are those of `route_text`."""
    hop = next(iter(next_hops(next_hop)), "") if next_hop is not None else route_next_hop(attributes)
    nlri = nlri_object(read_route(family, item), hop, services)
    route = {"nlri": nlri, "attributes": attributes_object(attributes)}
    return json.dumps({"peer": {"address": peer}, "route": route})


def nlri_object(route: NLRI, hop: str, services: Services) -> dict[str, object]:
    """Return a route's own object, with family and next hop."""
    family = {"afi": route.family.afi_name, "safi": route.family.safi_name}
    if isinstance(route, Flow):
        rules = dict(flow_components(route.components, route.family.afi == AFI.IPV6, services))
        rd = rd_text(route.rd) if route.rd is not None else None
        return {"rules": rules, "nexthop": hop or None, "rd": rd, "family": family}
    if isinstance(route, RouteTarget):
        origin = route.origin if route.length else None
        return {"origin": origin, "rt": members_of(route)["route-target"], "nexthop": hop or None, "family": family}
    prefix = route_prefix(route)
    members = members_of(route)
    if prefix is not None:
        path = {"path-information": path_id_text(route.path_id)} if route.path_id else {}
        return {"prefix": prefix, "nexthop": hop or None, "family": family, **path, **members}
    if isinstance(route, MacAdvertisement):
        members |= {"maclen": 48, "ip": members.get("ip")}
    if members.get("parsed") is False:
        members["name"] = "Unknown"
    elif isinstance(route, Vpls) or str(route.family) == "l2vpn evpn":
        members["nexthop"] = hop or None
    return members | {"family": family}


def members_of(route: NLRI) -> dict[str, object]:
    """Return what events say of a route, digits as numbers."""
    members: dict[str, object] = json.loads(f"{{{MEMBERS[type(route)](route, '', DEFAULT_DIALECT)}}}")
    members.pop("nexthop", None)
    for name in NUMBERS:
        if name in members:
            members[name] = int(str(members[name]))
    return members


def attributes_object(attributes: AttributeSet) -> dict[str, object]:
    """Return attributes as in events, but for communities of all kinds: those are lists of text."""
    said: dict[str, object] = json.loads(attributes_json(attributes, "", DEFAULT_DIALECT))
    for attribute in attributes:
        if isinstance(attribute, Communities):
            said["community"] = [community_text(value) for value in sorted(attribute.values)]
        elif isinstance(attribute, LargeCommunities):
            said["large-community"] = [large_community_text(value) for value in sorted(attribute.values)]
        elif isinstance(attribute, ExtendedCommunities):
            said["extended-community"] = [extended_community_text(value) for value in sorted(attribute.values)]
        elif isinstance(attribute, Ipv6ExtendedCommunities):
            said["extended-community-ipv6"] = [
                ipv6_extended_community_text(value) for value in sorted(attribute.values)
            ]
    return said
