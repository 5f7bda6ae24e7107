"""FlowSpec rules: what they match and what they do (RFC 8955, RFC 8956)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from apid.grammar.draft import Draft, is_keyword, read_keyword, read_lease
from apid.grammar.extended_community import (
    interface_set_value,
    mark_value,
    rate_value,
    redirect_to_address,
    redirect_to_next_hop,
    redirect_value,
    traffic_action_value,
)
from apid.grammar.flow_names import (
    FRAGMENTS,
    ICMP_CODES,
    ICMP_TYPES,
    NO_NAMES,
    PROTOCOLS,
    TCP_FLAGS,
    service_port,
)
from apid.grammar.values import address_value, any_number, digits, next_hop_value, prefix_value, read, read_list
from apid.grammar.words import GrammarError, Words, read_block, read_row, unknown_word
from bgp.family import AFI, SAFI, Family
from bgp.nlri import Component, Flow, FlowKind, OperatorComponent, PrefixComponent, Term

AND = 0x40
NUMERIC_OPERATORS = {
    "=": 1,
    ">": 2,
    ">=": 3,
    "<": 4,
    "<=": 5,
    "!=": 6,
    "": 1,
}
BITMASK_OPERATORS = {"": 0, "=": 1, "!": 2, "!=": 3}
ALWAYS_FALSE, ALWAYS_TRUE = 0, 7

_OPERATOR = re.compile(r"(!=|<=|>=|[=<>!]?)(.*)", re.DOTALL)


class Match(Struct, frozen=True):
    """A keyword of `match`: the component's type, its names, its range, and the AFI that it asks for, if any."""

    kind: int
    maximum: int
    names: Mapping[str, int]
    help: str
    service: bool = False
    bitmask: bool = False
    afi: int | None = None


MATCHES: dict[str, Match] = {
    "protocol": Match(FlowKind.PROTOCOL, 0xFF, PROTOCOLS, "IP protocol"),
    "next-header": Match(FlowKind.PROTOCOL, 0xFF, PROTOCOLS, "the same, as IPv6 calls it"),
    "port": Match(FlowKind.PORT, 0xFFFF, NO_NAMES, "source or destination port", service=True),
    "destination-port": Match(FlowKind.DESTINATION_PORT, 0xFFFF, NO_NAMES, "destination port", service=True),
    "source-port": Match(FlowKind.SOURCE_PORT, 0xFFFF, NO_NAMES, "source port", service=True),
    "icmp-type": Match(FlowKind.ICMP_TYPE, 0xFF, ICMP_TYPES, "ICMP type"),
    "icmp-code": Match(FlowKind.ICMP_CODE, 0xFF, ICMP_CODES, "ICMP code"),
    "tcp-flags": Match(FlowKind.TCP_FLAGS, 0xFFFF, TCP_FLAGS, "TCP flags", bitmask=True),
    "packet-length": Match(FlowKind.PACKET_LENGTH, 0xFFFF, NO_NAMES, "length of the IP packet in octets"),
    "dscp": Match(FlowKind.DSCP, 0x3F, NO_NAMES, "DSCP"),
    "traffic-class": Match(FlowKind.DSCP, 0xFF, NO_NAMES, "the same, as IPv6 calls it"),
    "fragment": Match(FlowKind.FRAGMENT, 0xFF, FRAGMENTS, "fragmentation", bitmask=True),
    "flow-label": Match(FlowKind.FLOW_LABEL, 0xFFFFF, NO_NAMES, "flow label of IPv6", afi=AFI.IPV6),
}
PREFIX_MATCHES: dict[str, tuple[int, int | None]] = {
    "destination": (FlowKind.DESTINATION, None),
    "destination-ipv4": (FlowKind.DESTINATION, AFI.IPV4),
    "destination-ipv6": (FlowKind.DESTINATION, AFI.IPV6),
    "source": (FlowKind.SOURCE, None),
    "source-ipv4": (FlowKind.SOURCE, AFI.IPV4),
    "source-ipv6": (FlowKind.SOURCE, AFI.IPV6),
}


class Rule(Struct):
    """The match of a rule while it is read: a component for each type, and the AFI once it is known."""

    afi: int | None = None
    prefixes: dict[int, PrefixComponent] = field(default_factory=dict)
    terms: dict[int, list[Term]] = field(default_factory=dict)

    def of_family(self, afi: int, words: Words) -> None:
        """Settle the AFI, or raise where the rule is of the other one."""
        if self.afi not in (None, afi):
            raise words.wrong("a rule matches IPv4 or IPv6, not both")
        self.afi = afi

    def components(self) -> tuple[Component, ...]:
        """Return the components in the order of the wire."""
        found: dict[int, Component] = dict(self.prefixes)
        for kind, terms in self.terms.items():
            found[kind] = OperatorComponent(kind, tuple(terms))
        return tuple(found[kind] for kind in sorted(found))

    def item(self, draft: Draft, words: Words) -> tuple[Family, bytes]:
        """Return family and item, or raise where nothing is matched or it cannot be put on the wire."""
        if not self.prefixes and not self.terms:
            raise GrammarError("a rule matches something: 'match' is empty", words.last())
        safi = SAFI.FLOW if draft.rd is None else SAFI.FLOW_VPN
        family = Family(self.afi or AFI.IPV4, safi)
        try:
            flow = Flow(family=family, path_id=draft.path_id, rd=draft.rd, components=self.components())
        except ValueError as error:
            raise GrammarError(str(error), words.last()) from None
        return family, flow.item()


def read_match(words: Words, rule: Rule) -> bool:
    """Read one component if the next word is one."""
    keyword = words.peek()
    if keyword in PREFIX_MATCHES:
        words.next(keyword)
        _read_prefix(words, rule, *PREFIX_MATCHES[keyword])
    elif keyword in MATCHES:
        words.next(keyword)
        match = MATCHES[keyword]
        if match.afi is not None:
            rule.of_family(match.afi, words)
        for terms in read_list(words, f"value of {keyword}", lambda text: _terms(text, keyword, match)):
            rule.terms.setdefault(match.kind, []).extend(terms)
        if match.kind not in rule.terms:
            raise words.wrong(f"{keyword} has at least one value")
    else:
        return False
    return True


def _read_prefix(words: Words, rule: Rule, kind: int, afi: int | None) -> None:
    """Read `prefix/length`, with `/offset` after it in IPv6. Host bits are cleared."""

    def convert(text: str) -> PrefixComponent:
        offset_text = ""
        prefix_text = text
        if ":" in text and text.count("/") == 2:
            prefix_text, _, offset_text = text.rpartition("/")
        address, length = prefix_value(prefix_text, mask=True)
        offset = any_number("prefix offset", 128)(offset_text) if offset_text else 0
        if offset:
            if offset >= length:
                raise ValueError(f"offset of '{text}' is not below its length {length}")
            kept = int.from_bytes(address, "big") & ((1 << (128 - offset)) - 1)
            address = kept.to_bytes(16, "big")
        return PrefixComponent(kind, length, offset, address)

    component = read(words, "prefix", convert)
    found = AFI.IPV6 if component.ipv6 else AFI.IPV4
    if afi is not None and afi != found:
        raise words.wrong(f"'{words.last()}' is not an {'IPv4' if afi == AFI.IPV4 else 'IPv6'} prefix")
    rule.of_family(found, words)
    if kind in rule.prefixes:
        raise words.wrong(f"'{words.last()}' is a second prefix where a rule has one (RFC 8955 section 4.2)")
    rule.prefixes[kind] = component


def _terms(text: str, keyword: str, match: Match) -> list[Term]:
    """Convert `>8000&<9000` and the like: terms joined by AND."""
    terms = []
    for position, part in enumerate(text.split("&")):
        operator, value = (_bitmask if match.bitmask else _numeric)(part, keyword, match)
        terms.append(Term(operator | (AND if position else 0), value))
    return terms


def _numeric(text: str, keyword: str, match: Match) -> tuple[int, int]:
    if text == "true":
        return ALWAYS_TRUE, 0
    if text == "false":
        return ALWAYS_FALSE, 0
    found = _OPERATOR.fullmatch(text)
    sign, value = found.groups() if found else ("", text)
    if sign not in NUMERIC_OPERATORS:
        raise ValueError(f"{keyword} '{text}' needs one of the operators = > < >= <= !=")
    return NUMERIC_OPERATORS[sign], _value(value, keyword, match)


def _bitmask(text: str, keyword: str, match: Match) -> tuple[int, int]:
    found = _OPERATOR.fullmatch(text)
    sign, value = found.groups() if found else ("", text)
    if sign not in BITMASK_OPERATORS:
        raise ValueError(f"{keyword} '{text}' needs one of the operators = ! !=")
    bits = 0
    for name in value.split("+"):
        bits |= _value(name, keyword, match)
    return BITMASK_OPERATORS[sign], bits


def _value(text: str, keyword: str, match: Match) -> int:
    """Convert a number or a name."""
    if not text:
        raise ValueError(f"{keyword} has an operator without a value after it")
    known = match.names.get(text.lower())
    if known is not None:
        return known
    if digits(text) or text[:2].lower() == "0x":
        return any_number(keyword, match.maximum)(text)
    if match.service:
        port = service_port(text)
        if port is not None:
            return port
    if match.names:
        raise ValueError(unknown_word(text, (f"0..{match.maximum}", *match.names), keyword))
    raise ValueError(f"{keyword} '{text}' is not a number" + (" or a service" if match.service else ""))


def _rate_limit(words: Words, draft: Draft) -> None:
    rate = words.token("rate")
    unit = words.next("unit") if words.peek() in ("bytes", "packets") else "bytes"
    try:
        draft.communities.append(rate_value(rate.text, unit))
    except ValueError as error:
        raise GrammarError(str(error), rate) from None


def _next_hop(words: Words, draft: Draft) -> None:
    draft.next_hop = read(words, "IP address or self", next_hop_value)


def _redirect(words: Words, draft: Draft) -> None:
    """Read `A:B`, which names a VRF and needs no next hop, or an address, which becomes the next hop."""
    token = words.token("A:B or IP address")
    text = token.text
    if text == "[":
        text = words.next("IPv6 address")
        words.expect("]")
        if words.peek().startswith(":"):
            text = f"[{text}]{words.next('number')}"
    try:
        if _is_address(text):
            draft.next_hop = address_value(text)
            draft.communities.append(redirect_to_next_hop())
        else:
            draft.communities.append(redirect_value(text))
            if _TO_NEXT_HOP.isdisjoint(draft.communities):
                draft.next_hop = None
    except ValueError as error:
        raise GrammarError(str(error), token) from None


def _is_address(text: str) -> bool:
    """Tell an address from `A:B`."""
    if "]" in text:
        return False
    return text.count(":") >= 2 or (text.count(".") == 3 and ":" not in text)


def _copy(words: Words, draft: Draft) -> None:
    draft.next_hop = read(words, "IP address", address_value)
    draft.communities.append(redirect_to_next_hop(copy=True))


def _redirect_ietf(words: Words, draft: Draft) -> None:
    draft.communities.append(redirect_to_address(read(words, "IP address", address_value)))


def _discard(words: Words, draft: Draft) -> None:
    draft.communities.append(rate_value("0"))


def _interface_set(words: Words, draft: Draft) -> None:
    draft.communities.extend(read_list(words, "interface set", interface_set_value))


ACTIONS: dict[str, tuple[Callable[[Words, Draft], None], str, str]] = {
    "accept": (lambda words, draft: None, "", "nothing: the rule only matches"),
    "discard": (_discard, "", "drop: a rate of 0"),
    "rate-limit": (
        _rate_limit,
        "N [bytes|packets]",
        "let at most N bytes or packets pass in a second; more than 10^12 is 10^12",
    ),
    "redirect": (_redirect, "ASN:N | IP:N | IP", "send to the VRF of a route target, or to an address"),
    "redirect-to-nexthop": (
        lambda words, draft: draft.communities.append(redirect_to_next_hop()),
        "",
        "send to the next hop that the rule has (`next-hop IP`)",
    ),
    "redirect-to-nexthop-ietf": (
        _redirect_ietf,
        "IP",
        "send to an address, in the way of draft-ietf-idr-flowspec-redirect-ip",
    ),
    "copy": (_copy, "IP", "send a copy to an address"),
    "mark": (
        lambda words, draft: draft.communities.append(read(words, "DSCP", mark_value)),
        "0..63",
        "set the DSCP",
    ),
    "action": (
        lambda words, draft: draft.communities.append(read(words, "action", traffic_action_value)),
        "sample|terminal|sample-terminal",
        "sample, go on to further rules, or both",
    ),
}
SCOPES: dict[str, Callable[[Words, Draft], None]] = {"interface-set": _interface_set}
# Of the words that say a next hop the last counts: here, unlike in other routes, an action says one, too.
_SETTERS = {name: action[0] for name, action in ACTIONS.items()} | SCOPES | {"next-hop": _next_hop}
_TO_NEXT_HOP = {redirect_to_next_hop(), redirect_to_next_hop(copy=True)}


def read_rule(words: Words, draft: Draft) -> Rule:
    """Read what follows `route`: a block with an optional name before it, or everything in a row."""
    rule = Rule()
    in_block = words.accept("{")
    if not in_block and words and words.peek() not in _WORDS:
        draft.name = words.next("name of the rule")
        in_block = words.accept("{")
        if not in_block:
            raise GrammarError(unknown_word(draft.name, _WORDS, "match or action", USUAL), words.last())
    if in_block:
        _read_block(words, draft, rule)
        read_lease(words, draft)
    else:
        read_row(words, lambda: _read_one(words, draft, rule), lambda word: word in _WORDS or is_keyword(word))
    words.accept(";")
    return rule


def _read_one(words: Words, draft: Draft, rule: Rule) -> None:
    """Read a match, an action or an attribute of a rule in a row."""
    if not read_match(words, rule):
        read_keyword(words, draft, _SETTERS)


USUAL = "destination, source, protocol, port or another match, or an action such as discard, rate-limit, redirect"
_WORDS = {
    *MATCHES,
    *PREFIX_MATCHES,
    *_SETTERS,
    "rd",
    "route-distinguisher",
    "community",
    "large-community",
    "extended-community",
    "path-information",
    "watchdog",
    "name",
    "ttl",
}


def _read_block(words: Words, draft: Draft, rule: Rule) -> None:
    """Read `[rd R;] [next-hop IP;] match { … } [scope { … }] [then { … }] }`."""

    def statement() -> None:
        if words.accept("match"):
            _read_section(words, lambda: _read_one_match(words, rule))
        elif words.accept("then"):
            _read_section(words, lambda: read_keyword(words, draft, _SETTERS))
        elif words.accept("scope"):
            _read_section(words, lambda: _read_scope(words, draft))
        elif words.peek() == "{":
            raise GrammarError("'match', 'scope' or 'then' expected, not '{'", words.token("match"))
        else:
            read_keyword(words, draft, _SETTERS)
            words.expect(";")

    read_block(words, statement)


def _read_section(words: Words, read: Callable[[], None]) -> None:
    """Read `{ STATEMENT; … }`, what stands before each `;` by `read`."""

    def statement() -> None:
        read()
        words.expect(";")

    words.expect("{")
    read_block(words, statement)


def _read_one_match(words: Words, rule: Rule) -> None:
    if not read_match(words, rule):
        token = words.token("match")
        raise GrammarError(unknown_word(token.text, {*MATCHES, *PREFIX_MATCHES}, "match"), token)


def _read_scope(words: Words, draft: Draft) -> None:
    token = words.token("scope")
    if token.text not in SCOPES:
        raise GrammarError(unknown_word(token.text, SCOPES, "scope"), token)
    SCOPES[token.text](words, draft)
