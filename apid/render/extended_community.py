"""Text of extended communities, by type and subtype (RFC 7153 registries); unknown ones are hex.

The words are those that configurations accept where there are any. Two of them (`origin`) are written as
ExaBGP writes them, administrator and number the other way round from `target`. The `string` of JSON has a table
of its own: helpers know what ExaBGP tells there, and read an empty one where it tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from struct import Struct

from apid.render.names import ENCAPSULATIONS
from apid.render.values import address_text, hex_text, mac_text

Text = Callable[[bytes], str]

_FLOAT = Struct("!f")


def u16(octets: bytes, start: int) -> int:
    """Read 2 octets."""
    return octets[start] << 8 | octets[start + 1]


def u32(octets: bytes, start: int) -> int:
    """Read 4 octets."""
    return int.from_bytes(octets[start : start + 4], "big")


def two_octet_as(word: str) -> Text:
    """Make a text function for a 2-octet AS number and a 32-bit number."""
    return lambda value: f"{word}:{u16(value, 2)}:{u32(value, 4)}"


def four_octet_as(word: str) -> Text:
    """Make a text function for a 4-octet AS number and a 16-bit number."""
    return lambda value: f"{word}:{u32(value, 2)}:{u16(value, 6)}"


def ipv4_address(word: str) -> Text:
    """Make a text function for an IPv4 address and a 16-bit number."""
    return lambda value: f"{word}:{address_text(value[2:6])}:{u16(value, 6)}"


def number(word: str) -> Text:
    """Make a text function for a 32-bit number at the end."""
    return lambda value: f"{word}:{u32(value, 4)}"


def bare(word: str) -> Text:
    """Make a text function for a community that has no value."""
    return lambda value: word


def rate(unit: str) -> Text:
    """Make a text function for a traffic rate (RFC 8955 section 7.1): less than 0 is 0, not-a-number stays hex."""

    def text(value: bytes) -> str:
        (limit,) = _FLOAT.unpack(value[4:])
        return f"rate-limit:{max(0, int(limit))}{unit}" if isfinite(limit) else hex_text(value)

    return text


def bandwidth(value: bytes) -> str:
    """Render link bandwidth in octets per second (draft-ietf-idr-link-bandwidth)."""
    (speed,) = _FLOAT.unpack(value[4:])
    return f"bandwidth:{u16(value, 2)}:{int(speed)}" if isfinite(speed) else hex_text(value)


def traffic_action(value: bytes) -> str:
    """Render the traffic action's bits (RFC 8955 section 7.3)."""
    words = [word for bit, word in ((2, "sample"), (1, "terminal")) if value[7] & bit]
    return f"action {'-'.join(words)}"


def mark(value: bytes) -> str:
    """Render the DSCP to set (RFC 8955 section 7.5)."""
    return f"mark {value[7] & 0x3F}"


def to_next_hop(value: bytes) -> str:
    """Render redirect or copy to the route's own next hop (draft-simpson-idr-flowspec-redirect)."""
    return "copy-to-nexthop" if value[7] & 1 else "redirect-to-nexthop"


def to_address(value: bytes) -> str:
    """Render redirect or copy to an address, IPv4 or IPv6 (draft-ietf-idr-flowspec-redirect-ip)."""
    address = address_text(value[2:-2])
    if value[-1] & 1:
        return f"copy-to-nexthop-ietf {address} (with copy)"
    return f"redirect-to-nexthop-ietf {address}"


def layer2_info(value: bytes) -> str:
    """Render encapsulation, control flags, MTU and preference of a VPLS (RFC 4761 section 3.2.4)."""
    return f"l2info:{value[2]}:{value[3]}:{u16(value, 4)}:{u16(value, 6)}"


def encapsulation(value: bytes) -> str:
    """Render a tunnel type (RFC 9012 section 4.1); one without a name has the word twice, as in ExaBGP."""
    kind = u16(value, 6)
    return f"encap:{ENCAPSULATIONS.get(kind) or f'encap:UNKNOWN-{kind}'}"


def mac_mobility(value: bytes) -> str:
    """Render sequence number and the sticky bit (RFC 7432 section 7.7)."""
    return f"mac-mobility:{u32(value, 4)}{':sticky' if value[2] & 1 else ''}"


def esi_label(value: bytes) -> str:
    """Render the split-horizon label and whether the segment is single-active (RFC 7432 section 7.5)."""
    label = int.from_bytes(value[5:8], "big") >> 4
    return f"esi-label:{label}:{'single-active' if value[2] & 1 else 'all-active'}"


def mac_address(word: str) -> Text:
    """Make a text function for a MAC address."""
    return lambda value: f"{word}:{mac_text(value[2:8])}"


def interface_set(value: bytes) -> str:
    """Render direction, AS and group of interfaces (draft-ietf-idr-flowspec-interfaceset)."""
    direction = {0: "0", 1: "input", 2: "output", 3: "input-output"}[value[6] >> 6]
    return f"interface-set:{direction}:{u32(value, 2)}:{u16(value, 6) & 0x3FFF}"


def mup(value: bytes) -> str:
    """Render a direct segment identifier (draft-mpmz-bess-mup-safi)."""
    return f"mup:{u16(value, 2)}:{u32(value, 4)}"


def color(value: bytes) -> str:
    """Render a colour (RFC 9012 section 4.3)."""
    return f"color:{u32(value, 4)}"


def sort_order(value: bytes) -> str:
    """Render the order of a flow among those that share a hash (draft-ietf-bess-service-chaining)."""
    return f"consistentHashSortOrder:{u32(value, 2)}"


def validation_state(value: bytes) -> str:
    """Render what origin validation found (RFC 8097)."""
    names = {0: "valid", 1: "not-found", 2: "invalid"}
    return f"origin-validation-state:{names.get(value[7], str(value[7]))}"


def origin_two_octet_as(value: bytes) -> str:
    """Render a route origin, its number as a dotted quad."""
    return f"origin:{u16(value, 2)}:{address_text(value[4:8])}"


def origin_ipv4_address(value: bytes) -> str:
    """Render a route origin, its number before its address."""
    return f"origin:{u16(value, 6)}:{address_text(value[2:6])}"


TEXTS: dict[tuple[int, int], Text] = {
    (0x00, 0x02): two_octet_as("target"),
    (0x01, 0x02): ipv4_address("target"),
    (0x02, 0x02): four_octet_as("target"),
    (0x00, 0x03): origin_two_octet_as,
    (0x01, 0x03): origin_ipv4_address,
    (0x02, 0x03): four_octet_as("origin"),
    (0x00, 0x04): bandwidth,
    (0x40, 0x04): bandwidth,
    (0x00, 0x05): two_octet_as("ospf-domain-id"),
    (0x01, 0x05): ipv4_address("ospf-domain-id"),
    (0x02, 0x05): four_octet_as("ospf-domain-id"),
    (0x01, 0x07): ipv4_address("ospf-router-id"),
    (0x00, 0x09): two_octet_as("source-as"),
    (0x02, 0x09): four_octet_as("source-as"),
    (0x01, 0x0B): ipv4_address("vrf-route-import"),
    (0x01, 0x0C): to_address,
    (0x00, 0x13): two_octet_as("rtrecord"),
    (0x01, 0x13): ipv4_address("rtrecord"),
    (0x02, 0x13): four_octet_as("rtrecord"),
    (0x03, 0x0B): color,
    (0x03, 0x0C): encapsulation,
    (0x03, 0x0D): bare("default-gateway"),
    (0x03, 0x14): sort_order,
    (0x06, 0x00): mac_mobility,
    (0x06, 0x01): esi_label,
    (0x06, 0x02): mac_address("es-import"),
    (0x06, 0x03): mac_address("router-mac"),
    (0x07, 0x02): interface_set,
    (0x47, 0x02): interface_set,
    (0x08, 0x00): to_next_hop,
    (0x0C, 0x00): mup,
    (0x43, 0x00): validation_state,
    (0x80, 0x06): rate(""),
    (0x80, 0x0C): rate(":packets"),
    (0x80, 0x07): traffic_action,
    (0x80, 0x08): two_octet_as("redirect"),
    (0x80, 0x09): mark,
    (0x80, 0x0A): layer2_info,
}

# What ExaBGP 5 puts into JSON: it knows a type by its four low bits, and all of these, seen with every type and
# subtype. It has no word for the others, although its text encoder prints their octets.
TOLD = (
    *((kind, subtype) for subtype in (0x02, 0x03, 0x13) for kind in (0x00, 0x01, 0x02)),
    *((0x80, subtype) for subtype in (0x06, 0x07, 0x08, 0x09, 0x0A, 0x0C)),
    *((0x01, 0x0C), (0x03, 0x0C), (0x03, 0x14), (0x06, 0x00), (0x07, 0x02), (0x08, 0x00), (0x0C, 0x00)),
)
JSON_TEXTS: dict[tuple[int, int], Text] = {
    (0x02, 0x08): hex_text,
    **{(kind & 0x0F, subtype): TEXTS[kind, subtype] for kind, subtype in TOLD},
}

IPV6_TEXTS: dict[tuple[int, int], Text] = {
    (0x00, 0x02): lambda value: f"target:{address_text(value[2:18])}:{u16(value, 18)}",
    (0x00, 0x03): lambda value: f"origin:{address_text(value[2:18])}:{u16(value, 18)}",
    (0x00, 0x0C): to_address,
}


def extended_community_text(value: bytes) -> str:
    """Render an extended community of 8 octets (RFC 4360)."""
    text = TEXTS.get((value[0], value[1]))
    return text(value) if text else hex_text(value)


def extended_community_json(value: bytes) -> str:
    """Render the `string` of an extended community in JSON, empty for what ExaBGP has no word for."""
    text = JSON_TEXTS.get((value[0] & 0x0F, value[1]))
    return text(value) if text else ""


def ipv6_extended_community_json(value: bytes) -> str:
    """Render the `string` of an IPv6 extended community in JSON: ExaBGP has words for redirection alone."""
    if value[0] & 0x0F == 0 and value[1] in (0x0B, 0x0C):
        return to_address(value) if value[1] == 0x0C else hex_text(value)
    return ""


def ipv6_extended_community_text(value: bytes) -> str:
    """Render an IPv6-address-specific extended community of 20 octets (RFC 5701)."""
    text = IPV6_TEXTS.get((value[0], value[1]))
    return text(value) if text else hex_text(value)
