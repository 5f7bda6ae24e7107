"""Abbreviated commands, as `exabgp cli` takes them, and what the next word may be."""

from __future__ import annotations

import json

import pytest

from apid.grammar.abbreviations import PREFERRED, in_full, next_words, words_in_full
from apid.grammar.command import COMMANDS, FOLLOWING
from apid.grammar.command_names import TERM_NAMES
from tests.shared import ROOT

# What `exabgp cli` of 5.0.15 says that it sends.
EXABGP = {
    "s": "show",
    "s n": "show neighbor",
    "s n s": "show neighbor summary",
    "s n e": "show neighbor extensive",
    "s n c": "show neighbor configuration",
    "s n x": "show neighbor x",
    "s n s 127.0.0.2": "show neighbor summary 127.0.0.2",
    "s n 127.0.0.2 ext": "show neighbor 127.0.0.2 extensive",
    "s n 127.0.0.2 e": "show neighbor 127.0.0.2 extensive",
    "sho neigh summ": "show neighbor summary",
    "s a o": "show adj-rib out",
    "s a i ext": "show adj-rib in extensive",
    "s adj out e": "show adj-rib out extensive",
    "s adj out 127.0.0.2 e": "show adj-rib out 127.0.0.2 extensive",
    "s a o 127.0.0.2 i": "show adj-rib out 127.0.0.2 i",
    "s a o ipv4 unicast": "show adj-rib out ipv4 unicast",
    "f": "flush",
    "f a o": "flush adj-rib out",
    "f a o 1.2.3.4": "flush adj-rib out 1.2.3.4",
    "fl adj out": "flush adj-rib out",
    "ann route 10.0.0.0/24 next-hop self": "announce route 10.0.0.0/24 next-hop self",
    "with route 10.0.0.0/24 next-hop self": "withdraw route 10.0.0.0/24 next-hop self",
    "a w": "announce watchdog",
    "a w dog": "announce watchdog dog",
    "w w dog": "withdraw watchdog dog",
    "a watchdog a": "announce watchdog a",
    "a e": "announce eor",
    "a e ipv4 unicast": "announce eor ipv4 unicast",
    "a e i u": "announce eor i u",
    "a i u 10.0.0.0/24": "announce i u 10.0.0.0/24",
    "a a next-hop 1.2.3.4 nlri 10.0.0.0/24": "announce attributes next-hop 1.2.3.4 nlri 10.0.0.0/24",
    "a f route { match { source 10.0.0.0/24; } then { discard; } }": (
        "announce flow route { match { source 10.0.0.0/24; } then { discard; } }"
    ),
    "w f route source 10.0.0.0/8": "withdraw flow route source 10.0.0.0/8",
    "ne 10.0.0.1 show adj o": "neighbor 10.0.0.1 show adj-rib out",
    "n": "neighbor",
    "t 4": "teardown 4",
    "he": "help",
    "re": "re",
    "x": "x",
}
# There `exabgp cli` leaves a word that is then refused, or takes one that cannot stand at that place.
OURS = {
    "a o asm": "announce operational asm",
    "a v rd 65000:1": "announce vpls rd 65000:1",
    "a r 10.0.0.0/24 next-hop s": "announce route 10.0.0.0/24 next-hop s",
    "a route-r ipv4 unicast": "announce route-refresh ipv4 unicast",
    "c a o": "clear adj-rib out",
    "n 127.0.0.2 t 4": "neighbor 127.0.0.2 teardown 4",
    "n 127.0.0.2 s n s": "neighbor 127.0.0.2 show neighbor summary",
    "n 127.0.0.2 a r 10.0.0.0/24 next-hop self": "neighbor 127.0.0.2 announce route 10.0.0.0/24 next-hop self",
    "n s": "neighbor s",
    "n a local-as 1 , n e w w s": "neighbor a local-as 1 , neighbor e withdraw watchdog s",
    "n 127.0.0.2, n 127.0.0.3 t 4": "neighbor 127.0.0.2, neighbor 127.0.0.3 teardown 4",
    "peer [ a router-id 1.1.1.1, s ] sh": "peer [ a router-id 1.1.1.1, s ] show",
    "peer l": "peer l",
    "peer s shut": "peer s shutdown",
    "peer list": "peer list",
    "s a o neighbor e e": "show adj-rib out neighbor e extensive",
    "sess s e": "session sync enable",
    "sys a v": "system api version",
}


@pytest.mark.parametrize(("typed", "meant"), [*EXABGP.items(), *OURS.items()])
def test_abbreviated_words_are_those_of_their_place(typed: str, meant: str) -> None:
    assert in_full(typed) == meant


@pytest.mark.parametrize("line", ["", "# s n s", "peer n shutdown 'open", '"s" n', "debug s n s", "ping s"])
def test_what_is_no_abbreviation_stays(line: str) -> None:
    assert in_full(line) == line


def test_no_command_in_full_is_changed() -> None:
    lines = [row.name for row in COMMANDS]
    with (ROOT / "tests/golden/commands.jsonl").open() as file:
        lines += [json.loads(line)["line"] for line in file]
    assert [in_full(line) for line in lines] == lines


def test_spaces_and_quotes_stay_as_they_were() -> None:
    assert in_full('  s  n "s"  e #s ') == '  show  neighbor "s"  extensive #s '


def test_a_word_with_a_space_is_one_word() -> None:
    assert words_in_full("peer", "n", "shut", "s n s") == ("peer", "n", "shutdown", "s n s")


def test_what_is_preferred_exists() -> None:
    words = {word for choice in FOLLOWING.values() for word in choice}
    options = {word for row in COMMANDS for word in row.options}
    assert words | options >= {*PREFERRED}


@pytest.mark.parametrize(
    ("words", "some", "not_any"),
    [
        ("", {"show", "neighbor", "peer", "session"}, {"route"}),
        ("show", {"neighbor", "adj-rib"}, {"json"}),
        ("s n", {"summary", "extensive", "configuration", "json"}, set()),
        ("show neighbor 192.0.2.1", {"extensive"}, set()),
        ("announce", {"route", "flow", "eor", "watchdog"}, {"show"}),
        ("neighbor 192.0.2.1", {"announce", "teardown", "group", *TERM_NAMES}, {"reload"}),
        ("neighbor 192.0.2.1 peer-as 65001 flush", {"adj-rib"}, set()),
        ("peer", {"list", "create", "delete", "show"}, set()),
        ("rib", {"show", "flush", "clear"}, set()),
        ("session sync", {"enable", "disable"}, set()),
    ],
)
def test_the_next_words_are_those_of_the_table(words: str, some: set[str], not_any: set[str]) -> None:
    found = {*next_words(*words.split())}
    assert found >= some
    assert not found & not_any


@pytest.mark.parametrize(
    "words", ["neighbor", "announce route", "announce watchdog", "neighbor 192.0.2.1 peer-as", "x y"]
)
def test_nothing_is_known_of_free_words(words: str) -> None:
    assert next_words(*words.split()) == []


def test_a_word_that_is_empty_abbreviates_nothing() -> None:
    assert words_in_full("show", "neighbor", "") == ("show", "neighbor", "")
    assert words_in_full("peer", "10.0.0.1", "") == ("peer", "10.0.0.1", "")
