"""The fast reader says what `parse_command` says, line by line, and groups what can be grouped."""

from __future__ import annotations

import gzip
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apid.grammar.command import RouteChange, parse_command, parse_selector
from apid.grammar.fast import CommandReader, Invalid, Routes, Single, Step
from apid.grammar.words import GrammarError
from bgp.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_UNICAST
from tests.shared import shared


def slow(lines: list[str]) -> list[object]:
    """Say what each line means, by `parse_command`."""
    meanings: list[object] = []
    for line in lines:
        try:
            command = parse_command(line)
        except GrammarError as error:
            meanings.append((line, str(error)))
        else:
            meanings.append(simplified(command))
    return meanings


def simplified(command: object) -> object:
    """Reduce a change of one route to what `Routes` can say."""
    if isinstance(command, RouteChange) and len(command.entries) == 1:
        (entry,) = command.entries
        if len(entry.items) == 1 and not (entry.watchdog or entry.name):
            change = command.announce, command.selector, entry.family, entry.attributes, entry.items[0], entry.lease
            return change if command.wait is None else (*change, command.wait)
    return command


def fast(steps: list[Step]) -> list[object]:
    """Say what steps mean, one meaning for each line."""
    meanings: list[object] = []
    for step in steps:
        if isinstance(step, Routes):
            assert step.lines == len(step.items)
            selector = parse_selector(step.selector_text)
            meanings += [
                (step.announce, selector, step.family, step.attributes, item, step.lease) for item in step.items
            ]
        elif isinstance(step, Single):
            meanings.append(simplified(step.command))
        else:
            meanings.append((step.line, str(step.error)))
    return meanings


def agree(lines: list[str], reader: CommandReader | None = None) -> None:
    text = "".join(f"{line}\n" for line in lines)
    steps = (reader or CommandReader()).read(text.encode())
    assert fast(steps) == slow(lines)


TAILS = (
    "next-hop 192.0.2.1",
    "next-hop 192.0.2.1 ttl 30",
    "next-hop 192.0.2.1 ttl 30s as-path [ 1 2 ] med 5",
    "ttl 5m next-hop 192.0.2.1 as-path [ 1 2 ] ttl 6m",
    "next-hop 192.0.2.1 ttl 0",
    "next-hop 192.0.2.1 ttl 1x",
    "next-hop 192.0.2.1 ttl 31536001",
    "next-hop 192.0.2.1 ttl 30 watchdog dog",
    "next-hop 192.0.2.1 ttl 30 sync",
    "{ next-hop self; med 3; } ttl 2h",
    "{ next-hop self; ttl 1d; }",
    "next-hop self",
    "next-hop 2001:db8::1 med 5",
    "next-hop 192.0.2.1 origin igp as-path [ 4777 2516 4788 ]",
    "origin egp as-path [ 1 2 ] next-hop 192.0.2.1 local-preference 5",
    "as-path [ 1 ] next-hop self",
    " as-path [ 1 ] next-hop self",
    "next-hop self as-path [ ]",
    "next-hop self as-path []",
    "next-hop self as-path [1 2]",
    "next-hop self as-path [ 1 2 ] ( 3 4 )",
    "next-hop self as-path [ 1 2 ] [ 3 4 ]",
    "next-hop self as-path [ 1 ( 3 4 ) ]",
    "next-hop self as-path [ 1.5 ]",
    "next-hop self as-path [ 0 ]",
    "next-hop self as-path [ 00000000001 ]",
    "next-hop self as-path [ 4294967296 ]",
    "next-hop self as-path [ 4294967295 ]",
    "next-hop self as-path [ 1 x ]",
    "next-hop self as-path [ 1",
    "next-hop self as-path [ 1 ] as-path [ 2 ]",
    "as-path 5 next-hop self as-path [ 2 ]",
    "next-hop self name as-path [ 1 ]",
    "next-hop self name as-path [ 1 ] med",
    "next-hop self community [ 1:1 as-path [ 2 ] ]",
    'next-hop self name "a as-path [ 1 ] b"',
    "next-hop self; as-path [ 1 ]",
    "next-hop self as-path [ 1 ];",
    "next-hop self as-path [ 1 ] confed-set ( 2 )",
    "{ next-hop self; as-path [ 1 ]; }",
    "{ next-hop self; med 3; }",
    "next-hop self attribute [ 0x02 0x40 0x02010000fde8 ] as-path [ 1 ]",
    "next-hop self attribute [ 0x01 0xc0 0x00 ] as-path [ 1 ]",
    "next-hop self as-path [ 1 ] attribute [ 0x00 0xc0 0x01 ]",
    "next-hop self as-path [ 1 ]med 5",
    "next-hop self as-path[1]",
    "next-hop self as-path [1]community 1:1",
    "next-hop self community [ 2:2 1:1 1:1 ] med 7 large-community [ 1:2:3 1:2:3 0:0:1 ]",
    "next-hop self community 65536:1",
    "next-hop self community [ 1:65536 ]",
    "next-hop self community 65535:65535",
    "next-hop self community [  000065001:00001  ]",
    "next-hop self community [ 0000000065001:00001 ]",
    "next-hop self community [ 1:2:3 ]",
    "next-hop self community [ 1: ]",
    "next-hop self community :1",
    "next-hop self community ²:1",
    "next-hop self community ١:1",
    "next-hop self community [ 1:1, 2:2 ]",
    "next-hop self community [ ]",
    "next-hop self community [ NO_EXPORT 0xffffff02 7 ]",
    "next-hop self community [ " + "1:1 " * 70 + "]",
    "next-hop self large-community 4294967296:1:1",
    "next-hop self large-community [ " + " ".join(f"{n}:1:1" for n in range(30)) + " ]",
    "next-hop self med 00000000000000000005",
    "next-hop self med +5",
    "next-hop self med ٥",
    "next-hop self local-preference 4294967295 local-preference 3",
    "next-hop self path-information 5 path-information 6",
    "next-hop self path-information 0 path-information 6",
    "next-hop self atomic-aggregate med 5",
    "next-hop self extended-community [ target:1:1 ] route-target 2:2",
    "next-hop self only-to-customer 65001 aigp 0x10 origin EGP",
    "next-hop self pmsi-tunnel none 5 med 6",
    "next-hop self path-information 7",
    "next-hop self path-information 7 as-path [ 1 2 ]",
    "path-information 0.0.0.9",
    "next-hop self label 5",
    "next-hop self label 5 rd 1:1",
    "next-hop self split /25",
    "next-hop self split /8 as-path [ 1 ]",
    "next-hop self watchdog dog",
    "next-hop self withdraw",
    "next-hop self name x as-path [ 1 ]",
    "next-hop self community [65001:1 65001:2] large-community 1:2:3",
    "next-hop self extended-community [ target:1:1 ] extended-community origin:2:2 as-path [ 3 ]",
    "next-hop  self\tmed 5",
    "next-hop self\r",
    "med 5",
    "as-path [ 1 ]",
    "med 4294967296",
    "foo 1",
    "",
    "# no comment",
    "next-hop self med",
    "next-hop self as-path [ " + " ".join(str(asn) for asn in range(1, 64)) + " ]",
    "next-hop self as-path [ " + " ".join(str(asn) for asn in range(1, 65)) + " ]",
    "next-hop self as-path [ " + " ".join(str(asn) for asn in range(1, 300)) + " ]",
)
PREFIXES = (
    "10.0.0.0/24",
    "10.0.0.1",
    "0.0.0.0/0",
    "10.0.0.0/7",
    "10.128.0.0/9",
    "10.64.0.0/9",
    "10.0.0.1/24",
    "10.0.0.0/24;",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/+8",
    "10.0.0.0/٨",
    "10.0/16",
    "010.0.0.0/8",
    "224.0.0.0/4",
    "239.255.255.255/32",
    "240.0.0.0/4",
    "223.0.0.0/8",
    "2001:db8::/32",
    "2001:db8::1",
    "2001:db8::1/64",
    "::/0",
    "ff0e::/16",
    "::ffff:10.0.0.1/128",
    "fe80::1%eth0",
    "2001:db8::/129",
    "x",
    "",
    '"10.0.0.0/24"',
    "10.0.0.0/24{",
    "10.0.0.0\x00/24",
)
HEADS = (
    "announce",
    "withdraw",
    " announce",
    "neighbor 127.0.0.1 announce",
    "neighbor * withdraw",
    "neighbor 127.0.0.1, neighbor 127.0.0.2 local-as 5 announce",
    "peer * announce",
    "peer [ 127.0.0.1 local-as 65001, 127.0.0.2 ] announce",
    "peer * group announce",
    "peer * routes add",
    "neighbor announce",
    "neighbor 127.0.0.1 local-as x announce",
    "announce ipv4",
    "announce flow",
    "# announce",
    "debug announce",
    "Announce",
    "announce announce",
    "",
)


@pytest.mark.parametrize("tail", TAILS)
def test_a_tail_means_the_same_with_every_prefix_and_verb(tail: str) -> None:
    prefixes = ("10.0.0.0/24", "10.0.0.0/15", "2001:db8::/32", "224.0.1.0/24", "10.0.0.1/24")
    agree([f"{verb} route {prefix} {tail}" for verb in ("announce", "withdraw") for prefix in prefixes] * 2)


@pytest.mark.parametrize("head", HEADS)
def test_what_stands_before_route_means_the_same(head: str) -> None:
    agree([f"{head} route {prefix} next-hop self" for prefix in PREFIXES] * 2)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.builds(
                "{} route {} {}".format, st.sampled_from(HEADS), st.sampled_from(PREFIXES), st.sampled_from(TAILS)
            ),
            st.builds("announce route {}".format, st.sampled_from(PREFIXES)),
            st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=40),
            st.sampled_from(["", "help", "announce eor", "shutdown", "# x", "debug y", "flush adj-rib out"]),
        ),
        max_size=12,
    )
)
def test_any_lines_mean_what_parse_command_says(lines: list[str]) -> None:
    agree(lines)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(" ".join(TAILS).split()), max_size=14),
    st.sampled_from(["announce", "withdraw"]),
    st.sampled_from(["10.0.0.0/24", "2001:db8::/48"]),
)
def test_words_in_any_order_mean_what_parse_command_says(words: list[str], verb: str, prefix: str) -> None:
    agree([f"{verb} route {prefix} {' '.join(words)}"] * 2)


def test_forgetting_changes_nothing() -> None:
    lines = [f"announce route 10.0.0.{n}/32 next-hop self med {n % 7} as-path [ {n + 1} ]" for n in range(200)]
    agree(lines + lines, CommandReader(most=1000))


LONG_LINES = (
    "{} no route",
    "announce {} route 10.0.0.0/8 next-hop self",
    "announce route 10.0.0.0/8 next-hop self {}",
    "withdraw route 10.0.0.0/8 {}",
    "announce route 10.0.0.0/8 next-hop self as-path [ 1 ] {}",
    "announce flow route {{ match {{ source 10.0.0.0/8; {}; }} }}",
    "announce flow route {{ match {{ source 10.0.0.0/8; }} then {{ {} }} }}",
)


def _octets_held(value: object) -> int:
    """Return the octets of texts in whatever a value holds."""
    if isinstance(value, str):
        return sys.getsizeof(value)
    if isinstance(value, dict):
        return sum(map(_octets_held, (*value.keys(), *value.values())))
    if isinstance(value, tuple):
        return sum(map(_octets_held, value))
    slots = getattr(type(value), "__slots__", ())
    return sum(_octets_held(getattr(value, name)) for name in slots)


@pytest.mark.parametrize("line", LONG_LINES)
def test_long_lines_that_are_all_different_fill_no_memory(line: str) -> None:
    reader = CommandReader(most=100_000)
    for number in range(60):
        reader.read((line.format(f"{number} {' ' * 20_000} x") + "\n").encode())
    assert _octets_held(reader) < 400_000


def test_lines_that_share_all_but_the_prefix_become_one_step() -> None:
    lines = b"".join(b"announce route 10.0.%d.0/24 next-hop 192.0.2.1 med 5\n" % n for n in range(100))
    (step,) = CommandReader().read(lines)
    assert isinstance(step, Routes)
    assert (step.announce, step.selector_text, step.family, step.lines) == (True, "", IPV4_UNICAST, 100)
    assert step.attributes.hex() == "40010100400304c000020180040400000005"
    assert step.items[7].hex() == "00000000180a0007"


def test_a_step_ends_where_verb_selector_family_or_attributes_change() -> None:
    steps = CommandReader().read(
        b"announce route 10.0.0.0/24 next-hop 192.0.2.1\n"
        b"announce route 224.0.0.0/24 next-hop 192.0.2.1\n"
        b"announce route 2001:db8::/32 next-hop 192.0.2.1\n"
        b"announce route 2001:db8:1::/48 med 5 next-hop 192.0.2.1\n"
        b"neighbor 127.0.0.1 announce route 2001:db8:2::/48 next-hop 192.0.2.1\n"
        b"withdraw route 10.0.0.0/24\n"
        b"withdraw route 10.0.1.0/24 next-hop self\n"
        b"help\n"
        b"withdraw route 10.0.2.0/24\n"
        b"foo\n"
    )
    shapes = [
        (step.family, step.selector_text, step.lines) if isinstance(step, Routes) else type(step) for step in steps
    ]
    assert shapes == [
        (IPV4_UNICAST, "", 1),
        (IPV4_MULTICAST, "", 1),
        (IPV6_UNICAST, "", 1),
        (IPV6_UNICAST, "", 1),
        (IPV6_UNICAST, "neighbor 127.0.0.1", 1),
        (IPV4_UNICAST, "", 1),
        (IPV4_UNICAST, "", 1),
        Single,
        (IPV4_UNICAST, "", 1),
        Invalid,
    ]


def test_octets_that_are_not_text_make_an_invalid_line() -> None:
    (step,) = CommandReader().read(b"announce route \xff\xfe next-hop self\n")
    assert isinstance(step, Invalid)


def test_a_chunk_without_newline_at_its_end_is_read_whole() -> None:
    assert len(CommandReader().read(b"help\nversion")) == 2
    assert CommandReader().read(b"") == []


def test_a_real_feed_means_what_parse_command_says() -> None:
    with gzip.open(shared("mrt/as4777-2010-07-01-announce.txt.gz"), "rt") as feed:
        lines = [line.rstrip("\n") for number, line in enumerate(feed) if number % 300 == 0]
    agree(lines)
