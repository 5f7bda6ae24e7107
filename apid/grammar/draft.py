"""A route while its statement is being read: `Draft` gathers what the words say, keyword by keyword."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from msgspec import Struct, field

from apid.grammar.attributes import ATTRIBUTES, extended_communities, read_attribute
from apid.grammar.values import (
    address_value,
    any_number,
    digits,
    label_value,
    lease_value,
    next_hop_value,
    path_information_value,
    rd_value,
    read,
    read_list,
)
from apid.grammar.words import GrammarError, Words, read_block, read_row, together, unknown_word
from bgp.attribute import Attribute, ExtendedCommunities, Ipv6ExtendedCommunities, NextHop, Origin, UnknownAttribute
from bgp.route import encode_set

ORIGIN_IGP = Origin(0)
EXTENDED_COMMUNITIES = 16

T = TypeVar("T")


class Draft(Struct):
    """What a statement has said so far. Of a word given twice the first counts, but the last of labels, rd, numbers.

    `next_hop` is b"" for `self` and None where not given; `labels` are 20-bit numbers. `numbers` and
    `octets` hold what only one family has, by keyword. `lease` is in seconds, 0 for ever.
    """

    withdraw: bool = False
    next_hop: bytes | None = None
    labels: tuple[int, ...] | None = None
    rd: bytes | None = None
    path_id: int = 0
    name: str | None = None
    watchdog: str | None = None
    withdrawn: bool = False
    split: int | None = None
    lease: int = 0
    attributes: dict[int, Attribute] = field(default_factory=dict)
    communities: list[bytes] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    octets: dict[str, bytes] = field(default_factory=dict)

    def add(self, attributes: Iterable[Attribute]) -> None:
        """Take attributes; extended communities add up, of others the first counts."""
        for attribute in attributes:
            if isinstance(attribute, ExtendedCommunities | Ipv6ExtendedCommunities):
                self.communities.extend(attribute.values)
            elif isinstance(attribute, NextHop):
                self.set_next_hop(attribute.address)
            elif isinstance(attribute, UnknownAttribute):
                self.attributes.setdefault(attribute.code, attribute)
            else:
                self.attributes.setdefault(attribute.CODE, attribute)

    def set_next_hop(self, next_hop: bytes) -> None:
        """Take the next hop unless there is one."""
        if self.next_hop is None:
            self.next_hop = next_hop

    def encode(self) -> bytes:
        """Return the neutral attribute set; nothing for a withdrawal that names no attribute."""
        if self.withdraw and self.next_hop is None and not (self.attributes or self.communities):
            return b""
        attributes = {ORIGIN_IGP.CODE: ORIGIN_IGP} | self.attributes
        raw = attributes.pop(EXTENDED_COMMUNITIES, None) if self.communities else None
        if raw is not None:
            raise ValueError("extended communities are given both raw and by keyword")
        return encode_set((*attributes.values(), *extended_communities(self.communities)), self.next_hop)

    def number(self, keyword: str, words: Words) -> int:
        """Return a number that the family needs, or raise that it is missing."""
        if keyword not in self.numbers:
            raise GrammarError(f"'{keyword}' is missing", words.last())
        return self.numbers[keyword]

    def address(self, keyword: str, words: Words) -> bytes:
        """Return octets that the family needs, or raise that they are missing."""
        if keyword not in self.octets:
            raise GrammarError(f"'{keyword}' is missing", words.last())
        return self.octets[keyword]

    def need_rd(self, words: Words) -> bytes:
        """Return the route distinguisher, or raise that it is missing."""
        if self.rd is None:
            raise GrammarError("'rd' is missing: this route needs a route distinguisher", words.last())
        return self.rd

    def need_next_hop(self, words: Words) -> None:
        """Raise unless an announcement has a next hop."""
        if self.next_hop is None and not self.withdraw:
            raise GrammarError("'next-hop' is missing: an announcement needs it", words.last())


Setter = Callable[[Words, Draft], None]


def number_setter(keyword: str, maximum: int) -> Setter:
    """Make the reader of a keyword that only one family has, with a number."""

    def set_number(words: Words, draft: Draft) -> None:
        draft.numbers[keyword] = read(words, keyword, any_number(keyword, maximum))

    return set_number


def octets_setter(keyword: str, convert: Callable[[str], bytes] = address_value) -> Setter:
    """Make the reader of a keyword that only one family has, with an address or the like."""

    def set_octets(words: Words, draft: Draft) -> None:
        draft.octets.setdefault(keyword, read(words, keyword, convert))

    return set_octets


def _next_hop(words: Words, draft: Draft) -> None:
    draft.set_next_hop(read(words, "IP address or self", next_hop_value))


def _label(words: Words, draft: Draft) -> None:
    labels = read_list(words, "label", label_value)
    if not labels:
        raise words.wrong("a label stack has at least one label")
    draft.labels = tuple(labels)


def _rd(words: Words, draft: Draft) -> None:
    draft.rd = read(words, "route distinguisher", rd_value)


def _path_information(words: Words, draft: Draft) -> None:
    path_id = read(words, "path identifier", path_information_value)
    if not draft.path_id:
        draft.path_id = path_id


def _name(words: Words, draft: Draft) -> None:
    draft.name = words.next("name")


def _watchdog(words: Words, draft: Draft) -> None:
    name = words.next("watchdog name")
    if name in ("announce", "withdraw"):
        raise words.wrong(f"'{name}' cannot be the name of a watchdog")
    draft.watchdog = name


def _withdraw(words: Words, draft: Draft) -> None:
    draft.withdrawn = True


def _split(words: Words, draft: Draft) -> None:
    text = words.next("'/' and a prefix length")
    if not text.startswith("/") or not digits(text[1:]) or not 0 <= int(text[1:4]) <= 128 or len(text) > 4:
        raise words.wrong(f"split '{text}' is not '/' and a prefix length")
    if draft.split is None:
        draft.split = int(text[1:])


def read_lease(words: Words, draft: Draft) -> None:
    """Read `ttl N` where a command has it behind a block."""
    if words.accept("ttl"):
        _lease(words, draft)


def _lease(words: Words, draft: Draft) -> None:
    seconds = read(words, "seconds, or a number with s, m, h or d", lease_value)
    if not draft.lease:
        draft.lease = seconds


ROUTE_KEYWORDS: dict[str, tuple[Setter, str, str]] = {
    "next-hop": (_next_hop, "IP | self", "next hop; `self` is the session's own address. Every announcement needs it"),
    "label": (_label, "0..1048575 | [ N… ]", "MPLS label or label stack: makes it a labelled route"),
    "rd": (_rd, "ASN:N | IP:N", "route distinguisher: makes it a VPN route"),
    "route-distinguisher": (_rd, "ASN:N | IP:N", "the same as rd"),
    "path-information": (_path_information, "0..4294967295 | A.B.C.D", "ADD-PATH path identifier (RFC 7911)"),
    "name": (_name, "WORD", "a label for people, not sent"),
    "split": (_split, "/N", "announce every subnet of that length instead of the prefix, 1048576 at most"),
    "watchdog": (_watchdog, "WORD", "the route is announced and withdrawn under this name"),
    "withdraw": (_withdraw, "", "with watchdog: begin withdrawn"),
    "ttl": (
        _lease,
        "N[s|m|h|d]",
        "in commands: a lease, the route is withdrawn after this time (a year at most) unless it is announced again",
    ),
}


USUAL_ATTRIBUTES = ("next-hop", "as-path", "med", "local-preference", "community", "large-community")


def read_keyword(words: Words, draft: Draft, extra: Mapping[str, Setter]) -> None:
    """Read one keyword and its value into the draft; `extra` are the family's own."""
    token = words.token("attribute")
    keyword = token.text
    if keyword in extra:
        extra[keyword](words, draft)
    elif keyword in ROUTE_KEYWORDS:
        ROUTE_KEYWORDS[keyword][0](words, draft)
    elif keyword in ATTRIBUTES:
        draft.add(read_attribute(keyword, words))
    else:
        usual = f"{', '.join(dict.fromkeys((*extra, *USUAL_ATTRIBUTES)))} or another attribute"
        raise GrammarError(unknown_word(keyword, {*ATTRIBUTES, *ROUTE_KEYWORDS, *extra}, "attribute", usual), token)


NO_EXTRA: Mapping[str, Setter] = {}


def read_draft(words: Words, draft: Draft, extra: Mapping[str, Setter] = NO_EXTRA, until: str = "") -> None:
    """Read keywords in a row, or in a block of statements, up to the end or to the word `until`.

    In a block a `;` after each keyword's value is usual, but nothing depends on it.
    """

    def known(word: str) -> bool:
        return word == until or is_keyword(word, extra)

    if words.accept("{"):
        read_block(words, lambda: None if words.accept(";") else read_keyword(words, draft, extra))
        read_lease(words, draft)
    else:
        read_row(words, lambda: read_keyword(words, draft, extra), known, until)
    words.accept(";")


def is_keyword(word: str, extra: Mapping[str, Setter] = NO_EXTRA) -> bool:
    """Tell whether a word is a keyword of attributes, or one of the family's own."""
    return word in extra or word in ROUTE_KEYWORDS or word in ATTRIBUTES


def read_headed(words: Words, draft: Draft, head: Callable[[], T], extra: Mapping[str, Setter] = NO_EXTRA) -> T:
    """Read by `head` what stands before the keywords, then these; the first error is raised with the others."""
    start = words.position
    try:
        found = head()
    except GrammarError as error:
        words.go_on(start, lambda word: word == "{" or is_keyword(word, extra))
        try:
            read_draft(words, draft, extra)
        except GrammarError as further:
            raise together([error, further]) from None
        raise
    read_draft(words, draft, extra)
    return found
