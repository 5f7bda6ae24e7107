"""What `show adj-rib` prints of a route: text, or JSON in either of ExaBGP's two formats.

`v1` has prefixes as release 5 prints them, and other routes as release 6 does. `v2` (`exabgp.api.show-routes-format`)
has numbers where events have strings of digits, and attributes of which lists of communities are text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Self

from msgspec import Struct

from apid.render.attribute_text import community_text, large_community_text
from apid.render.dialect import DEFAULT_DIALECT
from apid.render.extended_community import extended_community_text, ipv6_extended_community_text
from apid.render.flow_text import Services, flow_components
from apid.render.json_attributes import attributes_json
from apid.render.nlri import NO_SERVICES, nlri_members, nlri_text, route_prefix
from apid.render.routes import next_hops, read_route, read_set
from apid.render.text_attributes import attributes_text
from apid.render.values import path_id_text, rd_text
from bgp.attribute import (
    Attribute,
    AttributeSet,
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
    Origin,
)
from bgp.family import AFI, Family
from bgp.nlri import NLRI, Flow, MacAdvertisement, RouteTarget, Vpls
from bgp.nlri.link_state import LinkStateNlri

NUMBERS = ("teid", "qfi", "source-as")  # strings of digits in events
ORIGIN_IGP = Origin(0)
CACHED_SETS = 8192


class ShownRoute(Struct, frozen=True):
    """A route with its attributes; `next_hop` is text, empty where it has none.

    ours: we announce it: that its origin is IGP need not be said. add_path: its path identifier means something, even
    if it is 0. lease: seconds that are left of it.
    """

    family: Family
    item: bytes
    attributes: AttributeSet
    next_hop: str = ""
    ours: bool = False
    add_path: bool = False
    lease: int | None = None

    @classmethod
    def received(
        cls, family: Family, item: bytes, attributes: AttributeSet, next_hop: bytes, add_path: bool = False
    ) -> Self:
        """Build from what an UPDATE said; `next_hop` is as on the wire."""
        return cls(family, item, attributes, next(iter(next_hops(next_hop)), ""), add_path=add_path)

    @classmethod
    def to_announce(cls, family: Family, item: bytes, octets: bytes) -> Self:
        """Build from a neutral attribute set (`bgp.route`)."""
        return cls(family, item, *read_set(octets), ours=True)


def route_text(route: ShownRoute, *, extensive: bool = False, services: Services = NO_SERVICES) -> str:
    """Render what `show adj-rib` has after the neighbor's address: family, NLRI, next hop.

    `extensive` adds the attributes and the lease; `services` names ports, for flows that were configured here.
    """
    nlri = read_route(route.family, route.item)
    text = f"{route.family} {nlri_text(nlri, route.next_hop, route.add_path or bool(nlri.path_id), services)}"
    if not extensive:
        return text
    lease = "" if route.lease is None else f" ttl {route.lease}"
    return f"{text}{_attributes_text(route.attributes, route.ours)}{lease}"


@lru_cache(maxsize=CACHED_SETS)
def _attributes_text(attributes: AttributeSet, ours: bool) -> str:
    return attributes_text(_told(attributes, ours), ours=ours)


def _told(attributes: AttributeSet, ours: bool) -> list[Attribute]:
    """Return the attributes that are shown."""
    return [each for each in attributes if not ours or each != ORIGIN_IGP]


def route_json(peer: str, route: ShownRoute) -> str:
    """Render a route of `peer` as v1 does."""
    nlri = read_route(route.family, route.item)
    prefix, family = route_prefix(nlri), str(route.family)
    said = {"family": family, "nlri": nlri_text(nlri)} if prefix is None else {"prefix": prefix, "family": family}
    return json.dumps({peer: {"routes": [said]}})


def route_json_v2(peer: str, route: ShownRoute, services: Services = NO_SERVICES) -> str:
    """Render a route of `peer` as v2 does."""
    nlri = nlri_object(read_route(route.family, route.item), route.next_hop, services)
    said = {"nlri": nlri, "attributes": attributes_object(_told(route.attributes, route.ours))}
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
    members: dict[str, object] = json.loads(f"{{{nlri_members(route, '', DEFAULT_DIALECT)}}}")
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
