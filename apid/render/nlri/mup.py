"""Mobile user plane route types 1 to 4, and those that nobody here can read."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.nlri.row import Row, raw
from apid.render.values import address_text, prefix_text, rd_text
from bgp.nlri import (
    NLRI,
    DirectSegmentDiscovery,
    InterworkSegmentDiscovery,
    Mup,
    OpaqueMup,
    Type1SessionTransformed,
    Type2SessionTransformed,
)


def _around(code: int, name: str, route: Mup, rd: bytes, members: str) -> str:
    """Render the members that all routes share, around those that are their own."""
    return (
        f'"name": "{name}", "arch": {route.architecture}, "code": {code}, {members}, '
        f'"rd": "{rd_text(rd)}", "raw": "{raw(route)}"'
    )


def _interwork_text(route: InterworkSegmentDiscovery, path: str, next_hop: str, services: Services) -> str:
    """Render type 1."""
    return f"mup:isd::{rd_text(route.rd)}:{prefix_text(route.address, route.length)}"


def _interwork_members(route: InterworkSegmentDiscovery, next_hop: str, dialect: Dialect) -> str:
    """Render type 1."""
    own = f'"prefix_ip_len": {route.length}, "prefix_ip": "{address_text(route.address)}"'
    return _around(1, "InterworkSegmentDiscoveryRoute", route, route.rd, own)


def _direct_text(route: DirectSegmentDiscovery, path: str, next_hop: str, services: Services) -> str:
    """Render type 2."""
    return f"mup:dsd::{rd_text(route.rd)}:{address_text(route.address)}"


def _direct_members(route: DirectSegmentDiscovery, next_hop: str, dialect: Dialect) -> str:
    """Render type 2."""
    return _around(2, "DirectSegmentDiscoveryRoute", route, route.rd, f'"ip": "{address_text(route.address)}"')


def _session1_text(route: Type1SessionTransformed, path: str, next_hop: str, services: Services) -> str:
    """Render type 3."""
    endpoint = prefix_text(route.endpoint, len(route.endpoint) * 8)
    source = f":{prefix_text(route.source, len(route.source) * 8)}" if route.source is not None else ""
    prefix = prefix_text(route.address, route.length)
    return f"mup:t1st::{rd_text(route.rd)}:{prefix}:{route.teid}:{route.qfi}:{endpoint}{source}"


def _session1_members(route: Type1SessionTransformed, next_hop: str, dialect: Dialect) -> str:
    """Render type 3; TEID and QFI are strings."""
    own = (
        f'"prefix_ip_len": {route.length}, "prefix_ip": "{address_text(route.address)}", "teid": "{route.teid}", '
        f'"qfi": "{route.qfi}", "endpoint_ip_len": {len(route.endpoint) * 8}, '
        f'"endpoint_ip": "{address_text(route.endpoint)}"'
    )
    if route.source is not None:
        own += f', "source_ip_len": {len(route.source) * 8}, "source_ip": "{address_text(route.source)}"'
    return _around(3, "Type1SessionTransformedRoute", route, route.rd, own)


def _session2_text(route: Type2SessionTransformed, path: str, next_hop: str, services: Services) -> str:
    """Render type 4."""
    return f"mup:t2st::{rd_text(route.rd)}:{route.length}:{address_text(route.endpoint)}:{route.teid}:"


def _session2_members(route: Type2SessionTransformed, next_hop: str, dialect: Dialect) -> str:
    """Render type 4; the length counts the bits of endpoint and TEID."""
    own = f'"endpoint_len": {route.length}, "endpoint_ip": "{address_text(route.endpoint)}", "teid": "{route.teid}"'
    return _around(4, "Type2SessionTransformedRoute", route, route.rd, own)


def _opaque_text(route: OpaqueMup, path: str, next_hop: str, services: Services) -> str:
    """Render a route of a type that nobody here can read."""
    return f"mup:unknown:0x{route.data.hex()}"


def _opaque_members(route: OpaqueMup, next_hop: str, dialect: Dialect) -> str:
    """Render the same, as octets."""
    return f'"arch": {route.architecture}, "code": {route.kind}, "raw": "{raw(route)}"'


ROWS: dict[type[NLRI], Row] = {
    InterworkSegmentDiscovery: Row(_interwork_text, _interwork_members),
    DirectSegmentDiscovery: Row(_direct_text, _direct_members),
    Type1SessionTransformed: Row(_session1_text, _session1_members),
    Type2SessionTransformed: Row(_session2_text, _session2_members),
    OpaqueMup: Row(_opaque_text, _opaque_members),
}
