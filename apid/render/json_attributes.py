"""JSON of path attributes: one row for each class, joined in the order of their codes.

A row returns the members that an attribute adds to the `attribute` object, or nothing for those that
events show elsewhere (NEXT_HOP) or not at all (the AS4 pair, which is merged while decoding).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import unpack
from typing import Any

from apid.render.attribute_text import aggregator_text, aigp_text, framed_flags, generic_flags, pmsi_text
from apid.render.dialect import Dialect
from apid.render.extended_community import extended_community_json, ipv6_extended_community_json
from apid.render.json_value import members_json
from apid.render.names import ORIGINS, PATH_SEGMENTS
from apid.render.values import address_text, quote
from bgp.attribute.aggregator import Aggregator, As4Aggregator, AtomicAggregate
from bgp.attribute.aigp import Aigp
from bgp.attribute.as_path import As4Path, AsPath, Segment, read_segments
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
from bgp.attribute.reflection import ClusterList, OriginatorId
from bgp.attribute.registry import ATTRIBUTES, Attribute
from bgp.attribute.tunnel import TunnelEncapsulation
from bgp.attribute.unknown import UnknownAttribute
from bgp.negotiated import Negotiated

# Attribute is a union in all but name: each row knows the class that it is entered for.
Row = Callable[[Any, Dialect], str]

WIDE = Negotiated()  # to encode values again, with 4-octet AS numbers


def origin(attribute: Origin, dialect: Dialect) -> str:
    """Render ORIGIN."""
    return f'"origin": "{ORIGINS.get(attribute.value, "incomplete")}"'


def as_path(segments: tuple[Segment, ...], dialect: Dialect) -> str:
    """Render AS_PATH as an object of numbered segments, or as flat lists; nothing where it is empty."""
    if not segments:
        return ""
    if dialect.flat_as_path:
        return flat_as_path(segments)
    numbered = ", ".join(
        [
            f'"{place}": {{"element": "{PATH_SEGMENTS[kind]}", "value": {list(asns)}}}'
            for place, (kind, asns) in enumerate(segments)
        ]
    )
    return f'"as-path": {{{numbered}}}'


def flat_as_path(segments: tuple[Segment, ...]) -> str:
    """Render AS_PATH as three lists by kind of segment."""
    lists: dict[int, list[int]] = {1: [], 2: [], 3: [], 4: []}
    for segment in segments:
        lists[segment.kind].extend(segment.asns)
    members = [f'"as-path": {lists[2]}']
    if lists[1]:
        members.append(f'"as-set": {lists[1]}')
    members.append(f'"confederation-path": {lists[3] + lists[4]}')
    return ", ".join(members)


def communities(values: Iterable[int]) -> str:
    """Render communities as pairs, in numeric order."""
    pairs = ", ".join([f"[ {value >> 16}, {value & 0xFFFF} ]" for value in sorted(values)])
    return f'"community": [ {pairs} ]'


def large_communities(attribute: LargeCommunities, dialect: Dialect) -> str:
    """Render large communities as triples, in numeric order."""
    triples = ", ".join(
        f"[ {administrator}, {first} , {second} ]" for administrator, first, second in sorted(attribute.values)
    )
    return f'"large-community": [ {triples} ]'


def extended(key: str, text: Callable[[bytes], str], values: Iterable[bytes]) -> str:
    """Render extended communities as numbers with text, in numeric order."""
    entries = ", ".join(
        f'{{ "value": {int.from_bytes(value, "big")}, "string": {quote(text(value))} }}' for value in sorted(values)
    )
    return f'"{key}": [ {entries} ]'


def cluster_list(attribute: ClusterList, dialect: Dialect) -> str:
    """Render CLUSTER_LIST, nearest reflector first."""
    addresses = ", ".join(f'"{address_text(address)}"' for address in attribute.addresses)
    return f'"cluster-list": [ {addresses} ]'


def generic(code: int, flags: int, data: bytes) -> str:
    """Render an attribute as octets under a key of its code and flags."""
    return f'"attribute-0x{code:02X}-0x{generic_flags(flags):02X}": "0x{data.hex()}"'


def unknown(attribute: UnknownAttribute, dialect: Dialect) -> str:
    """Render an attribute that we do not know."""
    return generic(attribute.code, attribute.flags, attribute.data)


def without_key(attribute: Attribute, dialect: Dialect) -> str:
    """Render an attribute that we know and for which helpers expect no key: as ExaBGP does, by its octets."""
    octets = attribute.encode(WIDE)
    return generic(attribute.CODE, framed_flags(attribute, octets), octets)


def nothing(attribute: Attribute, dialect: Dialect) -> str:
    """Render nothing."""
    return ""


ROWS: dict[type[Attribute], Row] = {
    Origin: origin,
    AsPath: lambda attribute, dialect: as_path(attribute.segments, dialect),
    As4Path: nothing,
    NextHop: nothing,
    Med: lambda attribute, _: f'"med": {attribute.value}',
    LocalPref: lambda attribute, _: f'"local-preference": {attribute.value}',
    AtomicAggregate: lambda attribute, _: '"atomic-aggregate": true',
    Aggregator: lambda attribute, _: f'"aggregator": "{aggregator_text(attribute)}"',
    As4Aggregator: nothing,
    Communities: lambda attribute, _: communities(attribute.values),
    OriginatorId: lambda attribute, _: f'"originator-id": "{address_text(attribute.address)}"',
    ClusterList: cluster_list,
    ExtendedCommunities: lambda attribute, _: extended("extended-community", extended_community_json, attribute.values),
    Ipv6ExtendedCommunities: lambda attribute, _: extended(
        "extended-community-ipv6", ipv6_extended_community_json, attribute.values
    ),
    LargeCommunities: large_communities,
    Aigp: lambda attribute, _: f'"aigp": "{aigp_text(attribute)}"',
    PmsiTunnel: lambda attribute, _: f'"pmsi": "{pmsi_text(attribute)}"',
    PrefixSid: lambda attribute, _: f'"bgp-prefix-sid": {members_json(attribute.as_pairs(), False)}',
    LinkState: lambda attribute, dialect: f'"bgp-ls": {members_json(attribute.as_pairs(), dialect.listed_members)}',
    TunnelEncapsulation: without_key,
    OnlyToCustomer: without_key,
    AttrSet: without_key,
    UnknownAttribute: unknown,
}

ERROR = '"error": "treat-as-withdraw"'
DISCARD = '"error": "discard"'


def attribute_json(attribute: Attribute, dialect: Dialect) -> str:
    """Render one attribute as members; nothing where it has none."""
    return ROWS[type(attribute)](attribute, dialect)


def judged_json(code: int, data: bytes, dialect: Dialect, negotiated: Negotiated) -> str:
    """Render the value of an attribute that was judged before, with 4-octet AS numbers.

    The two that are new in nearly every UPDATE of a full table are not judged again by becoming values.
    """
    if code == AsPath.CODE:
        return as_path(read_segments(data, asn4=True), dialect)
    if code == Communities.CODE:
        return communities(unpack(f"!{len(data) // 4}I", data))
    return attribute_json(ATTRIBUTES[code].attribute.decode(data, negotiated), dialect)


def attributes_json(attributes: Iterable[Attribute], verdict: str, dialect: Dialect) -> str:
    """Render the `attribute` object of an event; `verdict` is an `error` member or empty."""
    members = [text for attribute in attributes if (text := attribute_json(attribute, dialect))]
    if verdict:
        members.append(verdict)
    return joined(members)


def joined(members: list[str]) -> str:
    """Return the `attribute` object of these members."""
    return f"{{ {', '.join(members)} }}"
