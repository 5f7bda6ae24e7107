"""Text of path attributes, as the text encoder and `show adj-rib … extensive` print them.

In AS_PATH `( )` is a sequence and `[ ]` a set, which is the other way round from what configurations accept:
helpers have been reading it so for years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from apid.render.attribute_text import (
    aggregator_text,
    aigp_text,
    community_text,
    framed_flags,
    generic_flags,
    large_community_text,
    pmsi_text,
)
from apid.render.dialect import DEFAULT_DIALECT, Dialect
from apid.render.extended_community import extended_community_text, ipv6_extended_community_text
from apid.render.json_attributes import WIDE
from apid.render.json_value import members_json
from apid.render.names import ORIGINS
from apid.render.values import address_text, listed
from bgp.attribute.aggregator import Aggregator, As4Aggregator, AtomicAggregate
from bgp.attribute.aigp import Aigp
from bgp.attribute.as_path import As4Path, AsPath
from bgp.attribute.attr_set import AttrSet
from bgp.attribute.community import (
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
)
from bgp.attribute.link_state import LinkState
from bgp.attribute.next_hop import NextHop
from bgp.attribute.only_to_customer import OnlyToCustomer
from bgp.attribute.origin import Origin
from bgp.attribute.pmsi import PmsiTunnel
from bgp.attribute.preference import LocalPref, Med
from bgp.attribute.prefix_sid import PrefixSid
from bgp.attribute.prefix_sid_service import Srv6Sid
from bgp.attribute.reflection import ClusterList, OriginatorId
from bgp.attribute.registry import Attribute
from bgp.attribute.tunnel import TunnelEncapsulation
from bgp.attribute.unknown import UnknownAttribute

# Attribute is a union in all but name: each row knows the class that it is entered for.
Row = Callable[[Any], str]

BRACKETS = {1: "[ {} ]", 2: "( {} )", 3: "{{( {} )}}", 4: "{{[ {} ]}}"}
FLAT_BRACKETS = {1: "( {} )", 2: "{}", 3: "{{( {} )}}", 4: "{{[ {} ]}}"}


def as_path(path: AsPath, dialect: Dialect) -> str:
    """Render AS_PATH; nothing where it is empty."""
    if not path.segments:
        return ""
    brackets = FLAT_BRACKETS if dialect.flat_as_path else BRACKETS
    texts = [brackets[segment.kind].format(" ".join(map(str, segment.asns))) for segment in path.segments]
    return f"as-path [ {' '.join(texts)} ]" if dialect.flat_as_path else f"as-path {' '.join(texts)}"


def service(word: str, sids: tuple[Srv6Sid, ...]) -> str:
    """Render the SIDs of an SRv6 service (RFC 9252)."""
    texts = []
    for sid in sids:
        text = f"sid-information [ sid:{address_text(sid.sid)} flags:{sid.flags} endpoint_behavior:0x{sid.behavior:x} "
        if sid.structure is not None:
            form = sid.structure
            text += (
                f" [ sid-structure [{form.block},{form.node},{form.function},{form.argument},"
                f"{form.transposition_length},{form.transposition_offset}] ]"
            )
        texts.append(f"{text} ]")
    return f"{word} [ {', '.join(texts)} ]"


def prefix_sid(sid: PrefixSid) -> str:
    """Render label index and blocks as configurations have them, services, and octets of what is unknown."""
    parts = []
    if sid.label_index is not None:
        parts.append(str(sid.label_index))
    if sid.blocks:
        blocks = ", ".join(f"( {base},{size} )" for base, size in sid.blocks)
        parts.append(f"[ {blocks} ]")
    if sid.l3_service is not None:
        parts.append(service("l3-service", sid.l3_service))
    if sid.l2_service is not None:
        parts.append(service("l2-service", sid.l2_service))
    parts.extend(f"0x{value.hex()}" for kind, value in sid.tlvs if kind not in (1, 3, 5, 6))
    return f"bgp-prefix-sid [ {', '.join(parts)} ]"


def generic(code: int, flags: int, data: bytes) -> str:
    """Render an attribute by code, flags and octets, as configurations have it."""
    return f"attribute [ 0x{code:02X} 0x{flags:02X} 0x{data.hex()} ]"


def by_octets(attribute: Attribute) -> str:
    """Render an attribute that has no word of its own."""
    code, flags, octets = framed(attribute)
    return generic(code, generic_flags(flags), octets)


def framed(attribute: Attribute) -> tuple[int, int, bytes]:
    """Return code, flags and value of an attribute as they are on the wire."""
    if isinstance(attribute, UnknownAttribute):
        return attribute.code, attribute.flags, attribute.data
    octets = attribute.encode(WIDE)
    return attribute.CODE, framed_flags(attribute, octets), octets


def nothing(attribute: Attribute) -> str:
    """Render nothing."""
    return ""


def valued(word: str) -> Row:
    """Make a row for an attribute that is a number."""
    return lambda attribute: f"{word} {attribute.value}"


ROWS: dict[type[Attribute], Row] = {
    Origin: lambda attribute: f"origin {ORIGINS.get(attribute.value, 'incomplete')}",
    As4Path: nothing,
    NextHop: nothing,
    Med: valued("med"),
    LocalPref: valued("local-preference"),
    AtomicAggregate: lambda attribute: "atomic-aggregate",
    Aggregator: lambda attribute: f"aggregator ( {aggregator_text(attribute)} )",
    As4Aggregator: nothing,
    Communities: lambda attribute: f"community {listed([community_text(value) for value in sorted(attribute.values)])}",
    OriginatorId: lambda attribute: f"originator-id {address_text(attribute.address)}",
    ClusterList: lambda attribute: f"cluster-list [ {' '.join(map(address_text, attribute.addresses))} ]",
    ExtendedCommunities: lambda attribute: (
        f"extended-community {listed([extended_community_text(value) for value in sorted(attribute.values)])}"
    ),
    Ipv6ExtendedCommunities: lambda attribute: (
        f"extended-community-ipv6 {listed([ipv6_extended_community_text(value) for value in sorted(attribute.values)])}"
    ),
    LargeCommunities: lambda attribute: (
        f"large-community {listed([large_community_text(value) for value in sorted(attribute.values)])}"
    ),
    Aigp: lambda attribute: f"aigp {aigp_text(attribute)}",
    PmsiTunnel: lambda attribute: f"pmsi {pmsi_text(attribute)}",
    PrefixSid: prefix_sid,
    LinkState: lambda attribute: f"bgp-ls {members_json(attribute.as_pairs(), True)}",
    TunnelEncapsulation: by_octets,
    OnlyToCustomer: by_octets,
    AttrSet: by_octets,
    UnknownAttribute: by_octets,
}


def attributes_text(attributes: Iterable[Attribute], dialect: Dialect = DEFAULT_DIALECT, *, ours: bool = False) -> str:
    """Render attributes in the order of their codes, each after a space; next hops are the route's to show.

    ours: we announce them, so that they have the flags that they were given, not those with which they are passed on.
    """
    return joined([text for attribute in attributes if (text := attribute_text(attribute, dialect, ours))])


def attribute_text(attribute: Attribute, dialect: Dialect, ours: bool = False) -> str:
    """Render one attribute; nothing where it has no text."""
    if isinstance(attribute, AsPath):
        return as_path(attribute, dialect)
    row = ROWS[type(attribute)]
    return generic(*framed(attribute)) if ours and row is by_octets else row(attribute)


def joined(texts: list[str]) -> str:
    """Return the texts of attributes, each after a space."""
    return "".join(f" {text}" for text in texts)
