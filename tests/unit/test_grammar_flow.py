"""FlowSpec rules: forms that the oracle refuses or gets wrong, and every error. Others are golden vectors."""

from __future__ import annotations

import pytest

from apid.grammar.command import RouteChange, parse_command
from apid.grammar.flow import ACTIONS, MATCHES, PREFIX_MATCHES
from apid.grammar.route import RouteEntry
from apid.grammar.words import GrammarError
from bgp.nlri import Flow, OperatorComponent, decode
from bgp.route import decode_set


def rule(text: str) -> RouteEntry:
    command = parse_command(f"announce flow route {text}")
    assert isinstance(command, RouteChange)
    (entry,) = command.entries
    return entry


def operators(text: str) -> list[tuple[int, int]]:
    entry = rule(text)
    flow = decode(entry.family, entry.items[0])
    assert isinstance(flow, Flow)
    (component,) = flow.components
    assert isinstance(component, OperatorComponent)
    return [(term.operator, term.value) for term in component.terms]


@pytest.mark.parametrize(
    ("match", "terms"),
    [
        ("port true", [(7, 0)]),
        ("port false", [(0, 0)]),
        ("port [ >80, <90 ]", [(2, 80), (4, 90)]),
        ("port =80&=90", [(1, 80), (0x41, 90)]),
        ("port [ =http =https >=1024&<=2048 ]", [(1, 80), (1, 443), (3, 1024), (0x45, 2048)]),
        ("tcp-flags [ =syn+ack !rst !=fin ]", [(1, 0x12), (2, 4), (3, 1)]),
        ("tcp-flags syn&!ack", [(0, 2), (0x42, 0x10)]),
        ("fragment [ !is-fragment first-fragment+last-fragment ]", [(2, 2), (0, 12)]),
        ("protocol [ icmpv6 =6 ]", [(1, 58), (1, 6)]),
    ],
)
def test_operators_are_read(match: str, terms: list[tuple[int, int]]) -> None:
    assert operators(match) == terms


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("source 10.0.0.0/8", "ipv4 flow"),
        ("source 2001:db8::/32", "ipv6 flow"),
        ("flow-label 5", "ipv6 flow"),
        ("protocol tcp", "ipv4 flow"),
        ("rd 1:1 source 10.0.0.0/8", "ipv4 flow-vpn"),
        ("{ rd 1:1; match { source 2001:db8::/32; } }", "ipv6 flow-vpn"),
    ],
)
def test_a_rule_is_of_its_family(text: str, family: str) -> None:
    assert str(rule(text).family) == family


@pytest.mark.parametrize(
    ("action", "communities", "next_hop"),
    [
        ("redirect 1.2.3.4:5", "8108010203040005", None),
        ("redirect [2001:db8::1]", "0800000000000000", "20010db8000000000000000000000001"),
        ("redirect-to-nexthop next-hop 1.2.3.4", "0800000000000000", "01020304"),
        ("next-hop 1.2.3.4 redirect-to-nexthop", "0800000000000000", "01020304"),
        ("copy 1.2.3.4", "0800000000000001", "01020304"),
        ("rate-limit 5 packets", "800c000040a00000", None),
        ("discard mark 5", "80060000000000008009000000000005", None),
        ("extended-community [ rate-limit:1000 ]", "80060000447a0000", None),
    ],
)
def test_an_action_has_its_octets(action: str, communities: str, next_hop: str | None) -> None:
    attributes, found = decode_set(rule(f"protocol tcp {action}").attributes)
    assert b"".join(attributes[16].values).hex() == communities  # type: ignore[attr-defined]
    assert (found.hex() if found is not None else None) == next_hop


@pytest.mark.parametrize(
    ("rule_text", "next_hop"),
    [
        ("next-hop 1.2.3.4; match { protocol tcp; } then { redirect 5.6.7.8; }", "05060708"),
        ("next-hop 1.2.3.4; match { protocol tcp; } then { copy 5.6.7.8; }", "05060708"),
        ("match { protocol tcp; } then { redirect 5.6.7.8; } next-hop 1.2.3.4;", "01020304"),
        ("match { protocol tcp; } then { redirect 5.6.7.8; copy 9.9.9.9; }", "09090909"),
        ("next-hop 1.2.3.4; next-hop 5.6.7.8; match { protocol tcp; } then { redirect-to-nexthop; }", "05060708"),
    ],
)
def test_of_the_next_hops_that_a_rule_says_the_last_counts(rule_text: str, next_hop: str) -> None:
    _, found = decode_set(rule(f"{{ {rule_text} }}").attributes)
    assert found is not None
    assert found.hex() == next_hop


def test_a_redirect_to_a_vrf_leaves_out_the_next_hop_before_it_unless_another_action_needs_it() -> None:
    for then, next_hop in (("redirect 5:6;", None), ("redirect-to-nexthop; redirect 5:6;", bytes((1, 2, 3, 4)))):
        found = rule(f"{{ rd 1:1; next-hop 1.2.3.4; match {{ protocol tcp; }} then {{ {then} }} }}")
        assert decode_set(found.attributes)[1] == next_hop


def test_a_redirect_to_an_ipv6_route_target_is_an_ipv6_community() -> None:
    attributes, _ = decode_set(rule("protocol tcp redirect [2001:db8::1]:5").attributes)
    assert attributes[25].values[0].hex() == "000d20010db80000000000000000000000010005"  # type: ignore[attr-defined]


def test_the_forms_of_a_rule_mean_the_same() -> None:
    block = parse_command("announce flow route { match { source 10.0.0.0/8; protocol =tcp; } then { discard; } }")
    for form in (
        "announce flow route protocol tcp source 10.0.0.0/8 discard",
        "announce flowspec route source-ipv4 10.0.0.0/8 protocol tcp discard",
        "announce ipv4 flow source 10.0.0.0/8 protocol tcp discard",
        "announce ipv4 flow route source 10.0.0.1/8 protocol tcp discard",
    ):
        assert parse_command(form) == block


def test_a_rule_without_then_is_accepted() -> None:
    assert rule("{ match { source 10.0.0.0/8; } }").attributes.hex() == "40010100"


def test_a_named_rule_keeps_its_name() -> None:
    assert rule("block-it { match { source 10.0.0.0/8; } then { accept; } }").name == "block-it"


def test_withdrawing_takes_the_actions_as_what_stands_beside_the_withdrawal() -> None:
    command = parse_command("withdraw flow route { match { source 10.0.0.0/8; } then { discard; } }")
    assert isinstance(command, RouteChange)
    assert command.entries[0].attributes == rule("source 10.0.0.0/8 discard").attributes
    assert command.entries[0].items == rule("source 10.0.0.0/8 discard").items


ERRORS = (
    ("", "empty"),
    ("discard", "empty"),
    ("{ match { } then { discard; } }", "empty"),
    ("{ match { source 10.0.0.0/8 } }", "';' expected, not '}'"),
    ("{ match { source 10.0.0.0/8; } then { discard } }", "';' expected, not '}'"),
    ("{ match { sauce 10.0.0.0/8; } }", "did you mean 'source'"),
    ("{ match { source 10.0.0.0/8; } then { dicsard; } }", "did you mean 'discard'"),
    ("{ match { source 10.0.0.0/8; } scope { x; } }", "'x'"),
    ("{ match { source 10.0.0.0/8; }", "'}' expected|attribute expected"),
    ("sauce 10.0.0.0/8", "did you mean 'source'"),
    ("source 10.0.0.0/8 destination ::/0", "IPv4 or IPv6, not both"),
    ("source 10.0.0.0/8 source 11.0.0.0/8", "second prefix"),
    ("source-ipv6 10.0.0.0/8", "not an IPv6 prefix"),
    ("source 2001:db8::/32/32", "offset"),
    ("source 10.0.0.0/8/4", "10.0.0.0/8/4"),
    ("source 10.0.0.0/8 flow-label 5", "IPv4 or IPv6"),
    ("port 65536", "'65536'"),
    ("port nosuchservice", "'nosuchservice'"),
    ("port >", "without a value"),
    ("port ==80", "'=80'"),
    ("port !80", "'!80'"),
    ("port [ ]", "at least one value"),
    ("protocol 300", "'300'"),
    ("protocol tpc", "did you mean 'tcp'"),
    ("tcp-flags sny", "did you mean 'syn'"),
    ("tcp-flags >syn", "'>syn'"),
    ("dscp 64", "'64'"),
    ("flow-label 1048576", "'1048576'"),
    ("packet-length 70000", "'70000'"),
    ("protocol tcp mark 64", "'64'"),
    ("protocol tcp action foo", "'foo'"),
    ("protocol tcp rate-limit abc", "'abc'"),
    ("protocol tcp redirect x", "'x'"),
    ("protocol tcp redirect 65536:65536", "65536"),
    ("protocol tcp interface-set transitive:input:1", "transitive:input:1"),
)


@pytest.mark.parametrize(("text", "named"), ERRORS, ids=[text for text, _ in ERRORS])
def test_an_error_names_the_word(text: str, named: str) -> None:
    with pytest.raises(GrammarError) as error:
        parse_command(f"announce flow route {text}")
    assert any(part.strip("'") in str(error.value) for part in named.split("|"))


def test_a_vpn_rule_by_family_needs_a_route_distinguisher() -> None:
    with pytest.raises(GrammarError, match="'rd' is missing"):
        parse_command("announce ipv4 flow-vpn source 10.0.0.0/8 discard")


def test_every_match_and_action_of_the_reference_is_known() -> None:
    assert {"source", "destination", "source-ipv6"} <= set(PREFIX_MATCHES)
    assert {"dscp", "traffic-class", "flow-label", "tcp-flags"} <= set(MATCHES)
    assert {"accept", "discard", "copy", "redirect-to-nexthop-ietf"} <= set(ACTIONS)
