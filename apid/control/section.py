"""`peer create` as the section of a configuration that means the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from apid.config.directives import CAPABILITY, NEIGHBOR
from apid.grammar.nlri import AFIS
from apid.grammar.words import GrammarError, unknown_word

ALL_FAMILIES = "in-open"
PLAIN = re.compile(r"[A-Za-z0-9._:/+-]+")
KNOWN = {*NEIGHBOR, *CAPABILITY, "family-allowed", "api"}


def section(peer: str, words: Iterable[str], client: str) -> str:
    """Return `neighbor PEER { … }`; GrammarError names a word that is unknown or has no value.

    Without `api`, the helper that gave the command (`client`) gets the neighbor.
    """
    directives, capabilities, families, processes = [], [], [], []
    for keyword, value in _pairs(list(words)):
        if keyword == "family-allowed":
            families += _families(value)
        elif keyword == "api":
            processes.append(value)
        elif keyword in CAPABILITY:
            capabilities.append(_statement(keyword, value))
        else:
            directives.append(_statement(keyword, value))
    processes = processes or ([client] if client else [])
    parts = [
        *directives,
        *_block("capability", capabilities),
        *_block("family", families),
        *_block("api", [f"processes [ {' '.join(map(quoted, processes))} ];"] if processes else []),
    ]
    return f"neighbor {quoted(peer)} {{ {' '.join(parts)} }}\n"


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    """Cut words into directives and their values; a directive that another follows stands bare."""
    pairs = []
    place = 0
    while place < len(words):
        keyword = words[place]
        if keyword not in KNOWN:
            raise GrammarError(unknown_word(keyword, KNOWN, "directive"))
        place += 1
        value = ""
        if place < len(words) and words[place] not in KNOWN:
            value = words[place]
            place += 1
        elif keyword in ("api", "family-allowed"):
            raise GrammarError(f"'{keyword}' needs a value")
        pairs.append((keyword, value))
    return pairs


def _families(value: str) -> list[str]:
    """Turn `ipv4-unicast/ipv6-flow` into statements; `in-open` stands for all families."""
    statements = []
    for text in value.split("/") if value != ALL_FAMILIES else []:
        afi = next((each for each in AFIS if text.startswith(f"{each}-")), None)
        if afi is None:
            raise GrammarError(f"a family such as ipv4-unicast expected, not '{text}'")
        statements.append(f"{afi} {quoted(text[len(afi) + 1 :])};")
    return statements


def _statement(keyword: str, value: str) -> str:
    return f"{keyword} {quoted(value)};" if value else f"{keyword};"


def _block(name: str, statements: list[str]) -> list[str]:
    return [f"{name} {{ {' '.join(statements)} }}"] if statements else []


def quoted(word: str) -> str:
    """Return a word as one token of a configuration, whose escape sequences are those of JSON."""
    return word if PLAIN.fullmatch(word) else json.dumps(word, ensure_ascii=False)
