"""Multicast VPN routes (RFC 6514 section 4): `source-ad`, `shared-join`, `source-join`."""

from __future__ import annotations

from apid.grammar.draft import Draft, Setter, octets_setter, read_draft
from apid.grammar.values import asn_value, read
from apid.grammar.words import GrammarError, Words, unknown_word
from bgp.family import AFI, SAFI, Family
from bgp.nlri import NLRI, SharedTreeJoin, SourceActive, SourceTreeJoin


def _source_as(words: Words, draft: Draft) -> None:
    draft.numbers.setdefault("source-as", read(words, "AS number", asn_value))


KINDS = ("source-ad", "shared-join", "source-join")
KEYWORDS: dict[str, Setter] = {
    "source": octets_setter("source"),
    "rp": octets_setter("rp"),
    "group": octets_setter("group"),
    "source-as": _source_as,
}


def read_multicast_vpn(words: Words, draft: Draft, afi: int) -> tuple[Family, tuple[bytes, ...]]:
    """Read what follows `mcast-vpn` into family and items."""
    token = words.token("kind of multicast route")
    if token.text not in KINDS:
        raise GrammarError(unknown_word(token.text, KINDS, "multicast route"), token)
    read_draft(words, draft, KEYWORDS)
    draft.need_next_hop(words)
    family = Family(afi, SAFI.MCAST_VPN)
    size = 4 if afi == AFI.IPV4 else 16
    for keyword, octets in draft.octets.items():
        if len(octets) != size:
            raise GrammarError(f"{keyword} is not an {family.afi_name} address", token)
    return family, (_nlri(token.text, family, words, draft).item(),)


def _nlri(kind: str, family: Family, words: Words, draft: Draft) -> NLRI:
    rd = draft.need_rd(words)
    group = draft.address("group", words)
    if kind == "source-ad":
        source = draft.address("source", words)
        return SourceActive(family=family, path_id=draft.path_id, rd=rd, source=source, group=group)
    source_as = draft.number("source-as", words)
    join, keyword = (SharedTreeJoin, "rp") if kind == "shared-join" else (SourceTreeJoin, "source")
    source = draft.address(keyword, words)
    return join(family=family, path_id=draft.path_id, rd=rd, source_as=source_as, source=source, group=group)
