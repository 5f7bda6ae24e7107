"""OPERATIONAL messages to send when a session comes up (draft-ietf-idr-operational-message)."""

from __future__ import annotations

from msgspec import Struct

from apid.config.values import read_number, read_router_id
from apid.grammar.words import GrammarError, Token, Words, unknown_word
from bgp.family import FAMILIES, Family
from bgp.operational import ADVISORY_LENGTH

_ADVISORIES = frozenset(("asm", "adm"))
_QUERIES = frozenset(("rpcq", "apcq", "lpcq"))
_COUNTERS = frozenset(("rpcp", "apcp", "lpcp"))
_OPTIONAL = ("router-id", "counter")
KINDS = _ADVISORIES | _QUERIES | _COUNTERS


class OperationalMessage(Struct, frozen=True):
    """One message; which of the later fields matter depends on the kind. `router_id` None is our own."""

    kind: str
    family: Family
    advisory: str = ""
    router_id: bytes | None = None
    sequence: int = 0
    counter: int = 0


def parse_operational(words: Words) -> OperationalMessage:
    """Read `KIND afi AFI safi SAFI` and what the kind needs, in any order; raise `GrammarError`."""
    kind = words.token("a kind of operational message")
    if kind.text not in KINDS:
        raise GrammarError(unknown_word(kind.text, KINDS, "operational message"), kind)
    wanted = _wanted(kind.text)
    seen: dict[str, Token] = {}
    while words:
        key = words.token("a keyword")
        if key.text not in (*wanted, *_OPTIONAL):
            raise GrammarError(unknown_word(key.text, (*wanted, *_OPTIONAL), "word"), key)
        if key.text in seen:
            raise GrammarError(f"'{key.text}' is given twice", key)
        seen[key.text] = words.token(f"a value for {key.text}")
    missing = [key for key in wanted if key not in seen]
    if missing:
        raise GrammarError(f"{kind.text} needs {' and '.join(missing)}", kind)
    return _message(kind.text, seen)


def _wanted(kind: str) -> tuple[str, ...]:
    """Name the keywords that a kind must have."""
    if kind in _ADVISORIES:
        return ("afi", "safi", "advisory")
    if kind in _QUERIES:
        return ("afi", "safi", "sequence")
    return ("afi", "safi", "sequence", "counter")


def _message(kind: str, seen: dict[str, Token]) -> OperationalMessage:
    afi, safi = seen["afi"], seen["safi"]
    family = FAMILIES.get(f"{afi.text} {safi.text}")
    if family is None:
        raise GrammarError(unknown_word(f"{afi.text} {safi.text}", FAMILIES, "family"), afi)
    advisory = seen.get("advisory")
    if advisory is not None and len(advisory.text.encode()) > ADVISORY_LENGTH:
        octets = len(advisory.text.encode())
        raise GrammarError(f"an advisory has at most {ADVISORY_LENGTH} octets, not {octets}", advisory)
    return OperationalMessage(
        kind,
        family,
        advisory=advisory.text if advisory is not None else "",
        router_id=read_router_id(seen["router-id"]) if "router-id" in seen else None,
        sequence=read_number(seen["sequence"], 0, 2**32 - 1) if "sequence" in seen else 0,
        counter=read_number(seen["counter"], 0, 2**32 - 1) if "counter" in seen else 0,
    )
