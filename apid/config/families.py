"""The sections `family`, `add-path` and `nexthop`."""

from __future__ import annotations

from msgspec import Struct

from apid.config.reader import FAILED, Context, guarded
from apid.config.source import Source
from apid.config.tree import Section
from apid.config.values import read_number
from apid.grammar.nlri import AFIS
from apid.grammar.words import GrammarError, Token, Words, unknown_word
from bgp.family import AFI, FAMILIES, SAFI, Family

MOST_PATHS = 0xFFFF  # that a capability can ask for
NEXT_HOP_SAFIS = frozenset((SAFI.UNICAST, SAFI.MULTICAST, SAFI.NLRI_MPLS, SAFI.MPLS_VPN))
_NEXT_HOP_AFIS = {"ipv4": AFI.IPV4, "ipv6": AFI.IPV6}
_SAFI_SYNONYMS = {"labeled-unicast": "nlri-mpls", "flowspec": "flow", "flowspec-vpn": "flow-vpn"}


class FamilyPlace(Struct, frozen=True):
    """A family, or with `afi` a family and the AFI of its next hops, and where it stands.

    limit: paths for a prefix, in `add-path`; 0 for no limit.
    """

    family: Family
    source: Source
    token: Token
    afi: int = 0
    limit: int = 0


def read_family(words: Words) -> Family:
    """Read `AFI SAFI`; the SAFI in any case, as in ExaBGP."""
    afi = words.token(f"an AFI ({', '.join(AFIS)})")
    if afi.text not in AFIS:
        raise GrammarError(unknown_word(afi.text, AFIS, "AFI"), afi)
    safi = words.token(f"a SAFI of {afi.text}")
    name = safi.text.lower()
    family = FAMILIES.get(f"{afi.text} {_SAFI_SYNONYMS.get(name, name)}")
    if family is None:
        known = [str(known).split()[1] for known in FAMILIES.values() if known.afi_name == afi.text]
        raise GrammarError(unknown_word(safi.text, known, f"SAFI of {afi.text}"), safi)
    return family


def _family_alone(words: Words) -> tuple[Family, int]:
    return read_family(words), 0


def _family_and_limit(words: Words) -> tuple[Family, int]:
    """Read `AFI SAFI`, and `limit NUMBER` where it follows."""
    family = read_family(words)
    if not words:
        return family, 0
    words.expect("limit")
    return family, read_number(words.token("a number of paths"), 1, MOST_PATHS)


def _family_and_next_hop(words: Words) -> tuple[Family, int]:
    """Read `AFI SAFI AFI`, the last being that of the next hop (RFC 8950)."""
    family = read_family(words)
    place = words.last()
    if family.afi not in _NEXT_HOP_AFIS.values() or family.safi not in NEXT_HOP_SAFIS:
        raise GrammarError(f"next hops of another family are not defined for {family}", place)
    token = words.token("the AFI of the next hop (ipv4, ipv6)")
    afi = _NEXT_HOP_AFIS.get(token.text)
    if afi is None:
        raise GrammarError(unknown_word(token.text, _NEXT_HOP_AFIS, "AFI of a next hop"), token)
    if afi == family.afi:
        raise GrammarError(f"the next hop of {family} is {token.text} anyway", token)
    return family, afi


def family_section(
    context: Context, section: Section, kind: str, found: list[FamilyPlace], every: dict[str, Token]
) -> None:
    """Read `family` or `add-path` into `found`, and the word `all` into `every` by the section's name.

    A family that is listed twice is an error, as is `all` beside others. Those of a later section replace it, as ExaBGP
    has it.
    """
    earlier = every.get(kind)
    for node, tokens in context.statements(section, kind):
        keyword = tokens[0]
        if keyword.text == "all" and len(tokens) == 1:
            if found:
                context.problems.error(node.source, keyword, "'all' stands alone, without other families")
            every[kind] = keyword
            continue
        entry = guarded(context, node, tokens, _family_and_limit if kind == "add-path" else _family_alone)
        if entry is FAILED:
            continue
        family, limit = entry
        if kind in every and every[kind] is earlier:
            context.problems.warn(node.source, keyword, f"{family} replaces 'all' of line {every.pop(kind).line}")
        elif kind in every:
            context.problems.error(node.source, keyword, f"'all' includes {family}: it stands alone")
        twin = next((place for place in found if place.family == family), None)
        if twin is not None:
            message = f"{family} is listed twice, here and on line {twin.token.line}"
            context.problems.error(node.source, keyword, message)
        else:
            found.append(FamilyPlace(family, node.source, keyword, limit=limit))


def next_hop_section(context: Context, section: Section, found: list[FamilyPlace]) -> None:
    """Read `nexthop` into `found`; repetitions are harmless."""
    for node, tokens in context.statements(section, "nexthop"):
        entry = guarded(context, node, tokens, _family_and_next_hop)
        if entry is FAILED:
            continue
        family, afi = entry
        if not any(place.family == family and place.afi == afi for place in found):
            found.append(FamilyPlace(family, node.source, tokens[0], afi))
