"""Commands and selectors: every form, what it means, and what is wrong with those that mean nothing."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from apid.grammar.command import (
    COMMANDS,
    Acknowledge,
    ApiVersion,
    Batch,
    Bye,
    ClearAdjRib,
    Command,
    Comment,
    Crash,
    Debug,
    EndOfRib,
    Flush,
    FlushAdjRibOut,
    Group,
    Help,
    OperationalMessage,
    PeerList,
    Ping,
    QueueStatus,
    Reload,
    Reset,
    Restart,
    RouteChange,
    RouteRefresh,
    ShowAdjRib,
    ShowNeighbor,
    Shutdown,
    Status,
    Synchronise,
    Teardown,
    Version,
    Watchdog,
    parse_command,
    parse_selector,
)
from apid.grammar.operational import OperationalRequest
from apid.grammar.selector import EVERYONE, NeighborIdentity, Selector, Terms
from apid.grammar.words import GrammarError
from bgp.family import FAMILIES, IPV4_FLOW, IPV4_UNICAST, IPV6_UNICAST, L2VPN_EVPN, Family

ONE = Selector((Terms("127.0.0.1"),))
ANY = Selector((Terms("*"),))


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("announce watchdog", Watchdog(EVERYONE, True, None)),
        ("announce watchdog dog", Watchdog(EVERYONE, True, "dog")),
        ("neighbor 127.0.0.1 withdraw watchdog dog", Watchdog(ONE, False, "dog")),
        ("announce eor", EndOfRib(EVERYONE, IPV4_UNICAST)),
        ("announce eor ipv4 flow", EndOfRib(EVERYONE, IPV4_FLOW)),
        ("neighbor 127.0.0.1 announce eor l2vpn evpn", EndOfRib(ONE, L2VPN_EVPN)),
        ("announce route-refresh ipv4 unicast", RouteRefresh(EVERYONE, IPV4_UNICAST)),
        ("announce refresh ipv4 flowspec", RouteRefresh(EVERYONE, IPV4_FLOW)),
        ("announce refresh 2 1", RouteRefresh(EVERYONE, IPV6_UNICAST)),
        ("neighbor 127.0.0.1 teardown 4", Teardown(ONE, 4)),
        ("peer 127.0.0.1 teardown 4", Teardown(ONE, 4)),
        ("show neighbor", ShowNeighbor(EVERYONE, "")),
        ("show neighbor summary", ShowNeighbor(EVERYONE, "summary")),
        ("show neighbor 127.0.0.1 extensive", ShowNeighbor(ONE, "extensive")),
        ("show neighbor json configuration", ShowNeighbor(EVERYONE, "configuration", True)),
        ("show neighbor extensive json 127.0.0.1", ShowNeighbor(ONE, "extensive", True)),
        ("peer show", ShowNeighbor(EVERYONE, "", json=True)),
        ("peer show summary text", ShowNeighbor(EVERYONE, "summary")),
        ("peer 127.0.0.1 show extensive", ShowNeighbor(ONE, "extensive")),
        ("show adj-rib in", ShowAdjRib("in")),
        ("show adj-rib out 127.0.0.1 extensive", ShowAdjRib("out", ONE, extensive=True)),
        ("show adj-rib out neighbor 127.0.0.1", ShowAdjRib("out", ONE)),
        ("neighbor 127.0.0.1 show adj-rib out", ShowAdjRib("out", ONE)),
        ("show adj-rib out inet", ShowAdjRib("out", filter="inet")),
        ("show adj-rib in l2vpn json", ShowAdjRib("in", filter="l2vpn", json=True)),
        ("show adj-rib in ipv6 unicast", ShowAdjRib("in", filter="ipv6 unicast")),
        ("show adj-rib in l2vpn evpn extensive", ShowAdjRib("in", filter="l2vpn evpn", extensive=True)),
        ("rib show in extensive", ShowAdjRib("in", extensive=True, json=True)),
        ("peer 127.0.0.1 routes list", ShowAdjRib("out", ONE)),
        ("flush adj-rib out", FlushAdjRibOut(EVERYONE)),
        ("neighbor 127.0.0.1 flush adj-rib out", FlushAdjRibOut(ONE)),
        ("rib flush out", FlushAdjRibOut(EVERYONE)),
        ("rib flush out 127.0.0.1", FlushAdjRibOut(ONE)),
        ("clear adj-rib out 127.0.0.1", ClearAdjRib("out", ONE)),
        ("peer * routes ipv4 unicast list", ShowAdjRib("out", ANY, "ipv4 unicast")),
        ("clear adj-rib in", ClearAdjRib("in", EVERYONE)),
        ("neighbor * clear adj-rib out", ClearAdjRib("out", ANY)),
        ("rib clear out", ClearAdjRib("out", EVERYONE)),
        ("flush", Flush()),
        ("shutdown", Shutdown()),
        ("daemon shutdown", Shutdown()),
        ("reload", Reload()),
        ("daemon reload", Reload()),
        ("restart", Restart()),
        ("reset", Reset()),
        ("session reset", Reset(answer=True)),
        ("version", Version()),
        ("system version", Version(json=True)),
        ("help", Help()),
        ("system help text", Help()),
        ("status", Status()),
        ("daemon status", Status()),
        ("system queue-status", QueueStatus()),
        ("peer list", PeerList()),
        ("ping", Ping()),
        ("session ping 6f1c 1", Ping("6f1c")),
        ("bye", Bye()),
        ("enable-ack", Acknowledge("enable")),
        ("disable-ack", Acknowledge("disable")),
        ("silence-ack", Acknowledge("silence")),
        ("session ack silence", Acknowledge("silence")),
        ("session sync enable", Synchronise(True)),
        ("disable-sync", Synchronise(False)),
        ("system api version 6", ApiVersion(6)),
        ("system api version", ApiVersion(None)),
        ("group start", Group(True)),
        ("group end", Group(False)),
        ("crash", Crash()),
        ("# anything ] at all", Comment()),
        ("  #", Comment()),
        ('debug  some " text', Debug(' some " text')),
        ("debug", Debug("")),
        ("  \tannounce \t eor  ", EndOfRib(EVERYONE, IPV4_UNICAST)),
    ],
)
def test_a_line_is_its_command(line: str, command: Command) -> None:
    assert parse_command(line) == command


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ('asm afi ipv4 safi unicast advisory "hello world"', OperationalRequest(2, IPV4_UNICAST, b"hello world")),
        ("adm afi ipv4 safi unicast advisory hello  world", OperationalRequest(1, IPV4_UNICAST, b"hello world")),
        ("rpcq afi ipv4 safi unicast sequence 5", OperationalRequest(3, IPV4_UNICAST, sequence=5)),
        (
            "lpcp afi ipv6 safi unicast router-id 1.2.3.4 sequence 5 counter 7",
            OperationalRequest(8, IPV6_UNICAST, router_id=bytes([1, 2, 3, 4]), sequence=5, counter=7),
        ),
    ],
)
def test_an_operational_message_is_read(line: str, request_: OperationalRequest) -> None:
    assert parse_command(f"announce operational {line}") == OperationalMessage(EVERYONE, request_)


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("", EVERYONE),
        ("neighbor *", ANY),
        ("neighbor 127.0.0.1", ONE),
        ("peer 127.0.0.1", ONE),
        ("neighbor 2001:DB8:0::1", Selector((Terms("2001:db8::1"),))),
        ("neighbor 127.0.0.1,neighbor *", Selector((Terms("127.0.0.1"), Terms("*")))),
        (
            "neighbor 127.0.0.1 peer-as 1.0 local-ip 10.0.0.1 local-as 2 router-id 1.2.3.4 family-allowed in-open",
            Selector((Terms("127.0.0.1", "10.0.0.1", 2, 65536, "1.2.3.4", "in-open"),)),
        ),
        (
            "peer [127.0.0.1 local-as 5, 127.0.0.2]",
            Selector((Terms("127.0.0.1", local_as=5), Terms("127.0.0.2"))),
        ),
    ],
)
def test_a_selector_is_read(text: str, selector: Selector) -> None:
    assert parse_selector(text) == selector


IDENTITY = NeighborIdentity("127.0.0.2", "127.0.0.1", 65001, 65002, "10.0.0.1", "in-open", "border")


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("neighbor *", True),
        ("neighbor 127.0.0.2", True),
        ("neighbor border", True),
        ("neighbor 127.0.0.20", False),
        ("neighbor 127.0.0.2 local-as 65001 peer-as 65002", True),
        ("neighbor 127.0.0.2 peer-as 65002 local-ip 127.0.0.1 router-id 10.0.0.1 family-allowed in-open", True),
        ("neighbor 127.0.0.2 local-as 6500", False),
        ("neighbor * local-as 65002", False),
        ("neighbor 127.0.0.2 family-allowed ipv4-unicast", False),
        ("neighbor 127.0.0.9, neighbor 127.0.0.2", True),
        ("neighbor 127.0.0.9, neighbor 127.0.0.8", False),
        ("peer [ 127.0.0.9, 127.0.0.2 peer-as 65002 ]", True),
    ],
)
def test_a_selector_matches_a_neighbor(text: str, matches: bool) -> None:
    assert parse_selector(text).matches(IDENTITY) == matches


def test_the_name_of_a_neighbor_selects_it() -> None:
    assert parse_selector(str(IDENTITY)).matches(IDENTITY)


def test_peer_routes_and_group_change_routes() -> None:
    add = parse_command("neighbor 127.0.0.1 announce route 10.0.0.0/24 next-hop self")
    remove = parse_command("neighbor 127.0.0.1 withdraw route 10.0.1.0/24")
    assert parse_command("peer 127.0.0.1 routes add route 10.0.0.0/24 next-hop self") == add
    assert parse_command("peer 127.0.0.1 routes remove route 10.0.1.0/24") == remove
    assert isinstance(add, RouteChange)
    assert isinstance(remove, RouteChange)
    line = "peer 127.0.0.1 group announce route 10.0.0.0/24 next-hop self ; withdraw route 10.0.1.0/24"
    assert parse_command(line) == Batch((add, remove))


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("", "empty line"),
        ("   ", "empty line"),
        ("foo", "'foo'"),
        ("Announce route 10.0.0.0/24 next-hop self", "'Announce': did you mean 'announce'?"),
        ("announce", "'announce' is not complete"),
        ("announce rout 10.0.0.0/24", "did you mean 'route'?"),
        ("announce eor ipv4", "sub-address family"),
        ("announce eor ipv4 unicst", "did you mean 'unicast'?"),
        ("announce watchdog a b", "'b'"),
        ("announce operational foo", "'foo'"),
        ("announce operational rpcq afi ipv4 safi unicast", "'sequence' is missing"),
        ("announce operational asm afi ipv4 safi unicast sequence 5", "'sequence'"),
        ("announce operational asm afi ipv5 safi unicast", "'ipv5'"),
        ("announce eor\nannounce eor", "'announce'"),
        ("announce eor ; announce eor", "';'"),
        ("show", "'show' is not complete"),
        ("show adj-rib", "'show adj-rib' is not complete"),
        ("show adj-rib sideways", "'sideways'"),
        ("show neighbor sumary", "did you mean 'summary'"),
        ("flush adj-rib in", "'adj-rib'"),
        ("neighbor 127.0.0.1", "after the selector"),
        ("neighbor", "IP address or * expected"),
        ("neighbor local-as 5 announce eor", "'local-as'"),
        ("neighbor 127.0.0.1 local-as x announce eor", "'x'"),
        ("neighbor 127.0.0.1 foo bar announce eor", "'foo'"),
        ("neighbor 127.0.0.1, announce eor", "'neighbor' expected after ','"),
        ("neighbor 127.0.0.1 reload", "'reload' takes no selector"),
        ("enable", "'peer SELECTOR' expected"),
        ("peer create", "IP address expected"),
        ("peer delete", "IP address or * expected"),
        (f"peer 127.0.0.1 shutdown {'x' * 256}", "at most 255 octets"),
        ("neighbor 127.0.0.1 teardown", "subcode expected"),
        ("neighbor 127.0.0.1 teardown x", "'x'"),
        ("neighbor 127.0.0.1 teardown 256", "'256'"),
        ("neighbor 127.0.0.1 group reload", "takes no selector"),
        ("neighbor 127.0.0.1 group announce eor", "'announce' cannot be in a group"),
        ("neighbor 127.0.0.1 group", "at least one command"),
        ("peer * group " * 2000 + "version", "a group cannot be in a group"),
        ("peer delete [ ]", "IP address or * expected, not ']'"),
        ("show neighbor peer [ ]", "IP address or * expected, not ']'"),
        ("announce raw ipv6 unicast 0x2020010db8", "'next-hop' is missing"),
        ("announce bgp-ls raw 0x0063000100", "'next-hop' is missing"),
        ("peer * routes sort", "'sort'"),
        ("system api version 5000", "'5000'"),
        ("session sync maybe", "'maybe'"),
        ("shutdown now", "'now'"),
        ('announce route "10.0.0.0/24', "closing"),
        (r'teardown "\ud800"', r"\ud800 is half of a character"),
    ],
)
def test_an_error_names_the_word(line: str, named: str) -> None:
    with pytest.raises(GrammarError) as error:
        parse_command(line)
    assert named in str(error.value)


@pytest.mark.parametrize(
    ("filter_", "shown"),
    [
        ("", set(FAMILIES)),
        (
            "inet",
            {f"{afi} {safi}" for afi in ("ipv4", "ipv6") for safi in ("unicast", "multicast", "nlri-mpls", "mpls-vpn")},
        ),
        ("flow", {f"{afi} {safi}" for afi in ("ipv4", "ipv6") for safi in ("flow", "flow-vpn")}),
        ("l2vpn", {"l2vpn vpls", "l2vpn evpn"}),
        ("ipv6 flow", {"ipv6 flow"}),
    ],
)
def test_a_filter_shows_its_families(filter_: str, shown: set[str]) -> None:
    show = ShowAdjRib("out", filter=filter_)
    assert {name for name, family in FAMILIES.items() if show.shows(family)} == shown
    assert not ShowAdjRib("out", filter="l2vpn").shows(Family(1, 1))


def test_every_command_has_help_and_a_name_of_its_own() -> None:
    assert all(row.help for row in COMMANDS)
    assert len({row.name for row in COMMANDS}) == len(COMMANDS)


WORDS = sorted({word for row in COMMANDS for word in row.name.split()} | {"neighbor", "127.0.0.1", "*", ",", "[", "]"})


TEXT_COMMANDS = (
    "peer 127.0.0.1 shutdown {}",
    "announce operational asm afi ipv4 safi unicast advisory {}",
    "teardown {}",
    "announce watchdog {}",
    "announce route 10.0.0.0/24 next-hop self watchdog {}",
)
HALVES = st.lists(st.sampled_from([r"\ud83c", r"\udf89", r"\u0041", "x"]), max_size=4).map("".join)


@given(st.sampled_from(TEXT_COMMANDS), HALVES)
def test_whatever_characters_a_text_names_it_and_its_error_can_be_written(line: str, text: str) -> None:
    try:
        said = repr(parse_command(line.format(f'"{text}"')))
    except GrammarError as error:
        said = str(error)
    assert said.encode()
    assert r"\ud" not in said or "half of a character" in said


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), max_size=10).map(" ".join))
def test_any_line_is_a_command_or_a_grammar_error(line: str) -> None:
    with suppress(GrammarError):
        parse_command(line)


@pytest.mark.parametrize("word", ["sync", "async"])
def test_a_command_of_release_6_may_end_with_how_it_is_acknowledged(word: str) -> None:
    line = "peer * announce route 10.0.0.0/24 next-hop self"
    command = parse_command(line)
    assert isinstance(command, RouteChange)
    assert parse_command(f"{line} {word}") == replace(command, wait=word == "sync")
    assert parse_command(f"announce watchdog {word}") == Watchdog(EVERYONE, True, word)
    assert parse_command(f"peer 127.0.0.1 announce eor ipv4 unicast {word}") == parse_command(
        "peer 127.0.0.1 announce eor ipv4 unicast"
    )
    with pytest.raises(GrammarError, match="'next-hop' is missing"):
        parse_command(f"announce route 10.0.0.0/24 {word}")
    with pytest.raises(GrammarError):
        parse_command(f"announce route 10.0.0.0/24 next-hop self {word} {word}")


def test_routes_of_a_family_are_added_and_removed_as_release_6_says_it() -> None:
    tail = "10.0.0.0/24 next-hop self"
    for line, old in (
        (f"peer * routes add route {tail}", f"peer * announce route {tail}"),
        (f"peer * routes ipv4 add route {tail}", f"peer * announce route {tail}"),
        (f"peer * routes ipv4 unicast add route {tail}", f"peer * announce ipv4 unicast {tail}"),
        (f"peer * routes ipv4 multicast remove route {tail}", f"peer * withdraw ipv4 multicast {tail}"),
    ):
        assert parse_command(line) == parse_command(old)
    with pytest.raises(GrammarError, match="word after 'routes'"):
        parse_command("peer * routes ipv4 unicast adds route 10.0.0.0/24")
