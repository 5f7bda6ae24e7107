"""The sections that hold routes: their statements go to the grammar of routes."""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_pton

from apid.config.reader import Context, end_of
from apid.config.source import Source
from apid.config.tree import Node, Section, Statement
from apid.grammar.route import RouteEntry, parse_entry
from apid.grammar.words import GrammarError, Token, Words
from bgp.family import IPV4_UNICAST, IPV6_UNICAST, Family

ANNOUNCE_KINDS = ("ipv4", "ipv6", "l2vpn")
_REPEATED = re.compile(r"route[ \t]+([0-9a-fA-F.:]+)/([0-9]{1,3})[ \t]+([^\"'#\\$\n]*)")
_MULTICAST = {4: b"\xe0", 16: b"\xff"}  # 224.0.0.0/4 and what follows, ff00::/8


class Routes:
    """The routes of one neighbor or template, and where each family of them first stands."""

    __slots__ = ("_repeated", "entries", "families")

    def __init__(self) -> None:
        self.entries: list[RouteEntry] = []
        self.families: dict[Family, tuple[Source, int]] = {}
        self._repeated: dict[tuple[str, Family], RouteEntry] = {}

    def read(self, kind: str, node: Node) -> None:
        """Read the routes of one statement or block; raise `GrammarError`."""
        if isinstance(node, Section):
            self._add(parse_entry(kind, Words(node.block_tokens())), node)
            return
        source = node.source
        match = _REPEATED.fullmatch(source.text, node.start, node.end) if kind == "static" else None
        if match is None:
            self._add(parse_entry(kind, Words(node.tokens(), end_of(node))), node)
            return
        like = self._repeated.get((match[3], _unicast(match[1])))
        item = _item(match[1], int(match[2])) if like is not None else None
        if like is not None and item is not None:
            # 100,000 routes of few attribute sets: 0.3 s so, 3 s word by word.
            item = like.items[0][:4] + item
            self.entries.append(
                RouteEntry(like.family, like.attributes, (item,), like.watchdog, like.withdrawn, like.name)
            )
            return
        entries = parse_entry(kind, Words(node.tokens(), end_of(node)))
        self._add(entries, node)
        self._remember(match, entries)

    def merge(self, other: Routes) -> None:
        """Append the routes of a template."""
        self.entries += other.entries
        for family, place in other.families.items():
            self.families.setdefault(family, place)

    def _add(self, entries: list[RouteEntry], node: Node) -> None:
        self.entries += entries
        for entry in entries:
            if entry.family not in self.families:
                self.families[entry.family] = (node.source, node.start)

    def _remember(self, match: re.Match[str], entries: list[RouteEntry]) -> None:
        """Keep what follows a prefix, if with another prefix it would give the same but for the prefix."""
        if len(entries) != 1 or "split" in match[3]:
            return
        entry = entries[0]
        item = _item(match[1], int(match[2]))
        if entry.family == _unicast(match[1]) and item is not None and [i[4:] for i in entry.items] == [item]:
            self._repeated[match[3], entry.family] = entry


def _unicast(address: str) -> Family:
    return IPV6_UNICAST if ":" in address else IPV4_UNICAST


def _item(text: str, length: int) -> bytes | None:
    """Encode a unicast prefix as its NLRI; None leaves an odd one to the grammar."""
    try:
        address = inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except OSError:
        return None
    octets = len(address)
    if length > 8 * octets or address >= _MULTICAST[octets]:
        return None
    if int.from_bytes(address, "big") & ((1 << (8 * octets - length)) - 1):
        return None
    return bytes((length,)) + address[: (length + 7) // 8]


def route_section(context: Context, section: Section, tokens: list[Token], kind: str, routes: Routes) -> None:
    """Read every route of a `static`, `flow` or `l2vpn` section, or of one inside `announce`."""
    context.no_words(section, tokens)
    for node in context.files.expand(section.children):
        try:
            routes.read(kind, node)
        except GrammarError as error:
            context.problems.grammar(node.source, node.start, error)


def announce_section(context: Context, section: Section, tokens: list[Token], routes: Routes) -> None:
    """Read `announce { ipv4 { } ipv6 { } l2vpn { } }`."""
    context.no_words(section, tokens)
    for node, words in context.statements(section, "announce", ANNOUNCE_KINDS):
        if isinstance(node, Statement):
            context.unknown(node, words, "announce", ANNOUNCE_KINDS)
        else:
            route_section(context, node, words, f"announce {words[0].text}", routes)
