"""Extended communities from their text: `target:65001:1`, `0x0002fde800000001`, `l2info:19:0:1500:111` …

The result has 8 octets (RFC 4360), or 20 where an IPv6 address is part of it (RFC 5701).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from msgspec import Struct

from apid.grammar.values import (
    MAXIMUM_16,
    MAXIMUM_32,
    MAXIMUM_LABEL,
    address_value,
    administrator_value,
    asn_value,
    digits,
    esi_value,
    hexadecimal_value,
    ipv4_value,
    ipv6_value,
    mac_value,
    number_value,
)
from apid.grammar.words import unknown_word

OCTETS = 8
IPV6_OCTETS = 20

HIGHEST_RATE = 10**12  # octets or packets per second that a traffic-rate may ask for

_FLOAT = struct.Struct("!f")
_TUNNEL_TYPES = {"mpls": 10, "vxlan": 8, "nvgre": 9, "vxlan-gpe": 12, "geneve": 19}  # RFC 8365 section 11
_TRAFFIC_ACTIONS = {"terminal": 1, "sample": 2, "sample-terminal": 3, "terminal-sample": 3}  # RFC 8955 section 7.3
_INTERFACE_TRANSITIVITY = {"transitive": 0x07, "non-transitive": 0x47}
_INTERFACE_DIRECTIONS = {"input": 0x4000, "output": 0x8000, "input-output": 0xC000}


class Form(Struct, frozen=True):
    """One kind of extended community: what follows its keyword, and how it is read."""

    syntax: str
    read: Callable[[str], bytes]
    help: str


def extended_community_value(text: str) -> bytes:
    """Convert the text of an extended community to its 8 or 20 octets."""
    if text[:2].lower() == "0x":
        value = hexadecimal_value(text, "extended community")
        if len(value) not in (OCTETS, IPV6_OCTETS):
            raise ValueError(f"extended community '{text}' has {len(value)} octets, expected {OCTETS} or {IPV6_OCTETS}")
        return value
    keyword, _, value_text = text.partition(":")
    form = FORMS.get(keyword)
    if form is None:
        if keyword[:1].isdigit():
            return route_target_value(text)
        raise ValueError(unknown_word(keyword, FORMS, "extended community"))
    return form.read(value_text)


def route_target_value(text: str) -> bytes:
    """Convert `A:B` or `target:A:B` to a route target (RFC 4360 section 4)."""
    return _administrator(text.removeprefix("target:"), "target", 0x02)


def _administrator(text: str, what: str, subtype: int) -> bytes:
    """Build a two-octet AS, IPv4 address or four-octet AS specific community."""
    administrator, number_text = _pair(text, what)
    kind, value = administrator_value(administrator, number_text, what)
    return bytes((kind, subtype)) + value


def _four_octet(text: str, what: str, subtype: int) -> bytes:
    """Build a four-octet AS specific community whatever the AS number (RFC 5668); an IPv4 address stays one."""
    asn_text, number_text = _pair(text, what)
    if asn_text.count(".") == 3:
        return _administrator(text, what, subtype)
    asn = asn_value(asn_text.removesuffix("L"))
    low = number_value(number_text, f"{what} '{text}': number", MAXIMUM_16)
    return bytes((0x02, subtype)) + asn.to_bytes(4, "big") + low.to_bytes(2, "big")


def redirect_value(text: str) -> bytes:
    """Convert `ASN:NUMBER`, `IP:NUMBER` to a redirect to a VRF (RFC 8955 section 7.4, RFC 8956 section 6)."""
    administrator, number_text = _pair(text, "redirect")
    if ":" in administrator:
        low = number_value(number_text, f"redirect '{text}': number", MAXIMUM_16)
        return b"\x00\x0d" + ipv6_value(administrator.strip("[]")) + low.to_bytes(2, "big")
    kind, value = administrator_value(administrator, number_text, "redirect")
    return bytes((0x80 + kind, 0x08)) + value


def redirect_to_next_hop(copy: bool = False) -> bytes:
    """Build a redirect (or copy) to the route's own next hop (draft-simpson-idr-flowspec-redirect)."""
    return b"\x08\x00" + bytes(5) + bytes((copy,))


def redirect_to_address(address: bytes) -> bytes:
    """Build a redirect to an address (draft-ietf-idr-flowspec-redirect-ip); 20 octets for IPv6."""
    return bytes((len(address) == 4, 0x0C)) + address + bytes(2)


def rate_value(text: str, unit: str = "bytes") -> bytes:
    """Convert a rate in octets or packets per second (RFC 8955 sections 7.1 and 7.2).

    What is above 10^12 counts as 10^12.
    """
    if not digits(text):
        raise ValueError(f"rate-limit '{text}' is not a number")
    rate = HIGHEST_RATE if len(text) > 12 else int(text)
    if unit not in ("bytes", "packets"):
        raise ValueError(f"rate-limit unit '{unit}' is neither bytes nor packets")
    return (b"\x80\x06" if unit == "bytes" else b"\x80\x0c") + bytes(2) + _FLOAT.pack(rate)


def mark_value(text: str) -> bytes:
    """Convert a DSCP to a traffic marking (RFC 8955 section 7.5)."""
    return b"\x80\x09" + bytes(5) + bytes((number_value(text, "mark", 63),))


def traffic_action_value(text: str) -> bytes:
    """Convert `sample`, `terminal` or `sample-terminal` (RFC 8955 section 7.3)."""
    if text not in _TRAFFIC_ACTIONS:
        raise ValueError(unknown_word(text, _TRAFFIC_ACTIONS, "action"))
    return b"\x80\x07" + bytes(5) + bytes((_TRAFFIC_ACTIONS[text],))


def interface_set_value(text: str) -> bytes:
    """Convert `TRANSITIVITY:DIRECTION:ASN:GROUP` (draft-ietf-idr-flowspec-interfaceset)."""
    parts = text.split(":")
    if len(parts) != 4:
        raise ValueError(f"interface-set '{text}' is not of the form transitive:input:ASN:GROUP")
    transitivity, direction, asn_text, group_text = parts
    if transitivity not in _INTERFACE_TRANSITIVITY:
        raise ValueError(unknown_word(transitivity, _INTERFACE_TRANSITIVITY, "interface-set transitivity"))
    if direction not in _INTERFACE_DIRECTIONS:
        raise ValueError(unknown_word(direction, _INTERFACE_DIRECTIONS, "interface-set direction"))
    group = number_value(group_text, "interface-set group", 0x3FFF) | _INTERFACE_DIRECTIONS[direction]
    asn = asn_value(asn_text).to_bytes(4, "big")
    return bytes((_INTERFACE_TRANSITIVITY[transitivity], 0x02)) + asn + group.to_bytes(2, "big")


def _pair(text: str, what: str) -> tuple[str, str]:
    """Cut at the last colon."""
    first, colon, last = text.rpartition(":")
    if not colon:
        raise ValueError(f"{what} '{text}' is not of the form {what}:A:B")
    return first, last


def _layer_2_information(text: str) -> bytes:
    """Convert `encapsulation:control:mtu:preference` (RFC 4761 section 3.2.4)."""
    parts = text.split(":")
    if len(parts) != 4:
        raise ValueError(f"l2info '{text}' is not of the form l2info:ENCAPSULATION:CONTROL:MTU:PREFERENCE")
    encapsulation = number_value(parts[0], "l2info encapsulation", 255)
    control = number_value(parts[1], "l2info control", 255)
    mtu = number_value(parts[2], "l2info mtu", MAXIMUM_16)
    preference = number_value(parts[3], "l2info preference", MAXIMUM_16)
    return bytes((0x80, 0x0A, encapsulation, control)) + mtu.to_bytes(2, "big") + preference.to_bytes(2, "big")


def _bandwidth(text: str) -> bytes:
    """Convert `asn:octets per second` (draft-ietf-idr-link-bandwidth)."""
    asn_text, speed_text = _pair(text, "bandwidth")
    asn = number_value(asn_text, "bandwidth AS number", MAXIMUM_16)
    whole, dot, fraction = speed_text.partition(".")
    if not digits(whole) or len(whole) > 30 or (dot and not digits(fraction)):
        raise ValueError(f"bandwidth '{speed_text}' is not a number of octets per second")
    speed = float(speed_text)
    return b"\x40\x04" + asn.to_bytes(2, "big") + _FLOAT.pack(speed if math.isfinite(speed) else 0.0)


def _mobile_user_plane(text: str) -> bytes:
    """Convert `a:b`, the identifier of a direct segment (draft-ietf-bess-mup-safi)."""
    first, second = _pair(text, "mup")
    return (
        b"\x0c\x00"
        + number_value(first, "mup", MAXIMUM_16).to_bytes(2, "big")
        + number_value(second, "mup").to_bytes(4, "big")
    )


def _rate(text: str) -> bytes:
    """Convert `rate[:bytes|:packets]`."""
    rate, colon, unit = text.partition(":")
    return rate_value(rate, unit if colon else "bytes")


def _encapsulation(text: str) -> bytes:
    """Convert a tunnel type, by name or number (RFC 9012 section 4.1)."""
    kind = _TUNNEL_TYPES.get(text)
    if kind is None:
        kind = number_value(text, "encapsulation", MAXIMUM_16)
    return b"\x03\x0c" + bytes(4) + kind.to_bytes(2, "big")


def _color(text: str) -> bytes:
    """Convert a colour (RFC 9012 section 4.3)."""
    return b"\x03\x0b" + bytes(2) + number_value(text, "color").to_bytes(4, "big")


def _mac_mobility(text: str) -> bytes:
    """Convert `[sticky:]sequence` (RFC 7432 section 7.7)."""
    sticky = text.startswith("sticky:")
    sequence = number_value(text.removeprefix("sticky:"), "mac-mobility sequence", MAXIMUM_32)
    return bytes((0x06, 0x00, sticky, 0)) + sequence.to_bytes(4, "big")


def _esi_label(text: str) -> bytes:
    """Convert `label` or `single-active:label` (RFC 7432 section 7.5)."""
    single_active = text.startswith("single-active:")
    label = number_value(text.removeprefix("single-active:"), "esi-label", MAXIMUM_LABEL)
    return bytes((0x06, 0x01, single_active, 0, 0)) + (label << 4).to_bytes(3, "big")


def _es_import(text: str) -> bytes:
    """Convert a MAC address, or take it from an ESI (RFC 7432 section 7.6)."""
    mac = mac_value(text) if len(text) == 17 else esi_value(text)[1:7]
    return b"\x06\x02" + mac


def _redirect_to_address(text: str) -> bytes:
    return redirect_to_address(address_value(text.strip("[]")))


def _bare(octets: bytes, keyword: str) -> Callable[[str], bytes]:
    """Make a reader for a keyword without value."""

    def read(text: str) -> bytes:
        if text:
            raise ValueError(f"{keyword} has no value, not '{text}'")
        return octets

    return read


FORMS: dict[str, Form] = {
    "target": Form("A:B", route_target_value, "route target; `target:` may be left out (RFC 4360)"),
    "origin": Form("A:B", lambda text: _administrator(text, "origin", 0x03), "route origin (RFC 4360)"),
    "target4": Form("ASN:N", lambda text: _four_octet(text, "target4", 0x02), "route target, 4-octet AS (RFC 5668)"),
    "origin4": Form("ASN:N", lambda text: _four_octet(text, "origin4", 0x03), "route origin, 4-octet AS (RFC 5668)"),
    "redirect": Form("A:B", redirect_value, "FlowSpec: send to a VRF (RFC 8955)"),
    "redirect-to-nexthop": Form(
        "", _bare(redirect_to_next_hop(), "redirect-to-nexthop"), "FlowSpec: send to the rule's next hop"
    ),
    "copy-to-nexthop": Form(
        "", _bare(redirect_to_next_hop(copy=True), "copy-to-nexthop"), "FlowSpec: send a copy to the rule's next hop"
    ),
    "redirect-to-nexthop-ietf": Form("IP", _redirect_to_address, "FlowSpec: send to an address"),
    "rate-limit": Form("N[:bytes|:packets]", _rate, "FlowSpec: the most that passes in a second (RFC 8955)"),
    "mark": Form("DSCP", mark_value, "FlowSpec: set the DSCP (RFC 8955)"),
    "action": Form("sample|terminal|sample-terminal", traffic_action_value, "FlowSpec: traffic action (RFC 8955)"),
    "interface-set": Form(
        "TRANSITIVITY:DIRECTION:ASN:GROUP", interface_set_value, "FlowSpec: on which interfaces the rule applies"
    ),
    "l2info": Form(
        "ENCAPSULATION:CONTROL:MTU:PREFERENCE", _layer_2_information, "VPLS: layer 2 information (RFC 4761)"
    ),
    "bandwidth": Form("ASN:SPEED", _bandwidth, "link bandwidth in bytes per second"),
    "mup": Form("A:B", _mobile_user_plane, "mobile user plane: the identifier of a direct segment"),
    "color": Form("N", _color, "colour, which finds a tunnel or policy (RFC 9012)"),
    "encapsulation": Form("mpls|vxlan|nvgre|vxlan-gpe|geneve|N", _encapsulation, "tunnel type (RFC 9012)"),
    "mac-mobility": Form("[sticky:]N", _mac_mobility, "EVPN: how often a MAC address has moved (RFC 7432)"),
    "esi-label": Form("[single-active:]LABEL", _esi_label, "EVPN: label of an Ethernet segment (RFC 7432)"),
    "es-import": Form("MAC", _es_import, "EVPN: import target of an Ethernet segment; an ESI will do (RFC 7432)"),
    "router-mac": Form("MAC", lambda text: b"\x06\x03" + mac_value(text), "EVPN: MAC address of a router (RFC 9135)"),
    "default-gateway": Form("", _bare(b"\x03\x0d" + bytes(6), "default-gateway"), "EVPN: a gateway's MAC (RFC 7432)"),
    "ospf-router-id": Form("IP", lambda text: b"\x01\x07" + ipv4_value(text) + bytes(2), "OSPF router (RFC 4577)"),
}
