"""Routes of families and types that nobody here can read, as octets."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.nlri.row import Row, raw
from bgp.family import L2VPN_EVPN
from bgp.nlri import NLRI, OpaqueLinkState, OpaqueNlri, OpaqueTyped


def _text(route: OpaqueNlri, path: str, next_hop: str, services: Services) -> str:
    """Render octets, next hop."""
    return f"0x{route.data.hex()}{next_hop}"


def _members(route: OpaqueNlri, next_hop: str, dialect: Dialect) -> str:
    """Render octets."""
    return f'"parsed": false, "raw": "{raw(route)}"'


def _typed_text(route: OpaqueTyped, path: str, next_hop: str, services: Services) -> str:
    """Render a route of EVPN or MCAST-VPN."""
    return f"{'evpn' if route.family == L2VPN_EVPN else 'mvpn'}:unknown:0x{route.data.hex()}"


def kind_members(route: OpaqueTyped | OpaqueLinkState, next_hop: str, dialect: Dialect) -> str:
    """Render the number of the type, and octets."""
    return f'"code": {route.kind}, "parsed": false, "raw": "{raw(route)}"'


ROWS: dict[type[NLRI], Row] = {
    OpaqueNlri: Row(_text, _members),
    OpaqueTyped: Row(_typed_text, kind_members),
}
