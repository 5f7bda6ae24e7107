"""Segment routing policies (RFC 9830): NLRI and the tunnel encapsulation attribute that holds the path.

    sr-policy distinguisher N color N endpoint IP next-hop IP preference N
        [binding-sid mpls N | srv6-binding-sid IP6] [priority N]
        segment-list weight N segment type-a mpls N segment type-b srv6 IP6 [endpoint-behavior N] …
        [policy-name S] [candidate-path-name S]

Several `segment-list`s may follow each other. Segments of types C to K (RFC 9831) are not known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apid.grammar.draft import Draft, Setter, number_setter, octets_setter, read_draft
from apid.grammar.values import MAXIMUM_32, any_number, ipv6_value, label_value, number, read
from apid.grammar.words import GrammarError, Words, unknown_word
from bgp.attribute.tunnel import TunnelEncapsulation
from bgp.attribute.tunnel_segment import EndpointBehavior, Segment, SegmentA, SegmentB, SegmentList
from bgp.attribute.tunnel_sr_policy import BindingSid, SrPolicyPath, Srv6BindingSid
from bgp.family import SAFI, Family
from bgp.nlri import SrPolicy

LONGEST_NAME = 255


@dataclass(slots=True)
class Path:
    """A candidate path while it is read."""

    preference: int | None = None
    priority: int | None = None
    binding_sid: BindingSid | None = None
    srv6_binding_sid: Srv6BindingSid | None = None
    policy_name: str | None = None
    candidate_path_name: str | None = None
    segment_lists: tuple[SegmentList, ...] = ()

    def finished(self) -> SrPolicyPath:
        """Return the path."""
        return SrPolicyPath(
            preference=self.preference,
            binding_sid=self.binding_sid,
            srv6_binding_sid=self.srv6_binding_sid,
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
    path.srv6_binding_sid = Srv6BindingSid(read(words, "SRv6 SID", ipv6_value))


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
            segments.append(_srv6_segment(words))
        else:
            raise GrammarError(unknown_word(token.text, ("type-a", "type-b"), "segment type"), token)
    path.segment_lists += (SegmentList(tuple(segments), weight),)


def _srv6_segment(words: Words) -> SegmentB:
    """Read a SID, with its endpoint behavior where it is said."""
    sid = read(words, "SRv6 SID", ipv6_value)
    if not words.accept("endpoint-behavior"):
        return SegmentB(sid)
    behavior = read(words, "endpoint behavior", any_number("endpoint behavior", 0xFFFF))
    return SegmentB(sid, endpoint=EndpointBehavior(behavior))


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
    "policy-name": _policy_name,
    "candidate-path-name": _candidate_path_name,
    "segment-list": _segment_list,
}
