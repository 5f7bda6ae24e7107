"""Operational messages in commands (draft-ietf-idr-operational-message); apid/config/operational.py has the block.

asm|adm afi AFI safi SAFI advisory "TEXT"
rpcq|apcq|lpcq afi AFI safi SAFI [router-id IP] sequence N
rpcp|apcp|lpcp afi AFI safi SAFI [router-id IP] sequence N counter N
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from apid.grammar.nlri import AFIS, SAFIS
from apid.grammar.values import ipv4_value, number, read
from apid.grammar.words import GrammarError, Words, unknown_word
from bgp.family import Family
from bgp.operational import ADVISORIES, ADVISORY_LENGTH, OPERATIONAL_NAMES, RESPONSES

KINDS = {name.lower(): kind for kind, name in OPERATIONAL_NAMES.items()}


class OperationalRequest(Struct, frozen=True):
    """A message to send. `router_id` is None where it is the session's own."""

    kind: int
    family: Family
    advisory: bytes = b""
    router_id: bytes | None = None
    sequence: int = 0
    counter: int = 0


def read_operational(words: Words) -> OperationalRequest:
    """Read a kind and its fields, which may be in any order."""
    token = words.token("kind of operational message")
    if token.text not in KINDS:
        raise GrammarError(unknown_word(token.text, KINDS, "operational message"), token)
    kind = KINDS[token.text]
    wanted = {"afi", "safi"} | ({"advisory"} if kind in ADVISORIES else {"sequence", "router-id"} | _counters(kind))
    numbers: dict[str, int] = {}
    advisory, router_id = b"", None
    seen: set[str] = set()
    while words and words.peek() != ";":
        field = words.token("field")
        if field.text not in wanted:
            raise GrammarError(unknown_word(field.text, wanted, f"field of {token.text}"), field)
        seen.add(field.text)
        if field.text == "advisory":
            advisory = _read_text(words)
        elif field.text == "router-id":
            router_id = read(words, "router-id", ipv4_value)
        elif field.text == "afi":
            numbers["afi"] = read(words, "address family", _named(AFIS, "address family"))
        elif field.text == "safi":
            numbers["safi"] = read(words, "sub-address family", _named(SAFIS, "sub-address family"))
        else:
            numbers[field.text] = read(words, field.text, number(field.text))
    missing = wanted - seen - {"router-id"}
    if missing:
        raise GrammarError(f"'{min(missing)}' is missing in operational {token.text}", words.last())
    return OperationalRequest(
        kind,
        Family(numbers["afi"], numbers["safi"]),
        advisory,
        router_id,
        numbers.get("sequence", 0),
        numbers.get("counter", 0),
    )


def _counters(kind: int) -> set[str]:
    return {"counter"} if kind in RESPONSES else set()


def _named(names: dict[str, int], what: str) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if text not in names:
            raise ValueError(unknown_word(text, names, what))
        return names[text]

    return convert


def _read_text(words: Words) -> bytes:
    """Read a quoted text, or all words up to the end."""
    token = words.token("text")
    parts = [token.text]
    while not token.quoted and words and words.peek() != ";":
        parts.append(words.next("text"))
    octets = " ".join(parts).encode()
    if len(octets) > ADVISORY_LENGTH:
        raise GrammarError(f"advisory has {len(octets)} octets, at most {ADVISORY_LENGTH}", token)
    return octets
