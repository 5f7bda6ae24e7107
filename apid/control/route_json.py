"""A route as JSON in the second format of `show adj-rib … json` (`exabgp.api.show-routes-format=v2`)."""

from __future__ import annotations

import json
from typing import Any

from apid.render.attribute_text import community_text, large_community_text
from apid.render.dialect import DEFAULT_DIALECT
from apid.render.extended_community import extended_community_text, ipv6_extended_community_text
from apid.render.json_attributes import ROWS
from apid.render.json_nlri import MEMBERS
from apid.render.nlri_text import nlri_text, route_prefix
from apid.render.routes import read_route
from apid.render.values import path_id_text
from bgp.attribute import (
    Attribute,
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
    Origin,
)
from bgp.family import Family
from bgp.nlri import Flow

FLOW_EXTRAS = ("rd", "next-hop", "string")


def route_object(family: Family, item: bytes, attributes: list[Attribute], next_hop: str) -> dict[str, Any]:
    """Return `{"nlri": {…}, "attributes": {…}}`; `next_hop` is text, empty where there is none."""
    said: dict[str, Any] = {}
    for attribute in attributes:
        said |= _attribute(attribute)
    return {"nlri": _nlri(family, item, next_hop), "attributes": said}


def _nlri(family: Family, item: bytes, next_hop: str) -> dict[str, Any]:
    route = read_route(family, item)
    members: dict[str, Any] = json.loads(f"{{{MEMBERS[type(route)](route, '', DEFAULT_DIALECT)}}}")
    shown: dict[str, Any] = {}
    if isinstance(route, Flow):
        rules = {name: terms for name, terms in members.items() if name not in FLOW_EXTRAS}
        shown = {"rules": rules, "nexthop": next_hop or None, "rd": members.get("rd")}
        members = {}
    else:
        prefix = route_prefix(route)
        shown = {"prefix": prefix} if prefix is not None else {"string": nlri_text(route)}
        shown["nexthop"] = next_hop or None
    shown["family"] = {"afi": family.afi_name, "safi": family.safi_name}
    if route.path_id:
        shown["path-information"] = path_id_text(route.path_id)
    return {**shown, **members}


def _attribute(attribute: Attribute) -> dict[str, Any]:
    """Return a member: communities as their texts, what is not ORIGIN's default as events have it."""
    match attribute:
        case Origin(value=0):
            return {}
        case Communities():
            return {"community": [community_text(value) for value in sorted(attribute.values)]}
        case LargeCommunities():
            return {"large-community": [large_community_text(value) for value in sorted(attribute.values)]}
        case ExtendedCommunities():
            return {"extended-community": [extended_community_text(value) for value in sorted(attribute.values)]}
        case Ipv6ExtendedCommunities():
            texts = [ipv6_extended_community_text(value) for value in sorted(attribute.values)]
            return {"extended-community-ipv6": texts}
        case _:
            members: dict[str, Any] = json.loads(f"{{{ROWS[type(attribute)](attribute, DEFAULT_DIALECT)}}}")
            return members
