"""What `show adj-rib` prints of a route: text, or JSON in either of ExaBGP's two formats.

`v1` has prefixes alone: a route that is none has no line. `v2` (`exabgp.api.show-routes-format`) has all
routes, with numbers where events have strings of digits, and attributes of which lists of communities are text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from apid.render.attribute_text import community_text, large_community_text
from apid.render.dialect import DEFAULT_DIALECT
from apid.render.extended_community import extended_community_text, ipv6_extended_community_text
from apid.render.flow_text import Services, flow_components
from apid.render.json_attributes import attributes_json
from apid.render.json_nlri import MEMBERS
from apid.render.nlri_text import NO_SERVICES, nlri_text, route_prefix
from apid.render.routes import next_hops, read_route
from apid.render.text_attributes import attributes_text
from apid.render.values import path_id_text, rd_text
from bgp.attribute import (
    Attribute,
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
)
from bgp.family import AFI, Family
from bgp.nlri import NLRI, Flow, MacAdvertisement, RouteTarget, Vpls
from bgp.nlri.link_state import LinkStateNlri
from bgp.route import decode_set

NUMBERS = ("teid", "qfi", "source-as")  # strings of digits in events


@dataclass(frozen=True, slots=True)
class ShownRoute:
    """A route with its attributes; `next_hop` is text, empty where it has none."""

    family: Family
    item: bytes
    attributes: tuple[Attribute, ...]
    next_hop: str = ""

    @classmethod
    def received(cls, family: Family, item: bytes, attributes: Iterable[Attribute], next_hop: bytes) -> Self:
        """Build from what an UPDATE said; `next_hop` is as on the wire."""
        return cls(family, item, tuple(attributes), next(iter(next_hops(next_hop)), ""))

    @classmethod
    def to_announce(cls, family: Family, item: bytes, octets: bytes) -> Self:
        """Build from a neutral attribute set (`bgp.route`); no octets of next hop are `self`."""
        attributes, next_hop = decode_set(octets)
        hop = "" if next_hop is None else next(iter(next_hops(next_hop)), "self")
        return cls(family, item, tuple(attributes[code] for code in sorted(attributes)), hop)


def route_text(route: ShownRoute, *, extensive: bool = False, services: Services = NO_SERVICES) -> str:
    """Render what `show adj-rib` has after the neighbor's address: family, NLRI, next hop.

    `extensive` adds the attributes; `services` names ports, for flows that were configured here. A path
    identifier of 0 is taken for none.
    """
    nlri = read_route(route.family, route.item)
    text = f"{route.family} {nlri_text(nlri, route.next_hop, bool(nlri.path_id), services)}"
    return f"{text}{attributes_text(route.attributes)}" if extensive else text


def route_json(peer: str, route: ShownRoute) -> str | None:
    """Render a route of `peer` as v1 does; None where it is not a prefix."""
    prefix = route_prefix(read_route(route.family, route.item))
    if prefix is None:
        return None
    return json.dumps({peer: {"routes": [{"prefix": prefix, "family": str(route.family)}]}})


def route_json_v2(peer: str, route: ShownRoute, services: Services = NO_SERVICES) -> str:
    """Render a route of `peer` as v2 does."""
    nlri = nlri_object(read_route(route.family, route.item), route.next_hop, services)
    said = {"nlri": nlri, "attributes": attributes_object(route.attributes)}
    return json.dumps({"peer": {"address": peer}, "route": said})


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
    if isinstance(route, LinkStateNlri):
        name = members.pop("ls-nlri-type")
        raw = route.encode()[4:].hex().upper()
        members.setdefault("rd", None)
        return {"code": route.kind, "parsed": True, "raw": raw, "name": name, "family": family, **members}
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


def attributes_object(attributes: Iterable[Attribute]) -> dict[str, object]:
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
