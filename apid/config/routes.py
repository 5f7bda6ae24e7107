"""The sections that hold routes: their statements go to the grammar of routes."""

from __future__ import annotations

import re
from collections.abc import Collection
from socket import AF_INET, AF_INET6, inet_pton

from apid.config.reader import Context, end_of
from apid.config.source import Source
from apid.config.tree import Node, Section, Statement
from apid.grammar.route import RouteEntry, parse_entry
from apid.grammar.tail import Tails
from apid.grammar.words import GrammarError, Token, Words
from apid.memory import Memory
from bgp.family import IPV4_UNICAST, IPV6_UNICAST, Family

ANNOUNCE_KINDS = ("ipv4", "ipv6", "l2vpn")
_PLAIN = re.compile(r"(route|unicast)[ \t]+([0-9a-fA-F.:]+)/([0-9]{1,3})[ \t]+([^\"'#\\$\n]*)")
# Section and whether the prefix is IPv6 -> the word that a plain route begins with there.
_PLAIN_KINDS = {
    ("static", False): "route",
    ("static", True): "route",
    ("announce ipv4", False): "unicast",
    ("announce ipv6", True): "unicast",
}
_NOT_PLAIN = ("", "", "", "")
_NO_PATH_ID = bytes(4)
_MULTICAST = {4: b"\xe0", 16: b"\xff"}  # 224.0.0.0/4 and what follows, ff00::/8


class Routes:
    """The routes of one neighbor or template, and where each stands."""

    __slots__ = ("_known", "_l2vpn_end", "_tails", "entries", "places")

    def __init__(self) -> None:
        self.entries: list[RouteEntry] = []
        self.places: list[tuple[Source, int]] = []
        self._l2vpn_end = 0  # the end of the last `l2vpn` section among the routes
        self._known = Memory[tuple[str, Family], RouteEntry]()
        self._tails = Tails()

    def read(self, kind: str, node: Node) -> None:
        """Read the routes of one statement or block; raise `GrammarError`."""
        if isinstance(node, Section):
            self._add(parse_entry(kind, Words(node.block_tokens())), node)
            return
        source = node.source
        match = _PLAIN.fullmatch(source.text, node.start, node.end)
        word, address, length, tail = match.groups() if match is not None else _NOT_PLAIN
        if word != _PLAIN_KINDS.get((kind, ":" in address)):
            self._add(parse_entry(kind, Words(node.tokens(), end_of(node))), node)
            return
        family = IPV6_UNICAST if ":" in address else IPV4_UNICAST
        item = _item(address, int(length))
        entry = self._plain(tail, family, item) if item is not None else None
        if entry is not None:
            self._add((entry,), node)
            return
        entries = parse_entry(kind, Words(node.tokens(), end_of(node)))
        self._add(entries, node)
        self._remember(tail, family, item, entries)

    def end_l2vpn(self) -> None:
        """Note that an `l2vpn` section ends here."""
        self._l2vpn_end = len(self.entries)

    def order(self) -> None:
        """Put what stands behind the last `l2vpn` section before all else: the order in which ExaBGP sends."""
        end = self._l2vpn_end
        self.entries = self.entries[end:] + self.entries[:end]
        self.places = self.places[end:] + self.places[:end]

    def merge(self, other: Routes) -> None:
        """Append the routes of a template."""
        self.entries += other.entries
        self.places += other.places

    def _add(self, entries: Collection[RouteEntry], node: Node) -> None:
        self.entries += entries
        self.places += [(node.source, node.start)] * len(entries)

    def _plain(self, tail: str, family: Family, item: bytes) -> RouteEntry | None:
        """Return the route of a prefix, if what follows the prefix is known or simple.

        100,000 routes take 0.4 s so where their attributes repeat, 1.2 s where all differ; word by word 5 s.
        """
        like = self._known.known.get((tail, family))
        if like is not None:
            item = like.items[0][:4] + item
            return RouteEntry(family, like.attributes, (item,), like.watchdog, like.withdrawn, like.name)
        simple = self._tails.read(tail)
        if simple is None or simple[2]:
            return None
        attributes, path_id, _ = simple
        entry = RouteEntry(family, attributes, ((path_id or _NO_PATH_ID) + item,))
        return self._known.keep((tail, family), entry, len(tail))

    def _remember(self, tail: str, family: Family, item: bytes | None, entries: list[RouteEntry]) -> None:
        """Keep what follows a prefix, if with another prefix it would give the same but for the prefix."""
        if len(entries) != 1 or "split" in tail:
            return
        entry = entries[0]
        if entry.family == family and [each[4:] for each in entry.items] == [item]:
            self._known.keep((tail, family), entry, len(tail))


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
