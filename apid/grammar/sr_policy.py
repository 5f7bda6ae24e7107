"""Segment routing policies (RFC 9830): NLRI and the tunnel encapsulation attribute that holds the path.

    sr-policy distinguisher N color N endpoint IP next-hop IP preference N
        [binding-sid mpls N | srv6-binding-sid IP6 [endpoint-behavior N]] [priority N]
        [explicit-null ipv4|ipv6|both|none]
        segment-list weight N segment type-a mpls N segment type-b srv6 IP6 [endpoint-behavior N] …
        [policy-name S] [candidate-path-name S]

Several `segment-list`s may follow each other. Segments of types C to K (RFC 9831) are an address, or two, local
first, `interface N` behind each address that has one, then `algorithm N` and the SID, both optional:

    segment type-c 192.0.2.1 algorithm 128 mpls 16001
    segment type-e 192.0.2.1 interface 5
    segment type-j 2001:db8::1 interface 5 2001:db8::2 interface 6 srv6 2001:db8:5::1 endpoint-behavior 0x30
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from apid.grammar.draft import Draft, Setter, number_setter, octets_setter, read_draft
from apid.grammar.values import MAXIMUM_32, any_number, ipv4_value, ipv6_value, label_value, number, read
from apid.grammar.words import GrammarError, Words, unknown_word
from bgp.attribute.tunnel import TunnelEncapsulation
from bgp.attribute.tunnel_behavior import EndpointBehavior
from bgp.attribute.tunnel_segment import Segment, SegmentA, SegmentB, SegmentList
from bgp.attribute.tunnel_segment_address import LAYOUTS, SRV6_SID, AddressSegment
from bgp.attribute.tunnel_sr_policy import BindingSid, SrPolicyPath, Srv6BindingSid
from bgp.family import SAFI, Family
from bgp.nlri import SrPolicy

LONGEST_NAME = 255
EXPLICIT_NULL = {"ipv4": 1, "ipv6": 2, "both": 3, "none": 4}  # RFC 9830 section 2.4.5
_ADDRESS_TYPES = {f"type-{layout.letter.lower()}": kind for kind, layout in LAYOUTS.items()}
_SEGMENT_TYPES = ("type-a", "type-b", *_ADDRESS_TYPES)


class Path(Struct):
    """A candidate path while it is read."""

    preference: int | None = None
    priority: int | None = None
    binding_sid: BindingSid | None = None
    srv6_binding_sid: Srv6BindingSid | None = None
    explicit_null: int | None = None
    policy_name: str | None = None
    candidate_path_name: str | None = None
    segment_lists: tuple[SegmentList, ...] = ()

    def finished(self) -> SrPolicyPath:
        """Return the path."""
        return SrPolicyPath(
            preference=self.preference,
            binding_sid=self.binding_sid,
            srv6_binding_sid=self.srv6_binding_sid,
            explicit_null=self.explicit_null,
            priority=self.priority,
            segment_lists=self.segment_lists,
            policy_name=self.policy_name,
            candidate_path_name=self.candidate_path_name,
        )


def read_sr_policy(words: Words, draft: Draft, afi: int) -> tuple[Family, tuple[bytes, ...]]:
    """Read what follows `sr-policy` into family and items."""
    path = Path()
    read_draft(words, draft, _KEYWORDS | {word: _into(path, setter) for word, setter in _PATH_KEYWORDS.items()})
    draft.need_next_hop(words)
    family = Family(afi, SAFI.SR_POLICY)
    nlri = SrPolicy(
        family=family,
        path_id=draft.path_id,
        distinguisher=draft.number("distinguisher", words),
        color=draft.number("color", words),
        endpoint=draft.address("endpoint", words),
    )
    if not draft.withdraw:
        draft.add((TunnelEncapsulation((path.finished().tunnel(),)),))
    return family, (nlri.item(),)


def _into(path: Path, setter: Callable[[Words, Path], None]) -> Setter:
    """Make a draft's setter of a path's."""
    return lambda words, draft: setter(words, path)


def _preference(words: Words, path: Path) -> None:
    path.preference = read(words, "preference", number("preference"))


def _priority(words: Words, path: Path) -> None:
    path.priority = read(words, "priority", number("priority", 255))


def _binding_sid(words: Words, path: Path) -> None:
    words.expect("mpls")
    path.binding_sid = BindingSid.of_label(read(words, "label", label_value))


def _srv6_binding_sid(words: Words, path: Path) -> None:
    path.srv6_binding_sid = Srv6BindingSid(read(words, "SRv6 SID", ipv6_value), endpoint=_endpoint_behavior(words))


def _explicit_null(words: Words, path: Path) -> None:
    path.explicit_null = read(words, "ipv4, ipv6, both or none", _explicit_null_value)


def _explicit_null_value(text: str) -> int:
    if text not in EXPLICIT_NULL:
        raise ValueError(unknown_word(text, EXPLICIT_NULL, "explicit null label policy"))
    return EXPLICIT_NULL[text]


def _policy_name(words: Words, path: Path) -> None:
    path.policy_name = read(words, "name", _name)


def _candidate_path_name(words: Words, path: Path) -> None:
    path.candidate_path_name = read(words, "name", _name)


def _name(text: str) -> str:
    if not 0 < len(text.encode()) <= LONGEST_NAME:
        raise ValueError(f"name '{text}' does not have 1..{LONGEST_NAME} octets")
    return text


def _segment_list(words: Words, path: Path) -> None:
    """Read `[weight N] segment …`."""
    weight = read(words, "weight", number("weight")) if words.accept("weight") else None
    segments: list[Segment] = []
    while words.accept("segment"):
        token = words.token("segment type")
        if token.text == "type-a":
            words.expect("mpls")
            segments.append(SegmentA.of_label(read(words, "label", label_value)))
        elif token.text == "type-b":
            words.expect("srv6")
            sid = read(words, "SRv6 SID", ipv6_value)
            segments.append(SegmentB(sid, endpoint=_endpoint_behavior(words)))
        elif token.text in _ADDRESS_TYPES:
            segments.append(_address_segment(words, _ADDRESS_TYPES[token.text]))
        else:
            raise GrammarError(unknown_word(token.text, _SEGMENT_TYPES, "segment type"), token)
    path.segment_lists += (SegmentList(tuple(segments), weight),)


def _endpoint_behavior(words: Words) -> EndpointBehavior | None:
    """Read `endpoint-behavior N` where it is there."""
    if not words.accept("endpoint-behavior"):
        return None
    return EndpointBehavior(read(words, "endpoint behavior", any_number("endpoint behavior", 0xFFFF)))


def _address_segment(words: Words, kind: int) -> AddressSegment:
    """Read addresses, interfaces, algorithm and SID of a segment of types C to K."""
    layout = LAYOUTS[kind]
    addresses, interfaces = [], []
    for interface in layout.interfaces:
        addresses.append(read(words, "IP address", ipv4_value if layout.address == 4 else ipv6_value))
        if interface:
            words.expect("interface")
            interfaces.append(read(words, "interface", number("interface")))
    algorithm = None
    if layout.algorithm and words.accept("algorithm"):
        algorithm = read(words, "algorithm", number("algorithm", 255))
    sid, endpoint = b"", None
    if layout.sid == SRV6_SID and words.accept("srv6"):
        sid = read(words, "SRv6 SID", ipv6_value)
        endpoint = _endpoint_behavior(words)
    elif layout.sid != SRV6_SID and words.accept("mpls"):
        sid = BindingSid.of_label(read(words, "label", label_value)).sid
    return AddressSegment(kind, tuple(addresses), tuple(interfaces), algorithm, sid, endpoint)


_KEYWORDS: dict[str, Setter] = {
    "distinguisher": number_setter("distinguisher", MAXIMUM_32),
    "color": number_setter("color", MAXIMUM_32),
    "endpoint": octets_setter("endpoint"),
}
_PATH_KEYWORDS: dict[str, Callable[[Words, Path], None]] = {
    "preference": _preference,
    "priority": _priority,
    "binding-sid": _binding_sid,
    "srv6-binding-sid": _srv6_binding_sid,
    "explicit-null": _explicit_null,
    "policy-name": _policy_name,
    "candidate-path-name": _candidate_path_name,
    "segment-list": _segment_list,
}
