"""Path attributes from their keywords: the table `ATTRIBUTES`, and what reads each value.

`as-path` takes sequences in `[ ]` and sets in `( )`, as many as there are, and a lone AS number; inside a
sequence a set may be nested in either kind of bracket. Confederation segments (RFC 5065) are spelt out:
`as-path confed-sequence [ 65001 65002 ] [ 3 4 ] confed-set ( 5 6 )`.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from apid.grammar.extended_community import IPV6_OCTETS, extended_community_value, route_target_value
from apid.grammar.prefix_sid import read_prefix_sid, read_srv6_service
from apid.grammar.values import (
    MAXIMUM_16,
    address_value,
    any_number,
    digits,
    hexadecimal_value,
    ipv4_value,
    label_value,
    number,
    number_value,
    read,
    read_list,
    real_asn_value,
)
from apid.grammar.words import GrammarError, Words, unknown_word
from bgp.attribute import ATTRIBUTES as CODECS
from bgp.attribute import (
    Aggregator,
    Aigp,
    AsPath,
    AtomicAggregate,
    Attribute,
    ClusterList,
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
    LocalPref,
    Med,
    OnlyToCustomer,
    Origin,
    OriginatorId,
    PmsiTunnel,
    Segment,
    UnknownAttribute,
)
from bgp.attribute.as_path import AS_CONFED_SEQUENCE, AS_CONFED_SET, AS_SEQUENCE, AS_SET
from bgp.attribute.registry import EXTENDED_LENGTH
from bgp.attribute.walk import MP_REACH_NLRI, MP_UNREACH_NLRI
from bgp.errors import BGPError
from bgp.negotiated import Negotiated

LONGEST_SEGMENT = 255  # RFC 4271 section 4.3: the count is one octet

ORIGINS = {"igp": 0, "egp": 1, "incomplete": 2}
WELL_KNOWN_COMMUNITIES = {
    "no-export": 0xFFFFFF01,
    "no-advertise": 0xFFFFFF02,
    "no-export-subconfed": 0xFFFFFF03,
    "no-peer": 0xFFFFFF04,
    "nopeer": 0xFFFFFF04,
    "blackhole": 0xFFFF029A,
    "graceful-shutdown": 0xFFFF0000,
    "llgr-stale": 0xFFFF0006,
    "no-llgr": 0xFFFF0007,
}
_CONFED_SEGMENTS = {"confed-sequence": AS_CONFED_SEQUENCE, "confed-set": AS_CONFED_SET}
_TUNNEL_KINDS = {"none": 0, "ingress-replication": 6}
_AS4 = Negotiated(asn4=True)
_AS2 = Negotiated(asn4=False)


class AttributeKeyword(Struct, frozen=True):
    """A keyword of the grammar: the attribute's code, its reader, and what `help` and the manual say."""

    code: int
    read: Callable[[Words], tuple[Attribute, ...]]
    syntax: str
    help: str


def read_origin(words: Words) -> tuple[Attribute, ...]:
    """Read `igp`, `egp` or `incomplete`, in any case."""

    def convert(text: str) -> int:
        if text.lower() not in ORIGINS:
            raise ValueError(unknown_word(text, ORIGINS, "origin"))
        return ORIGINS[text.lower()]

    return (Origin(read(words, "igp, egp or incomplete", convert)),)


def read_as_path(words: Words) -> tuple[Attribute, ...]:
    """Read segments; no segments are an explicit empty path."""
    segments: list[Segment] = []
    if words.peek() not in ("[", "(") and words.peek() not in _CONFED_SEGMENTS:
        asns = [read(words, "AS number or '['", real_asn_value)]
        while digits(words.peek().replace(".", "", 1)):
            asns.append(read(words, "AS number", real_asn_value))
        return (AsPath(tuple(_segments(AS_SEQUENCE, asns))),)
    while words:
        kind = _CONFED_SEGMENTS.get(words.peek())
        if kind is not None:
            words.token("segment")
            if words.accept("["):
                segments.extend(_segments(kind, _read_asns(words, "]")))
            else:
                words.expect("(")
                segments.extend(_segments(kind, _read_asns(words, ")")))
        elif words.accept("["):
            segments.extend(_read_sequence(words))
        elif words.accept("("):
            segments.extend(_segments(AS_SET, _read_asns(words, ")")))
        else:
            break
    return (AsPath(tuple(segments)),)


def _read_asns(words: Words, end: str) -> list[int]:
    """Read AS numbers up to the closing bracket."""
    asns = []
    while not words.accept(end):
        if not words.accept(","):
            asns.append(read(words, f"AS number or '{end}'", real_asn_value))
    return asns


def _read_sequence(words: Words) -> list[Segment]:
    """Read what follows `[`: AS numbers, with sets nested among them."""
    segments: list[Segment] = []
    asns: list[int] = []
    while not words.accept("]"):
        if words.accept(","):
            continue
        if words.peek() in ("(", "["):
            end = ")" if words.token("(").text == "(" else "]"
            segments.extend(_segments(AS_SEQUENCE, asns))
            segments.extend(_segments(AS_SET, _read_asns(words, end)))
            asns = []
        else:
            asns.append(read(words, "AS number or ']'", real_asn_value))
    return segments + _segments(AS_SEQUENCE, asns)


def _segments(kind: int, asns: list[int]) -> list[Segment]:
    """Cut AS numbers into segments that the wire can hold."""
    return [
        Segment(kind, tuple(asns[start : start + LONGEST_SEGMENT])) for start in range(0, len(asns), LONGEST_SEGMENT)
    ]


def read_aggregator(words: Words) -> tuple[Attribute, ...]:
    """Read `asn:ip`, with or without parentheses around."""

    def convert(text: str) -> Aggregator:
        asn_text, colon, address_text = text.partition(":")
        if not colon:
            raise ValueError(f"aggregator '{text}' is not of the form ASN:IP")
        return Aggregator(real_asn_value(asn_text), ipv4_value(address_text))

    parenthesis = words.accept("(")
    aggregator = read(words, "ASN:IP", convert)
    if parenthesis:
        words.expect(")")
    return (aggregator,)


def community_value(text: str) -> int:
    """Convert `a:b`, a number, `0x…` or a well-known name to a community (RFC 1997)."""
    high, colon, low = text.partition(":")
    if colon:
        first = number_value(high, f"community '{text}': first half", MAXIMUM_16)
        return first << 16 | number_value(low, f"community '{text}': second half", MAXIMUM_16)
    known = WELL_KNOWN_COMMUNITIES.get(text.lower().replace("_", "-"))
    if known is not None:
        return known
    if not text[:1].isdigit():
        raise ValueError(unknown_word(text, WELL_KNOWN_COMMUNITIES, "community"))
    return any_number("community")(text)


def read_communities(words: Words) -> tuple[Attribute, ...]:
    """Read one or a list; they are sorted on the wire."""
    values = read_list(words, "community", community_value)
    return (Communities(tuple(sorted(values))),) if values else ()


def large_community_value(text: str) -> tuple[int, int, int]:
    """Convert `a:b:c` or one 96-bit number to a large community (RFC 8092)."""
    parts = text.split(":")
    if len(parts) == 3:
        first, second, third = (number_value(part, f"large community '{text}': part") for part in parts)
        return first, second, third
    if len(parts) != 1:
        raise ValueError(f"large community '{text}' is not of the form A:B:C")
    value = any_number("large community", (1 << 96) - 1)(text)
    return value >> 64, value >> 32 & 0xFFFFFFFF, value & 0xFFFFFFFF


def read_large_communities(words: Words) -> tuple[Attribute, ...]:
    """Read one or a list; they are sorted, and each is there once."""
    values = read_list(words, "large community", large_community_value)
    return (LargeCommunities(tuple(sorted(set(values)))),) if values else ()


def extended_communities(values: list[bytes]) -> tuple[Attribute, ...]:
    """Make the attributes for extended communities of 8 and of 20 octets, each sorted."""
    attributes: list[Attribute] = []
    short = tuple(sorted(value for value in values if len(value) != IPV6_OCTETS))
    long = tuple(sorted(value for value in values if len(value) == IPV6_OCTETS))
    if short:
        attributes.append(ExtendedCommunities(short))
    if long:
        attributes.append(Ipv6ExtendedCommunities(long))
    return tuple(attributes)


def read_extended_communities(words: Words) -> tuple[Attribute, ...]:
    """Read one or a list."""
    return extended_communities(read_list(words, "extended community", extended_community_value))


def read_route_targets(words: Words) -> tuple[Attribute, ...]:
    """Read one or a list of `[target:]A:B`."""
    return extended_communities(read_list(words, "route target", route_target_value))


def read_cluster_list(words: Words) -> tuple[Attribute, ...]:
    """Read one or a list of IPv4 addresses, which keep their order."""
    addresses = read_list(words, "cluster identifier", ipv4_value)
    if not addresses:
        raise words.wrong("a cluster-list has at least one cluster identifier")
    return (ClusterList(tuple(addresses)),)


def read_aigp(words: Words) -> tuple[Attribute, ...]:
    """Read the metric, decimal or hexadecimal (RFC 7311)."""
    metric = read(words, "AIGP metric", any_number("aigp", (1 << 64) - 1))
    return (Aigp(((1, metric.to_bytes(8, "big")),)),)


def read_pmsi_tunnel(words: Words) -> tuple[Attribute, ...]:
    """Read `KIND LABEL IP`: the tunnel that an inclusive multicast route needs (RFC 6514 section 5)."""
    kind = read(words, "ingress-replication or none", _tunnel_kind)
    label = read(words, "label", label_value)
    tunnel = b"" if kind == 0 else read(words, "tunnel endpoint", address_value)
    return (PmsiTunnel(0, kind, label << 4, tunnel),)


def _tunnel_kind(text: str) -> int:
    if text not in _TUNNEL_KINDS:
        raise ValueError(unknown_word(text, _TUNNEL_KINDS, "tunnel kind"))
    return _TUNNEL_KINDS[text]


def read_raw_attribute(words: Words) -> tuple[Attribute, ...]:
    """Read `[ 0xCODE 0xFLAGS 0xVALUE ]`; a value that its codec accepts becomes the known attribute."""
    words.expect("[")
    code = read(words, "attribute code", lambda text: hexadecimal_value(text, "attribute code", 1, pad=True))[0]
    if code in (MP_REACH_NLRI, MP_UNREACH_NLRI):
        raise words.wrong(f"attribute {code} is made from the routes and cannot be given")
    flags = read(words, "attribute flags", lambda text: hexadecimal_value(text, "attribute flags", 1, pad=True))[0]
    data = read(words, "attribute value", lambda text: hexadecimal_value(text, "attribute value"))
    words.expect("]")
    return (known_attribute(code, flags, data) or UnknownAttribute(code, flags, data),)


def known_attribute(code: int, flags: int, data: bytes) -> Attribute | None:
    """Decode a raw value whose flags are the attribute's own; None where it has to stay raw.

    AS numbers are looked for in 4 octets, then in 2. A Partial bit that was asked for is kept, so it stays raw.
    """
    row = CODECS.get(code)
    if row is None or flags & ~EXTENDED_LENGTH != row.flags:
        return None
    for context in (_AS4, _AS2):
        try:
            attribute = row.attribute.decode(data, context)
        except (BGPError, ValueError):
            continue
        if attribute.encode(context) == data:
            return attribute
    return None


def _single(make: Callable[[int], Attribute], what: str) -> Callable[[Words], tuple[Attribute, ...]]:
    """Make a reader for an attribute that is one 32-bit number."""
    return lambda words: (make(read(words, what, number(what))),)


ATTRIBUTES: dict[str, AttributeKeyword] = {
    "origin": AttributeKeyword(1, read_origin, "igp|egp|incomplete", "origin, in any case; igp where it is not given"),
    "as-path": AttributeKeyword(
        2,
        read_as_path,
        "ASN | [ ASN… ] ( ASN… ) confed-sequence [ ASN… ] confed-set ( ASN… )",
        "path, sent as it is given: `[ ]` are sequences, `( )` sets; without it our AS for eBGP, nothing for iBGP",
    ),
    "med": AttributeKeyword(4, _single(Med, "med"), "0..4294967295", "multi-exit discriminator"),
    "local-preference": AttributeKeyword(
        5, _single(LocalPref, "local-preference"), "0..4294967295", "preference, sent to iBGP only; 100 there"
    ),
    "atomic-aggregate": AttributeKeyword(6, lambda words: (AtomicAggregate(),), "", "the path was aggregated"),
    "aggregator": AttributeKeyword(7, read_aggregator, "ASN:IP | ( ASN:IP )", "who aggregated it"),
    "community": AttributeKeyword(8, read_communities, "A:B | N | 0xN | NAME | [ … ]", "communities, sorted when sent"),
    "originator-id": AttributeKeyword(
        9,
        lambda words: (OriginatorId(read(words, "IPv4 address", ipv4_value)),),
        "IP",
        "who brought it into the AS (RFC 4456)",
    ),
    "cluster-list": AttributeKeyword(10, read_cluster_list, "IP | [ IP… ]", "the reflectors it passed (RFC 4456)"),
    "extended-community": AttributeKeyword(
        16,
        read_extended_communities,
        "KIND:… | 0x… | [ … ]",
        "extended communities, sorted when sent; several keywords add up",
    ),
    "route-target": AttributeKeyword(
        16, read_route_targets, "A:B | [ A:B… ]", "route targets: extended-community without `target:`"
    ),
    "pmsi-tunnel": AttributeKeyword(
        22,
        read_pmsi_tunnel,
        "ingress-replication LABEL IP | none LABEL",
        "tunnel of EVPN and multicast routes (RFC 6514)",
    ),
    "aigp": AttributeKeyword(
        26, read_aigp, "N | 0x…", "accumulated IGP metric of 64 bits; to iBGP, or with the capability aigp"
    ),
    "large-community": AttributeKeyword(
        32, read_large_communities, "A:B:C | N | [ … ]", "large communities, sorted when sent, each once"
    ),
    "only-to-customer": AttributeKeyword(
        35,
        lambda words: (OnlyToCustomer(read(words, "AS number", real_asn_value)),),
        "ASN",
        "the route may only go to customers (RFC 9234)",
    ),
    "bgp-prefix-sid": AttributeKeyword(
        40, read_prefix_sid, "[ INDEX ] | [ INDEX, [ ( BASE,RANGE ), … ] ]", "label index and blocks (RFC 8669)"
    ),
    "bgp-prefix-sid-srv6": AttributeKeyword(
        40,
        read_srv6_service,
        "( l3-service|l2-service SID [BEHAVIOR [LBL,LNL,FL,AL,TL,TO]] )",
        "SRv6 service SID, with its behavior and structure (RFC 9252)",
    ),
    "attribute": AttributeKeyword(
        0, read_raw_attribute, "[ 0xCODE 0xFLAGS 0xVALUE ]", "any attribute as octets, but for NLRI (14, 15)"
    ),
}


def read_attribute(keyword: str, words: Words) -> tuple[Attribute, ...]:
    """Read the value of a keyword of `ATTRIBUTES`; a value that its class refuses is an error at the word."""
    try:
        return ATTRIBUTES[keyword].read(words)
    except GrammarError:
        raise
    except ValueError as error:
        raise words.wrong(f"{keyword}: {error}") from None
