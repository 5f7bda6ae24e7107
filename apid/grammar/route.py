"""Routes from statements: every form of `route`, `attributes`, `announce { … }`, `flow` and `l2vpn`.

`parse_entry(kind, words)` reads one statement of a section of the configuration, or what follows `announce`
or `withdraw` in a command. What comes out is neutral: it does not depend on any session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from apid.grammar.draft import Draft, read_draft, read_headed
from apid.grammar.evpn import read_evpn
from apid.grammar.flow import read_rule
from apid.grammar.mobile_user_plane import read_mobile_user_plane
from apid.grammar.multicast_vpn import read_multicast_vpn
from apid.grammar.nlri import (
    check_family,
    prefix_family,
    prefix_items,
    raw_items,
    read_family,
    read_prefix,
)
from apid.grammar.route_target import read_route_target
from apid.grammar.sr_policy import read_sr_policy
from apid.grammar.vpls import read_vpls
from apid.grammar.words import GrammarError, Words, together, unknown_word
from bgp.family import AFI, BGP_LS, FLOW_SAFIS, IPV4_MPLS_VPN, IPV6_MPLS_VPN, SAFI, Family


class RouteEntry(NamedTuple):
    """Routes of one family that share everything but their NLRI; a tuple, as there may be a million of them.

    `attributes` is the neutral set (for a withdrawal what it named, which only some families are sent), `items` are
    NLRIs in ADD-PATH form. `withdrawn` is true where a `watchdog` route begins withdrawn; `name` is for people;
    `lease` is the seconds after which the routes end by themselves, 0 for never.
    """

    family: Family
    attributes: bytes
    items: tuple[bytes, ...]
    watchdog: str | None = None
    withdrawn: bool = False
    name: str | None = None
    lease: int = 0


Statement = Callable[[Words, Draft], list[RouteEntry]]
Reader = Callable[[Words, Draft], tuple[Family, tuple[bytes, ...]]]


def parse_entry(kind: str, words: Words, withdraw: bool = False) -> list[RouteEntry]:
    """Read one whole statement of a section; raises `GrammarError` at the word that is wrong.

    `kind` is a key of `STATEMENTS`. With `withdraw` the attributes are read but do not count, and neither
    next hop nor label is needed.
    """
    statements = STATEMENTS[kind]
    token = words.token("statement")
    statement = statements.get(token.text)
    if statement is None:
        raise GrammarError(unknown_word(token.text, statements, f"word in '{kind}'"), token)
    entries = read_entries(statement, words, withdraw)
    if any(each.lease for each in entries):
        raise words.wrong("'ttl' is for commands: nobody would announce a route of the configuration again")
    return entries


def read_entries(statement: Statement, words: Words, withdraw: bool) -> list[RouteEntry]:
    """Read what follows the first word of a statement."""
    try:
        entries = statement(words, Draft(withdraw=withdraw))
    except GrammarError:
        raise
    except ValueError as error:
        raise words.wrong(str(error)) from None
    words.accept(";")
    words.finish()
    return entries


def entry(family: Family, items: tuple[bytes, ...], draft: Draft) -> RouteEntry:
    """Turn a finished draft into an entry."""
    if draft.lease and draft.watchdog is not None:
        raise ValueError("'ttl' and 'watchdog' are given both: a watchdog's route comes and goes with the watchdog")
    return RouteEntry(
        family,
        draft.encode(),
        items,
        watchdog=draft.watchdog,
        withdrawn=draft.withdrawn and draft.watchdog is not None,
        name=draft.name,
        lease=0 if draft.withdraw else draft.lease,
    )


def read_route(words: Words, draft: Draft, family: Family | None = None) -> list[RouteEntry]:
    """Read `PREFIX ATTRIBUTE…` or `PREFIX { ATTRIBUTE; … }`."""
    token, address, length = read_headed(words, draft, lambda: read_prefix(words))
    draft.need_next_hop(words)
    if family is None:
        family = prefix_family(address, draft)
    else:
        check_family(family, token, address, draft)
    return [entry(family, prefix_items(family, token, address, length, draft), draft)]


def read_attributes(words: Words, draft: Draft) -> list[RouteEntry]:
    """Read `ATTRIBUTE… nlri PREFIX PREFIX…`, all of one address family."""
    errors: list[GrammarError] = []
    try:
        read_draft(words, draft, until="nlri")
    except GrammarError as error:
        errors.append(error)
        if words.peek() != "nlri":
            raise
    words.expect("nlri")
    if not errors:
        draft.need_next_hop(words)
    items: dict[Family, list[bytes]] = {}
    size = 0
    bracket = words.accept("[")
    while words and words.peek() not in (";", "]"):
        if words.accept(","):
            continue
        try:
            token, address, length = read_prefix(words)
            if size and len(address) != size:
                raise GrammarError(f"'{token.text}' is not of the same address family as the prefixes before", token)
            size = len(address)
            family = prefix_family(address, draft)
            items.setdefault(family, []).extend(prefix_items(family, token, address, length, draft))
        except GrammarError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    if bracket:
        words.expect("]")
    if not items:
        words.token("prefix")
    return [entry(family, tuple(found), draft) for family, found in items.items()]


def read_flow(words: Words, draft: Draft, afi: int | None = None, vpn: bool = False) -> list[RouteEntry]:
    """Read a rule; `afi` and `vpn` are what the words before it have said."""
    words.accept("route")
    rule = read_rule(words, draft)
    if afi is not None:
        rule.of_family(afi, words)
    if vpn:
        draft.need_rd(words)
    family, item = rule.item(draft, words)
    return [entry(family, (item,), draft)]


def read_raw(words: Words, draft: Draft, family: Family | None = None) -> list[RouteEntry]:
    """Read `AFI SAFI 0x… ATTRIBUTE…`: an NLRI as it stands on the wire."""
    if family is None:
        family = read_family(words)
    token = words.token("NLRI in hexadecimal")
    read_draft(words, draft)
    try:
        items = raw_items(family, token.text, draft)
    except ValueError as error:
        raise GrammarError(f"'{token.text}' is not an NLRI: {error}", token) from None
    if family.safi not in FLOW_SAFIS:
        draft.need_next_hop(words)
    return [entry(family, items, draft)]


def _prefixes(family: Family) -> Statement:
    """Make the statement of a family of prefixes."""
    return lambda words, draft: read_route(words, draft, family)


def _flow(afi: int, vpn: bool = False) -> Statement:
    """Make the statement for rules of one address family."""
    return lambda words, draft: read_flow(words, draft, afi, vpn)


def _one(reader: Reader) -> Statement:
    """Make the statement of a family whose reader gives items."""

    def statement(words: Words, draft: Draft) -> list[RouteEntry]:
        family, items = reader(words, draft)
        return [entry(family, items, draft)]

    return statement


def _of_afi(reader: Callable[[Words, Draft, int], tuple[Family, tuple[bytes, ...]]], afi: int) -> Statement:
    """Make the statement of a family whose reader has to know the AFI."""
    return _one(lambda words, draft: reader(words, draft, afi))


def _announce(afi: int) -> dict[str, Statement]:
    """Return the statements of `announce { ipv4 { … } }` or ipv6."""
    return {
        "unicast": _prefixes(Family(afi, SAFI.UNICAST)),
        "multicast": _prefixes(Family(afi, SAFI.MULTICAST)),
        "nlri-mpls": _prefixes(Family(afi, SAFI.NLRI_MPLS)),
        "labeled-unicast": _prefixes(Family(afi, SAFI.NLRI_MPLS)),
        "mpls-vpn": _prefixes(Family(afi, SAFI.MPLS_VPN)),
        "flow": _flow(afi),
        "flow-vpn": _flow(afi, vpn=True),
        "mcast-vpn": _of_afi(read_multicast_vpn, afi),
        "mup": _of_afi(read_mobile_user_plane, afi),
        "sr-policy": _of_afi(read_sr_policy, afi),
    }


def _bgp_ls(words: Words, draft: Draft) -> list[RouteEntry]:
    """Read `raw 0x…`: BGP-LS is made by routers, so only whole NLRIs can be given."""
    words.expect("raw")
    return read_raw(words, draft, BGP_LS)


_STATIC: dict[str, Statement] = {
    "route": read_route,
    "attributes": read_attributes,
    "attribute": read_attributes,
}
_L2VPN: dict[str, Statement] = {"vpls": _one(read_vpls), "evpn": _one(read_evpn)}
_IPV4 = _announce(AFI.IPV4) | {"rtc": _one(read_route_target)}
_IPV6 = _announce(AFI.IPV6)


def _section(statements: Mapping[str, Statement]) -> Statement:
    """Make the statement that continues with one of others, as in `announce ipv4 unicast …`."""

    def statement(words: Words, draft: Draft) -> list[RouteEntry]:
        token = words.token("address family")
        chosen = statements.get(token.text)
        if chosen is None:
            raise GrammarError(unknown_word(token.text, statements, "family"), token)
        return chosen(words, draft)

    return statement


STATEMENTS: dict[str, dict[str, Statement]] = {
    "static": _STATIC,
    "announce ipv4": _IPV4,
    "announce ipv6": _IPV6,
    "announce l2vpn": _L2VPN,
    "flow": {"route": read_flow},
    "l2vpn": _L2VPN,
    "command": _STATIC
    | _L2VPN
    | {
        "ipv4": _section(_IPV4),
        "ipv6": _section(_IPV6),
        "l2vpn": _section(_L2VPN),
        "flow": read_flow,
        "flowspec": read_flow,
        "vpnv4": _prefixes(IPV4_MPLS_VPN),
        "vpnv6": _prefixes(IPV6_MPLS_VPN),
        "rtc": _one(read_route_target),
        "bgp-ls": _bgp_ls,
        "raw": read_raw,
    },
}
