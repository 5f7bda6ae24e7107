"""Broken configurations: each error stands at its place and says what was expected. ‸ marks the place."""

from __future__ import annotations

import pytest

from apid.config.errors import ConfigurationError, ConfigurationErrors
from bgp.family import IPV4_UNICAST, IPV6_UNICAST
from tests.unit.config_dump import compiled, errors_of, marked, neighbor

MANDATORY = "router-id 10.0.0.1; local-as 1; peer-as 2;"
CAT = "process cat { run /bin/cat; encoder json; }\n"

BROKEN: list[tuple[str, str, str]] = [
    # Shape
    (
        "a missing semicolon",
        neighbor("hold-time 30‸\n\tpassive;"),
        "';' expected at the end of the statement",
    ),
    (
        "a missing semicolon before a comment",
        neighbor("hold-time 30‸ # seconds\n\tpassive;"),
        "';' expected at the end of the statement",
    ),
    (
        "a missing semicolon at the end of the file",
        neighbor("") + "neighbor 127.0.0.3 { " + MANDATORY + "passive‸",
        "';' expected at the end of the statement",
    ),
    ("a string without its end", neighbor('description ‸"edge;'), 'the string that begins here has no closing "'),
    ("a section without a name", neighbor("‸{ }"), "a section has a name before its '{'"),
    (
        "a variable that is not set",
        neighbor("md5-password ‸${NOT_SET};"),
        "the environment variable NOT_SET is not set",
    ),
    (
        "an argument that no program can have",
        'process cat { run /bin/cat "-n" ‸"a\\u0000b"; encoder json; }',
        r"the character \u0000 cannot stand in the name or an argument of a program",
    ),
    # Words
    (
        "an unknown directive",
        neighbor("‸holdtime 30;"),
        "unknown directive of neighbor 'holdtime': did you mean 'hold-time'?",
    ),
    ("an unknown section", neighbor("‸statics { }"), "unknown section of neighbor 'statics': did you mean 'static'?"),
    (
        "an unknown section of the file",
        "‸neighbour 127.0.0.2 { }",
        "unknown section of root 'neighbour': did you mean 'neighbor'?",
    ),
    (
        "a directive outside of sections",
        "‸hold-time 30;",
        "unknown directive of root 'hold-time': expected one of neighbor, process, template",
    ),
    ("a section without braces", neighbor("‸family ipv4 unicast;"), "'family' is a section: family { … } expected"),
    (
        "an unknown capability",
        neighbor("capability { ‸route-refrsh; }"),
        "unknown directive of capability 'route-refrsh': did you mean 'route-refresh'?",
    ),
    (
        "a word in upper case",
        neighbor("‸PASSIVE;"),
        (
            "unknown directive of neighbor 'PASSIVE': expected local-address, local-as, peer-as, router-id, hold-time, "
            "passive, md5-password or another directive, or a section such as family, capability, api, static, flow"
        ),
    ),
    (
        "a capability that is off or on",
        neighbor("capability { add-path ‸enable; }"),
        "unknown word 'enable': expected one of send, receive, send/receive, disable, disabled",
    ),
    (
        "a variable that is not closed",
        neighbor("hold-time ‸${FOO;\npassive;"),
        "the ${ that begins here has no closing }: ${NAME} expected",
    ),
    (
        "a variable with a space",
        neighbor("hold-time 1‸${F OO};\npassive;"),
        "'F OO' is not the name of an environment variable",
    ),
    (
        "a variable that is not closed before a brace",
        "neighbor ‸${PEER { local-as 1; peer-as 2; }",
        "the ${ that begins here has no closing }: ${NAME} expected",
    ),
    (
        "a protocol that nobody knows",
        neighbor("flow { route { match { protocol ‸foo; } } }"),
        (
            "unknown protocol 'foo': expected one of 0..255, ah, egp, esp, gre, icmp, icmpv6, igmp, ipip, ipv6-icmp, "
            "ospf, pim, rsvp, sctp, tcp, udp, vrrp"
        ),
    ),
    (
        "an attribute that nobody knows",
        neighbor("static { route 10.0.0.0/8 ‸quux 5; }"),
        (
            "unknown attribute 'quux': expected next-hop, as-path, med, local-preference, community, large-community "
            "or another attribute"
        ),
    ),
    (
        "an action that nobody knows",
        neighbor("flow { route { match { port 1; } then { ‸quux; } } }"),
        (
            "unknown attribute 'quux': expected accept, discard, rate-limit, redirect, redirect-to-nexthop, "
            "redirect-to-nexthop-ietf, copy, mark, action, interface-set, next-hop, as-path, med, local-preference, "
            "community, large-community or another attribute"
        ),
    ),
    # Neighbors
    (
        "a peer that is a name",
        neighbor("", "‸router1"),
        "'router1' is not an IP address: the address of the peer, or a prefix, expected",
    ),
    (
        "a peer with a bad length",
        neighbor("passive;", "‸10.0.0.0/33"),
        "33 is not in the range 0 to 32: the address of the peer, or a prefix, expected",
    ),
    (
        "a neighbor without address",
        "‸neighbor { " + MANDATORY + "}",
        "a neighbor has the address of its peer: neighbor ADDRESS { … }",
    ),
    ("two addresses", neighbor("", "127.0.0.2 ‸127.0.0.3"), "'{' expected, not '127.0.0.3'"),
    ("no local-as", "neighbor ‸127.0.0.2 { router-id 10.0.0.1; peer-as 2; }", "the neighbor 127.0.0.2 has no local-as"),
    ("no peer-as", "neighbor ‸127.0.0.2 { router-id 10.0.0.1; local-as 2; }", "the neighbor 127.0.0.2 has no peer-as"),
    (
        "no router-id, automatic address",
        "neighbor ‸127.0.0.2 { local-as 1; peer-as 2; }",
        "the neighbor 127.0.0.2 has no router-id, and its local-address is automatic",
    ),
    (
        "no router-id, IPv6",
        "neighbor ‸::2 { local-address ::1; local-as 1; peer-as 2; }",
        "the neighbor ::2 has no router-id, and its peer is IPv6",
    ),
    (
        "a range that is not passive",
        neighbor("", "‸127.0.0.0/24"),
        "the peer 127.0.0.0/24 is a range of addresses: only a passive neighbor can have one",
    ),
    (
        "listen without local-address",
        "neighbor 127.0.0.2 { " + MANDATORY + " ‸listen 1790; }",
        "'listen' needs an explicit local-address to listen on",
    ),
    (
        "a password that is not base64",
        neighbor("‸md5-password a!; md5-base64 true;"),
        "md5-password is not base64: Only base64 data is allowed",
    ),
    (
        "a neighbor twice",
        neighbor("") + neighbor("hold-time 30;", "‸127.0.0.2"),
        "the neighbor 127.0.0.2 is defined twice, here and in test.conf:1",
    ),
    (
        "a neighbor twice, other families",
        neighbor("") + neighbor("family { ipv4 unicast; }", "‸127.0.0.2"),
        "the neighbor 127.0.0.2 is defined twice, here and in test.conf:1",
    ),
    (
        "a port twice",
        neighbor("listen 1;") + neighbor("listen 1; hold-time 3;", "‸127.0.0.2"),
        "the neighbor 127.0.0.2 is defined twice, here and in test.conf:1",
    ),
    # Templates
    ("an unknown template", neighbor("inherit ‸customer;"), "unknown template 'customer': the file defines none"),
    (
        "a template that inherits itself",
        "template { neighbor a { inherit b; } neighbor b { inherit ‸a; } }\n" + neighbor("inherit a;"),
        "a template inherits itself: a inherits b inherits a",
    ),
    (
        "a template twice",
        "template { neighbor a { } neighbor ‸a { } }",
        "the template 'a' is defined twice, here and on line 1",
    ),
    ("a template without name", "template { ‸neighbor { } }", "a template has one name: neighbor NAME { … }"),
    (
        "an error inside an unused template",
        "template { neighbor a { hold-time ‸1; } }",
        "1 is neither 0 nor in the range 3 to 65535",
    ),
    ("inherit without name", neighbor("inherit‸;"), "'[' or the name of a template expected, but the statement ends"),
    ("inherit without brackets", neighbor("inherit a ‸b;"), "end of statement expected, not 'b'"),
    ("a list without its end", neighbor("inherit [ a b‸;"), "']' expected, but the statement ends"),
    # Helpers
    (
        "an undefined process",
        neighbor("api { processes [ ‸dog ]; }"),
        "the process 'dog' of the neighbor 127.0.0.2 is not defined",
    ),
    (
        "a pattern without match",
        CAT + neighbor("api { processes-match [ ‸^dog ]; }"),
        "no process matches '^dog' of the neighbor 127.0.0.2",
    ),
    (
        "a pattern that is none",
        CAT + neighbor('api { processes-match [ ‸"(" ]; }'),
        "'(' is not a regular expression: missing ), unterminated subpattern at position 0",
    ),
    (
        "a pattern with a number that is too large",
        CAT + neighbor('api { processes-match [ ‸"a{99999999999999999999}" ]; }'),
        "'a{99999999999999999999}' is not a regular expression: the repetition number is too large",
    ),
    (
        "a pattern with more brackets than Python follows",
        CAT + neighbor(f'api {{ processes-match [ ‸"{"(" * 2000}" ]; }}'),
        "",
    ),
    (
        "names and patterns",
        CAT + neighbor("api { processes [ cat ]; processes-match [ ‸cat ]; }"),
        "'processes' and 'processes-match' exclude each other within a neighbor",
    ),
    (
        "two api sections of one name",
        CAT + neighbor("api a { processes [ cat ]; } ‸api a { }"),
        "the neighbor 127.0.0.2 has two api sections named 'a'",
    ),
    (
        "an unknown message",
        CAT + neighbor("api { receive { ‸updat; } }"),
        "unknown directive of messages 'updat': did you mean 'update'?",
    ),
    (
        "a process twice",
        CAT + "process ‸cat { run /bin/cat; }",
        "the process 'cat' is defined twice, here and on line 1",
    ),
    (
        "a process without program",
        "‸process cat { encoder json; }",
        "the process 'cat' has no program: 'run PROGRAM;' expected",
    ),
    ("a process without name", "‸process { run /bin/cat; }", "a process has a name: process NAME { … }"),
    (
        "a process with a bad name",
        "process ‸a/b { run /bin/cat; }",
        "'a/b' is not the name of a process: letters, digits, '.', '_' and '-' expected",
    ),
    ("run without program", "process cat { ‸run; }", "a program expected: run PROGRAM ARGUMENT…"),
    (
        "a program that does not exist",
        "process cat { run ‸/bin/no-such-cat; }",
        "the program /bin/no-such-cat does not exist",
    ),
    ("a program that is a directory", "process cat { run ‸/bin; }", "/bin is a directory, not a program"),
    (
        "an unknown encoder",
        "process cat { run /bin/cat; encoder ‸xml; }",
        "unknown word 'xml': expected one of text, json",
    ),
    (
        "an unknown layout",
        "process cat { run /bin/cat; json-layout ‸by-peer; }",
        "unknown word 'by-peer': expected one of by-prefix, by-next-hop",
    ),
    (
        "an unknown dialect",
        "process cat { run /bin/cat; json-version ‸7; }",
        "unknown word '7': expected one of 4, 5, 6",
    ),
    # Routes
    (
        "a route of a family that is not offered",
        neighbor("family { ipv4 unicast; } static { ‸route 2001:db8::/32 next-hop ::1; }"),
        "a route of ipv6 unicast is announced, which is not a family of this neighbor",
    ),
    ("a bad prefix", neighbor("static { route ‸10.0.0.300/8 next-hop 192.0.2.1; }"), ""),
    ("an unknown attribute", neighbor("static { route 10.0.0.0/8 next-hop 192.0.2.1 ‸mde 5; }"), ""),
    (
        "an unknown attribute in a block",
        neighbor("static {\n\troute 10.0.0.0/8 {\n\t\tnext-hop 192.0.2.1;\n\t\t‸mde 5;\n\t}\n}"),
        "",
    ),
    ("an unknown statement of static", neighbor("static { ‸unicast 10.0.0.0/8 next-hop 192.0.2.1; }"), ""),
    (
        "a route outside of its section",
        neighbor("announce { ‸unicast 10.0.0.0/8 next-hop 192.0.2.1; }"),
        "unknown directive of announce 'unicast': expected one of ipv4, ipv6, l2vpn",
    ),
    (
        "an operational message that lacks something",
        neighbor("operational { ‸rpcp afi ipv4 safi unicast sequence 5; }"),
        "rpcp needs counter",
    ),
    (
        "a number beyond 32 bits",
        neighbor("operational { rpcq afi ipv4 safi unicast sequence ‸4294967296; }"),
        "4294967296 is not in the range 0 to 4294967295",
    ),
    # Files
    ("a file that does not exist", neighbor("include ‸none.conf;"), ""),
    ("include without a name", neighbor("‸include;"), 'one file name expected: include "FILE";'),
]


@pytest.mark.parametrize(("text", "message"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_an_error_stands_at_its_place_and_says_what_was_expected(text: str, message: str) -> None:
    plain, line, column = marked(text)
    errors = errors_of(plain)
    assert [(error[0], error[1]) for error in errors] == [(line, column)]
    if message:  # the words of routes and of the system are tested elsewhere
        assert errors[0][2] == message


MOVED: list[tuple[str, str]] = [
    ("‸group a { router-id 1.2.3.4; }", "template { neighbor NAME { … } }"),
    (neighbor("‸ttl-security 5;"), "incoming-ttl N;"),
    (neighbor("‸route-refresh;"), "capability { route-refresh; }"),
    (neighbor("‸graceful-restart 5;"), "capability { graceful-restart; }"),
    (neighbor("‸process a { run /bin/cat; }"), "process NAME { … } beside the neighbor"),
    (neighbor("‸route 10.0.0.0/8 next-hop 1.2.3.4;"), "static { route …; }"),
    (neighbor("‸tcp-ao { keyid 1; }"), "ExaBGP 6"),
    ("process a { run /bin/cat; ‸receive-routes; }", "api { processes [ NAME ]; receive { parsed; update; } }"),
    ("process a { run /bin/cat; ‸peer-updates; }", "neighbor-changes;"),
    (CAT + neighbor("api { processes [ cat ]; ‸receive-routes; }"), "receive { parsed; update; }"),
    (CAT + neighbor("api { processes [ cat ]; receive { ‸all; } }"), "name each message"),
]


@pytest.mark.parametrize(("text", "hint"), MOVED)
def test_a_form_of_another_release_is_answered_with_the_form_of_today(text: str, hint: str) -> None:
    plain, line, column = marked(text)
    with pytest.raises(ConfigurationErrors) as caught:
        compiled(plain)
    (error,) = caught.value.errors
    assert (error.line, error.column) == (line, column)
    assert hint in error.hint


REPLACED: list[tuple[str, str]] = [
    (CAT + neighbor("api { processes [ cat ];\n‸processes [ cat ]; }"), "'processes' replaces its value of line 3"),
    (
        CAT + neighbor("api { processes-match [ cat ];\n‸processes-match [ c ]; }"),
        "'processes-match' replaces its value of line 3",
    ),
    (CAT + neighbor("api { fsm;\n‸fsm false; }"), "'fsm' replaces its value of line 3"),
    (neighbor("api { receive { update; }\nreceive { ‸update false; } }"), "'update' replaces its value of line 2"),
    (neighbor("capability { asn4; }\ncapability { ‸asn4 false; }"), "'asn4' replaces its value of line 2"),
    ("process cat { run /bin/sh;\n‸run /bin/cat; }\n" + neighbor(""), "'run' replaces its value of line 1"),
]


@pytest.mark.parametrize(("text", "message"), REPLACED)
def test_a_statement_that_is_given_twice_counts_the_second_time_and_says_so(text: str, message: str) -> None:
    plain, line, column = marked(text)
    (warning,) = compiled(plain).warnings
    assert (warning.line, warning.column, warning.message) == (line, column, message)


@pytest.mark.parametrize(
    ("body", "peer", "reason"),
    [
        ("‸adj-rib-out false; capability { route-refresh; }", "127.0.0.2", "the capability route-refresh"),
        ("‸adj-rib-out false; flow-limit 9;", "127.0.0.2", "flow-limit"),
        ("‸adj-rib-out false; passive;", "127.0.0.0/24", "a range of addresses"),
    ],
)
def test_what_was_sent_is_kept_where_it_is_needed_and_that_is_said(body: str, peer: str, reason: str) -> None:
    plain, line, column = marked(neighbor(body, peer))
    configuration = compiled(plain)
    (warning,) = configuration.warnings
    message = f"adj-rib-out stays on: {reason} needs it"
    assert (warning.line, warning.column, warning.message) == (line, column, message)
    assert configuration.neighbors[0].adj_rib_out


def test_the_last_names_of_processes_and_the_last_program_count() -> None:
    dog = "process dog { run /bin/sh; run /bin/cat; encoder json; }\n"
    configuration = compiled(CAT + dog + neighbor("api { processes [ cat ]; processes [ dog ]; }"))
    assert configuration.neighbors[0].api[0].processes == ("dog",)
    assert configuration.processes[1].run == ("/bin/cat",)


def test_families_of_a_later_section_replace_all_families() -> None:
    configuration = compiled(neighbor("family { all; }\nfamily { ipv4 unicast; ipv6 unicast; }"))
    assert configuration.neighbors[0].families == (IPV4_UNICAST, IPV6_UNICAST)
    (warning,) = configuration.warnings
    assert (warning.line, warning.message) == (3, "ipv4 unicast replaces 'all' of line 2")


def test_all_errors_of_a_file_are_reported_in_order() -> None:
    text = neighbor("hold-time 1;\npassive maybe;\nmd5-ip x\nfoo;")
    assert [line for line, _, _ in errors_of(text)] == [2, 3, 4, 4, 5]


def test_each_statement_of_a_block_of_routes_is_read_for_itself() -> None:
    text = neighbor(
        """flow { route x { match {
        destination-port 99999;
        tcp-flags [ foo ];
        dscp 64; }
        then {
        mark 64;
        bar; } } }
        static { route 10.0.0.0/24 {
        nexthop self;
        med x;
        foo 1; } }
        l2vpn { vpls x {
        endpoint x;
        rd 1:1;
        base ; size 1 2; } }
        passive maybe;"""
    )
    assert [line for line, _, _ in errors_of(text)] == [3, 4, 5, 7, 8, 10, 11, 12, 14, 16, 16, 17]


ROWS = [
    "route 10.0.0.0/24 next-hop ‸1.2.3 med 5 community ‸x;",
    "route ‸10.0.0.0/33 next-hop self med ‸y;",
    "route ‸10.0.0.0/33 { next-hop self; med ‸y; }",
    "route ‸next-hop 1.2.3.4 med ‸x;",
    # An unknown word, and what may be its value, is passed over; a missing value is no reason to miss the next keyword.
    "route 10.0.0.0/24 ‸meds 5 community [ 1:1 ‸x 2:2 ] origin ‸igb;",
    "route 10.0.0.0/24 next-hop ‸med 5 local-preference ‸-1;",
    "route 10.0.0.0/24 next-hop self med‸;",
    # Words in brackets are no keywords; behind a bracket that does not close nothing is certain.
    "route 10.0.0.0/24 next-hop self community [ 1:1 ‸med 5 ] med ‸x;",
    "route 10.0.0.0/24 next-hop self community [ 1:1 ‸med 5 local-preference x;",
    "route 10.0.0.0/24 next-hop self as-path [ 1 2 ] ‸] med ‸x;",
    # What is missing as a whole is told once the words are right.
    "route 10.0.0.0/24 med ‸x;",
    "attributes med ‸x next-hop self nlri 10.0.0.0/24 ‸10.0.0.0/33 ‸2001:db8::/32 ‸10.0.0.1/24;",
    "attributes med ‸x next-hop self ‸nrli 10.0.0.0/24;",
]
ROWS_OF_FAMILIES = [
    "ipv4 { flow destination ‸10.0.0.0/33 protocol ‸foo rate-limit ‸abc discard; }",
    "ipv4 { flow destination 10.0.0.0/24 destination ‸10.0.1.0/24 source ‸2001:db8::/32 discard ‸foo 1 mark ‸64; }",
    "ipv4 { mup mup-isd ‸10.0.0.0/33 rd ‸x next-hop ‸1.2.3; }",
    "ipv4 { mup mup-t2st ‸10.0.0 teid ‸5 rd 1:1; }",
    "ipv4 { mcast-vpn source-ad source ‸x group ‸y rd ‸z; }",
    "ipv4 { rtc ‸x next-hop ‸y; }",
    "l2vpn { vpls ‸endpiont 5 base ‸x rd ‸1; }",
    "l2vpn { vpls 1.2.3.4 ‸70000 8 rd ‸x; }",
    "l2vpn { evpn mac ‸zz 1.2.3.4 5 rd ‸x label [ 1 2 3 ‸] esi ‸7; }",
]


@pytest.mark.parametrize(
    "row", [f"static {{ {row} }}" for row in ROWS] + [f"announce {{ {row} }}" for row in ROWS_OF_FAMILIES]
)
def test_each_keyword_of_a_row_is_read_for_itself(row: str) -> None:
    seen = row.replace("‸", "")
    for _, column, _ in reversed(errors_of(neighbor(seen))):
        seen = f"{seen[: column - 1]}‸{seen[column - 1 :]}"
    assert seen == row


def test_sections_within_a_block_are_left_out_as_a_whole_where_they_are_unknown() -> None:
    text = neighbor("flow { route x {\nmatsch { port 1;\nport x; }\nthen {\ndiscord; } } }")
    assert [line for line, _, _ in errors_of(text)] == [3, 6]


def test_a_block_without_its_end_is_reported_with_what_is_wrong_before() -> None:
    text = neighbor("static {\nroute 10.0.0.0/8 {\nmed x;\nnext-hop y;").rstrip("}\n")
    assert [line for line, _, _ in errors_of(text)] == [4, 5]


def test_every_route_of_a_family_that_the_neighbor_lacks_is_reported() -> None:
    routes = "route ::/0 next-hop ::1;\nroute 10.0.0.0/8 next-hop self;\nroute 1::/16 next-hop ::1;"
    text = neighbor("family { ipv4 unicast; } static {\n" + routes + " }")
    assert [line for line, _, _ in errors_of(text)] == [3, 5]


def test_what_is_wrong_inside_a_group_of_an_older_release_is_reported_too() -> None:
    text = "group a {\nrouter-id x;\nneighbor 127.0.0.2 {\nhold-time 1;\nstatic { route x; } } }\n"
    assert [line for line, _, _ in errors_of(text)] == [1, 2, 4, 5]


def test_an_error_shows_its_line_with_a_caret_below_the_place() -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        compiled(neighbor("\thold-time 1;"))
    assert str(caught.value) == (
        "test.conf:2:12: 1 is neither 0 nor in the range 3 to 65535\n        hold-time 1;\n                  ^"
    )


@pytest.mark.parametrize("key", ["S3cret", '"S3cret key"', '"S3\\"cret"'])
def test_an_error_shows_no_key_of_its_line(key: str) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        compiled(neighbor(f"md5-password {key}; hold-time 1;"))
    said = str(caught.value)
    assert "S3" not in said
    assert "cret" not in said
    place, caret = said.split("\n")[1:]
    assert place[caret.index("^") :] == "1;"


@pytest.mark.parametrize("before", ["", "description x; ", "passive; md5-password S3cret; "])
def test_of_a_long_line_the_part_around_the_place_is_shown(before: str) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        compiled(neighbor(before + " " * 195 + "hold-time 1; " + "x" * 1000))
    said, shown, caret = str(caught.value.errors[0]).split("\n")
    assert said == f"test.conf:2:{len(before) + 206}: 1 is neither 0 nor in the range 3 to 65535"
    assert len(shown) <= 4 + 2 * 200 + 1
    assert shown.startswith("    …")
    assert shown.endswith("x…")
    assert shown[caret.index("^") :].startswith("1; xxx")
    assert "cret" not in shown


def test_a_long_word_is_shown_in_part() -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        compiled(neighbor("hold-time " + "1" * 100_000 + ";"))
    assert len(str(caught.value)) < 1000
    assert "in the range 3 to 65535" in str(caught.value)


def test_a_hint_follows_below() -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        compiled(neighbor("ttl-security 5;"))
    assert str(caught.value).endswith("\n    write 'incoming-ttl N;', and 'outgoing-ttl N;' for what is sent")


def test_of_very_many_errors_the_first_are_shown_and_the_others_counted() -> None:
    errors = ConfigurationErrors([ConfigurationError("a.conf", line, 1, "wrong") for line in range(1, 201)])
    assert str(errors).count("wrong") == 50
    assert str(errors).endswith("and 150 more errors")


def test_an_error_in_a_template_comes_once_for_all_its_heirs() -> None:
    text = "template { neighbor a { family { ipv4 unicast; } static {\nroute 2001:db8::/32 next-hop ::1; } } }\n"
    text += neighbor("inherit a;") + neighbor("inherit a;", "127.0.0.3")
    assert [line for line, _, _ in errors_of(text)] == [2]
