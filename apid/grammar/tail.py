"""What follows the prefix of a plain route, read piece by piece.

`next-hop 192.0.2.1 as-path [ 65001 65002 ] med 5` is three pieces. Each gives one attribute, whose octets are
remembered by the piece's text; AS paths, numbers and communities, which differ from line to line, are converted at
once. What is not so simple, or wrong in any way, is left to the whole grammar: `Tails.read` says nothing then.

Measured on one core of the build machine (Python 3.11): 3 to 10 microseconds for a tail of two to five pieces, where
the whole grammar takes 35 to 75.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from struct import Struct

from apid.grammar.attributes import ATTRIBUTES, LONGEST_SEGMENT, extended_communities
from apid.grammar.draft import ORIGIN_IGP, Draft, read_draft
from apid.grammar.tokens import command_tokens
from apid.grammar.values import MAXIMUM_16, MAXIMUM_32
from apid.grammar.words import Words
from apid.memory import REMEMBERED_OCTETS, Memory
from bgp.attribute import AsPath, Communities, LargeCommunities, LocalPref, Med, NextHop, Origin
from bgp.attribute.as_path import AS_SEQUENCE
from bgp.attribute.walk import walk
from bgp.route import encode_set

Tail = tuple[bytes, bytes, int]
"""An attribute set, a path identifier and a lease; no octets stand for path identifier 0, no seconds for ever."""

# A keyword and its value, one word or words between brackets; all that follows what is nothing of the kind is the last
# group: looked at octet by octet, a long one would take hours.
_PIECES = re.compile(r" *([a-z][a-z0-9-]*) +(?:([0-9A-Za-z.:_-]+)|\[([0-9A-Za-z.:_ -]*)\])(?: +|\Z)|(.+)", re.DOTALL)
_KEYWORDS = frozenset(ATTRIBUTES) | {"next-hop", "path-information", "ttl"}
_PATH_INFORMATION, _LEASE = -1, -2  # stand for a code: what is no attribute has none
_ORIGIN_OCTETS = encode_set((ORIGIN_IGP,), None)

_PATH_MARK = " as-path ["
_PATH = re.compile(r"(?: *[0-9]{1,10}(?![0-9]))* *")
_PAIRS = re.compile(r"(?: *[0-9]{1,5}:[0-9]{1,5}(?= |\Z))+ *")
_TRIPLES = re.compile(r"(?: *[0-9]{1,10}:[0-9]{1,10}:[0-9]{1,10}(?= |\Z))+ *")
SHORT_PATH = 63  # AS numbers that fit an AS_PATH with a one-octet length
LONGEST_PAIR = 16  # characters of a community, with spaces around it
MOST_COMMUNITIES, MOST_LARGE_COMMUNITIES = 63, 21  # the same for these
_PATHS = tuple(
    Struct(f"!BBBBB{count}I") if count else Struct("!BBB") for count in range(min(SHORT_PATH, LONGEST_SEGMENT) + 1)
)
_WORDS = tuple(Struct(f"!BBB{count}I") for count in range(MOST_COMMUNITIES + 1))
_NUMBER = Struct("!BBBI")
_PAIR = Struct("!BBBHH")


def _as_path(text: str) -> bytes | None:
    """Encode one sequence of plain AS numbers."""
    if not _PATH.fullmatch(text):
        return None
    asns = [*map(int, text.split())]
    count = len(asns)
    if not count:
        return _PATHS[0].pack(AsPath.FLAGS, AsPath.CODE, 0)
    if count > SHORT_PATH or not 0 < min(asns) <= max(asns) <= MAXIMUM_32:
        return None
    return _PATHS[count].pack(AsPath.FLAGS, AsPath.CODE, 2 + 4 * count, AS_SEQUENCE, count, *asns)


def _number(attribute: type[Med] | type[LocalPref]) -> Callable[[str], bytes | None]:
    """Make the encoder of an attribute that is one number."""

    def number(text: str) -> bytes | None:
        if not (text.isdigit() and len(text) <= 10 and int(text) <= MAXIMUM_32):
            return None
        return _NUMBER.pack(attribute.FLAGS, attribute.CODE, 4, int(text))

    return number


def _communities(text: str) -> bytes | None:
    """Encode communities of two numbers; those with names are not simple."""
    high, _, low = text.strip().partition(":")
    if (
        high.isdecimal() and low.isdecimal() and text.isascii() and len(text) <= LONGEST_PAIR
    ):  # the most usual, in a third of the time
        pair = int(high), int(low)
        return _PAIR.pack(Communities.FLAGS, Communities.CODE, 4, *pair) if max(pair) <= MAXIMUM_16 else None
    if not _PAIRS.fullmatch(text):
        return None
    halves = [*map(int, text.replace(":", " ").split())]
    count = len(halves) // 2
    if count > MOST_COMMUNITIES or max(halves) > MAXIMUM_16:
        return None
    values = sorted([high << 16 | low for high, low in zip(halves[::2], halves[1::2], strict=True)])
    return _WORDS[count].pack(Communities.FLAGS, Communities.CODE, 4 * count, *values)


def _large_communities(text: str) -> bytes | None:
    """Encode large communities of three numbers, each once."""
    if not _TRIPLES.fullmatch(text):
        return None
    parts = [*map(int, text.replace(":", " ").split())]
    triples = sorted(set(zip(parts[::3], parts[1::3], parts[2::3], strict=True)))
    count = len(triples)
    if count > MOST_LARGE_COMMUNITIES or max(parts) > MAXIMUM_32:
        return None
    numbers = [part for triple in triples for part in triple]
    return _WORDS[3 * count].pack(LargeCommunities.FLAGS, LargeCommunities.CODE, 12 * count, *numbers)


_LISTS: dict[str, tuple[int, Callable[[str], bytes | None]]] = {
    "as-path": (AsPath.CODE, _as_path),
    "community": (Communities.CODE, _communities),
    "large-community": (LargeCommunities.CODE, _large_communities),
}
_WORD: dict[str, tuple[int, Callable[[str], bytes | None]]] = {
    "med": (Med.CODE, _number(Med)),
    "local-preference": (LocalPref.CODE, _number(LocalPref)),
    "community": (Communities.CODE, _communities),
    "large-community": (LargeCommunities.CODE, _large_communities),
}


class Tails:
    """Reads tails, and remembers pieces, and what surrounds AS paths, up to a bound."""

    __slots__ = ("_around", "_pieces")

    def __init__(self, most: int = REMEMBERED_OCTETS) -> None:
        self._pieces = Memory[str, "tuple[int, bytes] | None"](most)
        self._around = Memory[tuple[str, str], "tuple[bytes, bytes, bytes, int] | None"](most)

    def read(self, tail: str, withdraw: bool = False) -> Tail | None:
        """Return what a tail says; None where it is not simple, or wrong."""
        before, _, rest = tail.partition(_PATH_MARK)
        path, bracket, after = rest.partition("]")
        if not bracket or withdraw:
            found = self._found(tail)
            return None if found is None else _joined(found, withdraw)
        # Of the lines of a full table, all but the AS path repeats.
        try:
            around = self._around.known[before, after]
        except KeyError:
            around = self._surroundings(before, after)
        octets = _as_path(path)
        if around is None or octets is None:
            return None
        return around[0] + octets + around[1], around[2], around[3]

    def _surroundings(self, before: str, after: str) -> tuple[bytes, bytes, bytes, int] | None:
        """Read what stands before and after an AS path: the octets before and after its own, path identifier, lease."""
        around = None
        first, second = self._found(before), self._found(after)
        # Each by itself: what is open before the path, `community [ 1:1 as-path [ 2 ] ]`, must not be closed after it.
        if first is not None and second is not None and not first.keys() & second.keys():
            found = first | second
            joined = _joined(found, withdraw=False) if AsPath.CODE not in found else None
            if joined is not None and min(found) == Origin.CODE:
                origin = len(found[Origin.CODE])
                around = joined[0][:origin], joined[0][origin:], joined[1], joined[2]
        return self._around.keep((before, after), around, len(before) + len(after))

    def _found(self, text: str) -> dict[int, bytes] | None:
        """Return the attributes of pieces by code; None where one is not simple, or said twice."""
        found: dict[int, bytes] = {}
        for keyword, word, listed, other in _PIECES.findall(text):
            if other:
                return None
            quick = _WORD.get(keyword) if word else _LISTS.get(keyword)
            octets = quick[1](word or listed) if quick is not None else None
            if quick is not None and octets is not None:
                code = quick[0]
            else:
                piece = self._piece(keyword, f"{keyword} {word}" if word else f"{keyword} [{listed}]")
                if piece is None:
                    return None
                code, octets = piece
            if code in found:
                return None
            found[code] = octets
        return found

    def _piece(self, keyword: str, text: str) -> tuple[int, bytes] | None:
        """Return code and octets of a piece by itself."""
        try:
            return self._pieces.known[text]
        except KeyError:
            pass
        piece = _read_piece(text) if keyword in _KEYWORDS else None
        return self._pieces.keep(text, piece, len(text))


def _joined(found: dict[int, bytes], withdraw: bool) -> Tail | None:
    """Join attributes to a set; None where it lacks the next hop, which a withdrawal need not have."""
    path_id = found.pop(_PATH_INFORMATION, b"")
    lease = int.from_bytes(found.pop(_LEASE, b""), "big")
    if withdraw and not found:
        return b"", path_id, 0
    if not withdraw and NextHop.CODE not in found:
        return None
    found.setdefault(Origin.CODE, _ORIGIN_OCTETS)
    return b"".join([found[code] for code in sorted(found)]), path_id, 0 if withdraw else lease


def _read_piece(text: str) -> tuple[int, bytes] | None:
    """Read a piece that makes one attribute."""
    draft = _draft(text, withdraw=False)
    if draft is None:
        return None
    if draft.path_id:
        return _PATH_INFORMATION, draft.path_id.to_bytes(4, "big")
    if draft.lease:
        return _LEASE, draft.lease.to_bytes(4, "big")
    try:
        attributes = (*draft.attributes.values(), *extended_communities(draft.communities))
        octets = encode_set(attributes, draft.next_hop)
    except ValueError:
        return None
    codes = [code for _, code, _, _, _ in walk(octets)]
    return (codes[0], octets) if len(codes) == 1 else None


def read_whole(text: str, withdraw: bool = False) -> Tail | None:
    """Read a tail by the whole grammar; None where it makes more than one unicast route, or is wrong."""
    draft = _draft(text, withdraw)
    if (
        draft is None
        or draft.labels is not None
        or draft.rd is not None
        or draft.split is not None
        or draft.watchdog is not None
        or draft.name is not None
        or (draft.next_hop is None and not withdraw)
    ):
        return None
    path_id = draft.path_id.to_bytes(4, "big") if draft.path_id else b""
    try:
        return draft.encode(), path_id, 0 if withdraw else draft.lease
    except ValueError:
        return None


def _draft(text: str, withdraw: bool) -> Draft | None:
    """Read keywords and values; None where they are wrong."""
    draft = Draft(withdraw=withdraw)
    try:
        words = Words(command_tokens(f"x {text}"))
        words.next("x")
        read_draft(words, draft)
        words.finish()
    except ValueError:
        return None
    return draft
