"""BGP-LS. There is no other text of a link-state NLRI than the JSON of its descriptors."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.json_value import json_value, spaced_json
from apid.render.nlri.opaque import kind_members
from apid.render.nlri.row import Row
from apid.render.values import rd_text
from bgp.nlri import (
    NLRI,
    LinkStateIpv4Prefix,
    LinkStateIpv6Prefix,
    LinkStateLink,
    LinkStateNlri,
    LinkStateNode,
    LinkStateSrv6Sid,
    OpaqueLinkState,
)


def _descriptors(route: LinkStateNlri) -> str:
    """Render the members of what the NLRI says; lists have spaces in their brackets."""
    members = [
        f'"{name}": {spaced_json(value) if isinstance(value, list) else json_value(value)}'
        for name, value in route.as_pairs()
    ]
    if route.rd is not None:
        members.append(f'"rd": "{rd_text(route.rd)}"')
    return ", ".join(members)


def _text(route: LinkStateNlri, path: str, next_hop: str, services: Services) -> str:
    """Render the descriptors as an object."""
    return f"{{ {_descriptors(route)} }}"


def _members(route: LinkStateNlri, next_hop: str, dialect: Dialect) -> str:
    """Render an NLRI that does not repeat its next hop."""
    return _descriptors(route)


def _members_with_next_hop(route: LinkStateNlri, next_hop: str, dialect: Dialect) -> str:
    """Render an NLRI that does; without one it says so in a word."""
    return f'{_descriptors(route)}, "nexthop": "{next_hop or None}"'


def _opaque_text(route: OpaqueLinkState, path: str, next_hop: str, services: Services) -> str:
    """Render a route of a type that nobody here can read."""
    return f"bgp-ls:unknown:0x{route.data.hex()}"


ROWS: dict[type[NLRI], Row] = {
    LinkStateNode: Row(_text, _members_with_next_hop),
    LinkStateLink: Row(_text, _members),
    LinkStateIpv4Prefix: Row(_text, _members_with_next_hop),
    LinkStateIpv6Prefix: Row(_text, _members_with_next_hop),
    LinkStateSrv6Sid: Row(_text, _members),
    OpaqueLinkState: Row(_opaque_text, kind_members),
}
