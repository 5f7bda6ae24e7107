"""EVPN route types 1 to 5."""

from __future__ import annotations

from apid.render.dialect import Dialect
from apid.render.flow_text import Services
from apid.render.nlri.row import Row, coded, label_json
from apid.render.values import address_text, esi_text, mac_text, prefix_text, rd_text
from bgp.nlri import (
    NLRI,
    EthernetAutoDiscovery,
    EthernetSegment,
    InclusiveMulticast,
    IpPrefix,
    MacAdvertisement,
)

Tagged = EthernetAutoDiscovery | MacAdvertisement | IpPrefix


def _label_text(label: int) -> str:
    """Render a label with its raw word, which may be a VNI."""
    return f" label {label >> 4} ({label})" if label else " label 0"


def _segment_text(route: Tagged) -> str:
    """Render route distinguisher, Ethernet segment and tag of types 1, 2 and 5."""
    return f"{rd_text(route.rd)}:{esi_text(route.esi)}:{route.ethernet_tag}"


def _segment_json(route: Tagged) -> str:
    """Render the same as members."""
    return f'"rd": "{rd_text(route.rd)}", "esi": "{esi_text(route.esi)}", "ethernet-tag": {route.ethernet_tag}'


def _auto_discovery_text(route: EthernetAutoDiscovery, path: str, next_hop: str, services: Services) -> str:
    """Render type 1."""
    return f"evpn:ethernetad::{_segment_text(route)}:{_label_text(route.label)}"


def _auto_discovery_members(route: EthernetAutoDiscovery, next_hop: str, dialect: Dialect) -> str:
    """Render type 1."""
    head = coded(1, "Ethernet Auto-Discovery", route)
    return f'{head}, {_segment_json(route)}, "label": [ {label_json(route.label, True)} ]'


def _mac_text(route: MacAdvertisement, path: str, next_hop: str, services: Services) -> str:
    """Render type 2, with the first of its labels."""
    address = address_text(route.address) if route.address else ""
    label = _label_text(route.labels[0])
    return f"evpn:macadv::{_segment_text(route)}:{mac_text(route.mac)}/48:{address}:{label}"


def _mac_members(route: MacAdvertisement, next_hop: str, dialect: Dialect) -> str:
    """Render type 2, with the first of its labels: helpers know one."""
    head = coded(2, "MAC/IP advertisement", route)
    label = label_json(route.labels[0], True)
    text = f'{head}, {_segment_json(route)}, "mac": "{mac_text(route.mac)}", "label": [ {label} ]'
    return f'{text}, "ip": "{address_text(route.address)}"' if route.address else text


def _multicast_text(route: InclusiveMulticast, path: str, next_hop: str, services: Services) -> str:
    """Render type 3."""
    return f"evpn:multicast::{rd_text(route.rd)}:{route.ethernet_tag}:{address_text(route.address)}"


def _multicast_members(route: InclusiveMulticast, next_hop: str, dialect: Dialect) -> str:
    """Render type 3."""
    head = coded(3, "Inclusive Multicast Ethernet Tag", route)
    return (
        f'{head}, "rd": "{rd_text(route.rd)}", "ethernet-tag": {route.ethernet_tag}, '
        f'"ip": "{address_text(route.address)}"'
    )


def _ethernet_segment_text(route: EthernetSegment, path: str, next_hop: str, services: Services) -> str:
    """Render type 4."""
    return f"evpn:segment::{rd_text(route.rd)}:{esi_text(route.esi)}:{address_text(route.address)}"


def _ethernet_segment_members(route: EthernetSegment, next_hop: str, dialect: Dialect) -> str:
    """Render type 4."""
    head = coded(4, "Ethernet Segment", route)
    return f'{head}, "rd": "{rd_text(route.rd)}", "esi": "{esi_text(route.esi)}", "ip": "{address_text(route.address)}"'


def _ip_prefix_text(route: IpPrefix, path: str, next_hop: str, services: Services) -> str:
    """Render type 5."""
    prefix, gateway = prefix_text(route.address, route.length), address_text(route.gateway)
    return f"evpn:prfxadv::{_segment_text(route)}:{prefix}:{gateway}:{_label_text(route.label)}"


def _ip_prefix_members(route: IpPrefix, next_hop: str, dialect: Dialect) -> str:
    """Render type 5."""
    head = coded(5, "IP Prefix Advertisement", route)
    return (
        f'{head}, {_segment_json(route)}, "label": [ {label_json(route.label, True)} ], '
        f'"ip": "{address_text(route.address)}", "iplen": {route.length}, "gateway": "{address_text(route.gateway)}"'
    )


ROWS: dict[type[NLRI], Row] = {
    EthernetAutoDiscovery: Row(_auto_discovery_text, _auto_discovery_members),
    MacAdvertisement: Row(_mac_text, _mac_members),
    InclusiveMulticast: Row(_multicast_text, _multicast_members),
    EthernetSegment: Row(_ethernet_segment_text, _ethernet_segment_members),
    IpPrefix: Row(_ip_prefix_text, _ip_prefix_members),
}
