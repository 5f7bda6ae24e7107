"""What each TLV of the BGP-LS attribute says, as names and values of events.

RFC 9552 section 5.3 (nodes, links, prefixes), RFC 9085 (segment routing), RFC 9514 (SRv6). Each reader raises
ValueError on a length that the TLV cannot have. Names are ExaBGP's: programs depend on them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from math import isfinite

from msgspec import Struct

from bgp.attribute.link_state_segment import (
    adjacency_sid,
    lan_adjacency_sid,
    prefix_sid,
    segment_routing_capabilities,
    sid_structure,
    srv6_capabilities,
    srv6_end_x,
    srv6_endpoint_behavior,
    srv6_lan_end_x_isis,
    srv6_lan_end_x_ospf,
    srv6_locator,
)
from bgp.nlri.link_state_tlv import Pair, Tlv, Value, flags, hexadecimal
from bgp.wire import address_text

_FLOAT = struct.Struct("!f")


class Layout(Enum):
    """How the value of a TLV stands in the object that the attribute becomes."""

    SINGLE = "under its name, once for each TLV"
    GATHERED = "in one list for all TLVs of the name"
    SPREAD = "an object whose members stand in the attribute's own"


class LinkStateTlv(Struct, frozen=True):
    """One row: the name in events, the reader of the octets, and where the value goes."""

    name: str
    read: Callable[[bytes], Value]
    layout: Layout = Layout.SINGLE


def exactly(*lengths: int) -> Callable[[bytes], None]:
    """Build a check that raises ValueError unless the value has one of the lengths."""

    def check(value: bytes) -> None:
        if len(value) not in lengths:
            raise ValueError(f"{' or '.join(map(str, lengths))} octets expected, {len(value)} seen")

    return check


_four, _any_address = exactly(4), exactly(4, 16)


def number(*lengths: int) -> Callable[[bytes], Value]:
    """Build a reader of an unsigned integer of one of the lengths, in octets."""
    check = exactly(*lengths)

    def read(value: bytes) -> Value:
        check(value)
        return int.from_bytes(value, "big")

    return read


def numbers(size: int, least: int = 0) -> Callable[[bytes], Value]:
    """Build a reader of a list of unsigned integers, each of `size` octets."""

    def read(value: bytes) -> Value:
        if len(value) % size or len(value) < least:
            raise ValueError(f"a multiple of {size} and at least {least} octets expected, {len(value)} seen")
        return [int.from_bytes(value[offset : offset + size], "big") for offset in range(0, len(value), size)]

    return read


def flag_octets(*names: str, octets: int = 1) -> Callable[[bytes], Value]:
    """Build a reader of flags, the first name for the highest bit, in exactly `octets` octets."""
    check = exactly(octets)

    def read(value: bytes) -> Value:
        check(value)
        return flags(value[0], *names)

    return read


def prefix_attribute_flags(value: bytes) -> Value:
    """Read prefix attribute flags (RFC 9085 section 2.3.2), whose length depends on the protocol."""
    if not value:
        raise ValueError("at least 1 octet expected, 0 seen")
    return flags(value[0], "X", "R", "N")


def text(value: bytes) -> Value:
    """Read a name; octets that are not UTF-8 are replaced."""
    return value.decode("utf-8", "replace")


def address(value: bytes) -> Value:
    """Read an IPv4 or IPv6 address."""
    _any_address(value)
    return address_text(value)


def area(value: bytes) -> Value:
    """Read an IS-IS area identifier (RFC 9552 section 5.3.1.2) as a decimal number."""
    if not value:
        raise ValueError("at least 1 octet expected, 0 seen")
    return str(int.from_bytes(value, "big"))


def finite(octets: bytes) -> float | None:
    """Read an IEEE 754 number in octets per second; None for what JSON has no number for."""
    (value,) = _FLOAT.unpack(octets)
    return value if isfinite(value) else None


def bandwidth(value: bytes) -> Value:
    """Read one bandwidth (RFC 5305 sections 3.4 and 3.5)."""
    _four(value)
    return finite(value)


def bandwidths(value: bytes) -> Value:
    """Read the unreserved bandwidth of 8 priorities (RFC 5305 section 3.6)."""
    if len(value) != 32:
        raise ValueError(f"32 octets expected, {len(value)} seen")
    return [finite(value[offset : offset + 4]) for offset in range(0, 32, 4)]


ROUTER_IDS = LinkStateTlv("local-te-router-ids", address, Layout.GATHERED)
REMOTE_ROUTER_ID = LinkStateTlv("remote-te-router-id", address)
PROTECTION = ("ExtraTrafic", "Unprotected", "Shared", "Dedicated 1:1", "Dedicated 1+1", "Enhanced")

LINK_STATE_TLVS: dict[int, LinkStateTlv] = {
    1024: LinkStateTlv("node-flags", flag_octets("O", "T", "E", "B", "R", "V")),
    1025: LinkStateTlv("opaque", text),
    1026: LinkStateTlv("node-name", text),
    1027: LinkStateTlv("area-id", area),
    1028: ROUTER_IDS,
    1029: ROUTER_IDS,
    1030: REMOTE_ROUTER_ID,
    1031: REMOTE_ROUTER_ID,
    1034: LinkStateTlv("sr-capability-flags", segment_routing_capabilities, Layout.SPREAD),
    1035: LinkStateTlv("sr-algorithms", numbers(1, least=1)),
    1038: LinkStateTlv("srv6-capabilities", srv6_capabilities),
    1088: LinkStateTlv("admin-group-mask", number(4)),
    1089: LinkStateTlv("maximum-link-bandwidth", bandwidth),
    1090: LinkStateTlv("maximum-reservable-link-bandwidth", bandwidth),
    1091: LinkStateTlv("unreserved-bandwidth", bandwidths),
    1092: LinkStateTlv("te-metric", number(4)),
    1093: LinkStateTlv("link-protection-flags", flag_octets(*PROTECTION, octets=2)),
    1094: LinkStateTlv("mpls-mask", flag_octets("LDP", "RSVP-TE")),
    1095: LinkStateTlv("igp-metric", number(1, 2, 3)),
    1096: LinkStateTlv("shared-risk-link-groups", numbers(4)),
    1097: LinkStateTlv("opaque-link", text),
    1098: LinkStateTlv("link-name", text),
    1099: LinkStateTlv("sr-adj", adjacency_sid),
    1100: LinkStateTlv("sr-adj-lan-sids", lan_adjacency_sid, Layout.GATHERED),
    1106: LinkStateTlv("srv6-endx", srv6_end_x, Layout.GATHERED),
    1107: LinkStateTlv("srv6-lan-endx-isis", srv6_lan_end_x_isis, Layout.GATHERED),
    1108: LinkStateTlv("srv6-lan-endx-ospf", srv6_lan_end_x_ospf, Layout.GATHERED),
    1152: LinkStateTlv("igp-flags", flag_octets("D", "N", "L", "P")),
    1153: LinkStateTlv("igp-route-tags", numbers(4)),
    1154: LinkStateTlv("igp-extended-route-tags", numbers(8)),
    1155: LinkStateTlv("prefix-metric", number(4)),
    1156: LinkStateTlv("ospf-forwarding-address", address),
    1157: LinkStateTlv("opaque-prefix", text),
    1158: LinkStateTlv("sr-prefix-flags", prefix_sid, Layout.SPREAD),
    1162: LinkStateTlv("srv6-locator", srv6_locator),
    1170: LinkStateTlv("sr-prefix-attribute-flags", prefix_attribute_flags),
    1171: LinkStateTlv("sr-source-router-id", address),
    1250: LinkStateTlv("srv6-endpoint-behavior", srv6_endpoint_behavior),
    1252: LinkStateTlv("srv6-sid-structure", sid_structure),
}


def check(tlvs: tuple[Tlv, ...]) -> None:
    """Raise ValueError, naming the TLV, where a known one cannot be read."""
    for kind, value in tlvs:
        row = LINK_STATE_TLVS.get(kind)
        if row is not None:
            try:
                row.read(value)
            except ValueError as error:
                raise ValueError(f"TLV {kind} ({row.name}): {error}") from error


def pairs_of(tlvs: tuple[Tlv, ...]) -> list[Pair]:
    """Return names and values in the order of the TLVs; raises ValueError on a malformed one.

    What is gathered stands where its first TLV does; any other name may occur more than once.
    """
    pairs: list[Pair] = []
    lists: dict[str, list[Value]] = {}
    for kind, value in tlvs:
        row = LINK_STATE_TLVS.get(kind)
        if row is None:
            row = LinkStateTlv(f"generic-lsid-{kind}", hexadecimal, Layout.GATHERED)
        said = row.read(value)
        if row.layout is Layout.SPREAD and isinstance(said, dict):
            pairs += said.items()
        elif row.layout is Layout.GATHERED:
            if row.name not in lists:
                lists[row.name] = []
                pairs.append((row.name, lists[row.name]))
            lists[row.name].append(said)
        else:
            pairs.append((row.name, said))
    return pairs
