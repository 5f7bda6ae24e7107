"""Every directive: what it accepts, where its range ends, what it means bare, and what it is when absent."""

from __future__ import annotations

from typing import Any

import pytest

from apid.config.directives import CAPABILITY, EVENTS, MESSAGE_SYNONYMS, MESSAGES, NEIGHBOR, PROCESS, REQUIRED
from apid.config.draft import SECTIONS
from apid.config.model import ALL_FAMILIES, Capabilities, Neighbor
from apid.config.moved import HINTS
from bgp.family import IPV4_FLOW, IPV4_MPLS_VPN, IPV4_NLRI_MPLS, IPV4_RTC, IPV4_UNICAST, IPV6_UNICAST
from tests.unit.config_dump import compiled, errors_of, marked, neighbor

A = bytes((10, 0, 0, 9))
LOCALHOST = bytes((127, 0, 0, 1))
LONG = "a" * 255

ACCEPTED: list[tuple[str, str, Any]] = [
    ("description", "description edge;", "edge"),
    ("description", 'description "two  words";', "two  words"),
    ("description", "description two words;", "two words"),
    ("description", "description;", ""),
    ("router_id", "router-id 10.0.0.9;", A),
    ("router_id", "router-id 255.255.255.255;", b"\xff" * 4),
    ("local_address", "local-address auto;", None),
    ("local_address", "local-address 10.0.0.9;", A),
    ("source_interface", "source-interface eth0.100;", "eth0.100"),
    ("local_as", "local-as 1;", 1),
    ("local_as", "local-as 4294967295;", 2**32 - 1),
    ("local_as", "local-as 65535.65535;", 2**32 - 1),
    ("local_as", "local-as 0.1;", 1),
    ("local_as", "local-as auto;", None),
    ("peer_as", "peer-as 1.0;", 65536),
    ("peer_as", "peer-as auto;", None),
    ("hold_time", "hold-time 0;", 0),
    ("hold_time", "hold-time 3;", 3),
    ("hold_time", "hold-time 65535;", 65535),
    ("flow_limit", "flow-limit 100;", 100),
    ("flow_limit", "", None),
    ("rate_limit", "rate-limit 1;", 1),
    ("rate_limit", "rate-limit disable;", None),
    ("rate_limit", "rate-limit disabled;", None),
    ("passive", "passive;", True),
    ("passive", "passive TRUE;", True),
    ("passive", "passive enabled;", True),
    ("passive", "passive false;", False),
    ("passive", "passive disable;", False),
    ("listen", "listen 0;", 0),
    ("listen", "listen 65535;", 65535),
    ("connect", "connect 0;", 0),
    ("connect", "connect 65535;", 65535),
    ("outgoing_ttl", "outgoing-ttl 255;", 255),
    ("outgoing_ttl", "outgoing-ttl 1;", 1),
    ("outgoing_ttl", "outgoing-ttl 0;", None),
    ("outgoing_ttl", "outgoing-ttl disable;", None),
    ("outgoing_ttl", "incoming-ttl 254;", 255),
    ("outgoing_ttl", "incoming-ttl 254; outgoing-ttl 64;", 64),
    ("incoming_ttl", "incoming-ttl 255;", 255),
    ("incoming_ttl", "incoming-ttl false;", None),
    ("md5_password", "md5-password secret;", b"secret"),
    ("md5_password", 'md5-password "a b";', b"a b"),
    ("md5_password", f"md5-password {'a' * 80};", b"a" * 80),
    ("md5_password", "md5-password c2VjcmV0; md5-base64 true;", b"secret"),
    ("md5_password", "md5-password c2VjcmV0; md5-base64;", b"secret"),
    ("md5_password", "md5-password c2VjcmV0; md5-base64 auto;", b"secret"),
    ("md5_password", "md5-password s!; md5-base64 auto;", b"s!"),
    ("md5_password", "md5-password c2VjcmV0; md5-base64 false;", b"c2VjcmV0"),
    ("md5_ip", "md5-ip 10.0.0.9;", A),
    ("host_name", f"host-name {LONG};", LONG),
    ("host_name", "host-name a.b-c.1;", "a.b-c.1"),
    ("domain_name", "domain-name example.net;", "example.net"),
    ("group_updates", "group-updates;", True),
    ("group_updates", "group-updates disable;", False),
    ("auto_flush", "auto-flush;", True),
    ("auto_flush", "auto-flush false;", False),
    ("adj_rib_in", "adj-rib-in;", True),
    ("adj_rib_in", "adj-rib-in false;", False),
    ("adj_rib_out", "adj-rib-out;", True),
    ("adj_rib_out", "adj-rib-out false;", False),
    ("adj_rib_out", "adj-rib-out false; capability { route-refresh; }", True),
    ("end_of_rib_wait", "end-of-rib-wait 5;", 5),
    ("end_of_rib_wait", "end-of-rib-wait 0;", 0),
    ("manual_eor", "manual-eor;", True),
    ("manual_eor", "manual-eor false;", False),
    ("families", "family { all; }", ALL_FAMILIES),
    ("families", "family { }", ALL_FAMILIES),
    ("families", "family { ipv6 unicast; ipv4 unicast; }", (IPV4_UNICAST, IPV6_UNICAST)),
    ("families", "family { ipv4 unicast; } family { ipv6 unicast; }", (IPV4_UNICAST, IPV6_UNICAST)),
    ("families", "family { ipv4 labeled-unicast; }", (IPV4_NLRI_MPLS,)),
    ("families", "family { ipv4 flowspec; }", (IPV4_FLOW,)),
    ("families", "family { ipv4 rtc; }", (IPV4_RTC,)),
    ("families", "family { ipv4 UNICAST; ipv6 Unicast; }", (IPV4_UNICAST, IPV6_UNICAST)),
    ("next_hops", "nexthop { ipv4 unicast ipv6; ipv4 unicast ipv6; }", ((IPV4_UNICAST, 2),)),
    ("next_hops", "nexthop { ipv6 unicast ipv4; }", ((IPV6_UNICAST, 1),)),
    ("next_hops", "nexthop { ipv4 unicast ipv6; } family { ipv4 unicast; }", ((IPV4_UNICAST, 2),)),
    ("next_hops", "nexthop { ipv4 unicast ipv6; } family { ipv6 unicast; }", ()),
    ("next_hops", "nexthop { ipv4 unicast ipv6; } capability { nexthop disable; }", ()),
    ("add_path_families", "add-path { ipv4 unicast; }", ()),
    ("add_path_families", "add-path { ipv4 unicast; } capability { add-path send; }", (IPV4_UNICAST,)),
    ("add_path_families", "add-path { ipv4 flow; ipv4 mpls-vpn; } capability { add-path receive; }", (IPV4_MPLS_VPN,)),
    (
        "add_path_families",
        "family { ipv4 unicast; ipv4 flow; ipv6 unicast; } capability { add-path send/receive; }",
        (IPV4_UNICAST, IPV6_UNICAST),
    ),
    (
        "paths_limits",
        "add-path { ipv6 unicast; ipv4 unicast limit 4; } capability { add-path receive; }",
        ((IPV4_UNICAST, 4),),
    ),
    ("paths_limits", "add-path { ipv4 unicast limit 4; } capability { add-path send; }", ()),
]


def one(statements: str, peer: str = "127.0.0.2") -> Neighbor:
    return compiled(neighbor(statements, peer)).neighbors[0]


@pytest.mark.parametrize(("field", "statements", "value"), ACCEPTED)
def test_a_neighbor_takes_the_value_of_a_directive(field: str, statements: str, value: Any) -> None:
    assert getattr(one(statements), field) == value


CAPABILITIES: list[tuple[str, Capabilities]] = [
    ("", Capabilities()),
    ("asn4;", Capabilities(asn4=True)),
    ("asn4 disable;", Capabilities(asn4=False)),
    ("extended-message false;", Capabilities(extended_message=False)),
    ("extended-message;", Capabilities(extended_message=True)),
    ("route-refresh;", Capabilities(route_refresh=True)),
    ("graceful-restart 1;", Capabilities(graceful_restart=1)),
    ("graceful-restart 65535;", Capabilities(graceful_restart=65535)),
    ("graceful-restart disable;", Capabilities(graceful_restart=None)),
    ("graceful-restart;", Capabilities(graceful_restart=180)),
    ("graceful-restart 0;", Capabilities(graceful_restart=180)),
    ("add-path send;", Capabilities(add_path_send=True)),
    ("add-path receive;", Capabilities(add_path_receive=True)),
    ("add-path send/receive;", Capabilities(add_path_send=True, add_path_receive=True)),
    ("add-path disable;", Capabilities()),
    ("multi-session;", Capabilities(multi_session=True)),
    ("operational;", Capabilities(operational=True)),
    ("nexthop;", Capabilities(nexthop=True)),
    ("aigp;", Capabilities(aigp=True)),
    ("software-version;", Capabilities(software_version=True)),
    ("software-version disable;", Capabilities(software_version=False)),
    ("link-local-nexthop;", Capabilities(link_local_nexthop=True)),
    (
        "graceful-restart 9; long-lived-graceful-restart 16777215;",
        Capabilities(graceful_restart=9, long_lived_graceful_restart=0xFFFFFF),
    ),
    ("role rs-client;", Capabilities(role="rs-client")),
    ("role peer; role-strict;", Capabilities(role="peer", role_strict=True)),
]


@pytest.mark.parametrize(("statements", "expected"), CAPABILITIES)
def test_a_neighbor_takes_its_capabilities(statements: str, expected: Capabilities) -> None:
    assert one(f"capability {{ {statements} }}").capability == expected


def test_bare_graceful_restart_takes_the_hold_time() -> None:
    assert one("hold-time 30; capability { graceful-restart; }").capability.graceful_restart == 30
    assert one("hold-time 0; capability { graceful-restart; }").capability.graceful_restart is None


INEFFECTIVE = [
    ("peer-as 65001; capability { role peer; }", "role has no effect: roles are for external peers"),
    ("capability { role-strict; }", "role-strict has no effect: it needs a role"),
    (
        "capability { long-lived-graceful-restart 60; }",
        "long-lived-graceful-restart has no effect: it needs graceful-restart",
    ),
    (
        "capability { add-path send; } add-path { ipv4 unicast limit 4; }",
        "this limit has no effect: add-path does not receive",
    ),
]


@pytest.mark.parametrize(("statements", "message"), INEFFECTIVE)
def test_what_has_no_effect_is_said(statements: str, message: str) -> None:
    assert [warning.message for warning in compiled(neighbor(statements)).warnings][-1:] == [message]


def test_next_hops_switch_their_capability_on() -> None:
    assert one("nexthop { ipv4 unicast ipv6; }").capability.nexthop


REFUSED: list[tuple[str, str]] = [
    ("router-id ‸1.2.3;", "'1.2.3' is not an IPv4 address, as a router-id is"),
    ("router-id ‸::1;", "'::1' is not an IPv4 address, as a router-id is"),
    ("router-id ‸0.0.0.0;", "router-id 0.0.0.0 is refused by every peer (RFC 6286)"),
    ("router-id‸;", "an IPv4 address expected, but the statement ends"),
    ("router-id 1.2.3.4 ‸5;", "end of statement expected, not '5'"),
    ("local-address ‸10.0.0;", "'10.0.0' is not an IP address"),
    ("local-address ‸10.0.0.256;", "'10.0.0.256' is not an IP address"),
    ("‸local-address ::1;", "the local-address ::1 is not of the family of the peer 127.0.0.2"),
    ("source-interface ‸abcdefghijklmnop;", "interface name has at most 15 octets, not 16"),
    ("local-as ‸0;", "AS number 0 is not in the range 1 to 4294967295"),
    ("local-as ‸4294967296;", "AS number 4294967296 is not in the range 1 to 4294967295"),
    ("local-as ‸65536.0;", "AS number 65536.0: each half is 0 to 65535"),
    ("local-as ‸AS1;", "'AS1' is not an AS number: a number or 'high.low' expected"),
    ("peer-as ‸-1;", "'-1' is not an AS number: a number or 'high.low' expected"),
    ("hold-time ‸1;", "1 is neither 0 nor in the range 3 to 65535"),
    ("hold-time ‸2;", "2 is neither 0 nor in the range 3 to 65535"),
    ("hold-time ‸65536;", "65536 is neither 0 nor in the range 3 to 65535"),
    ("hold-time ‸x;", "'x' is neither 0 nor a number from 3 to 65535"),
    ("hold-time ‸;", "a number (0 | 3..65535) expected, but the statement ends"),
    ("flow-limit ‸many;", "'many' is not a number from 0 to 1000000"),
    (
        "‸flow-limit 1; flow { route { match { port 1; } } route { match { port 2; } } route a { match { port 1; } } }",
        "the neighbor 127.0.0.2 has 2 FlowSpec rules, its flow-limit is 1",
    ),
    ("rate-limit ‸0;", "0 is not in the range 1 to 2147483647"),
    ("passive ‸yes;", "'yes' is not a boolean: true, enable, false or disable expected"),
    ("listen ‸65536;", "65536 is not in the range 0 to 65535"),
    ("connect ‸65536;", "65536 is not in the range 0 to 65535"),
    ("connect ‸x;", "'x' is not a number from 0 to 65535"),
    ("outgoing-ttl ‸256;", "256 is not in the range 0 to 255"),
    ("incoming-ttl ‸256;", "256 is not in the range 0 to 255"),
    ("‸md5-password " + "a" * 81 + ";", "md5-password has 81 octets, 80 at most expected"),
    ('‸md5-password "";', "md5-password is empty"),
    ("md5-base64 ‸maybe;", "'maybe' is not a boolean: true, enable, false or disable expected"),
    ("md5-ip ‸x;", "'x' is not an IP address"),
    ("‸md5-ip ::1;", "the md5-ip ::1 is not of the family of the peer 127.0.0.2"),
    ("host-name ‸a_b;", "'a_b' is not a host name: letters, digits, '.' and '-' expected"),
    ("host-name ‸-a;", "'-a' is not a host name: it starts and ends with a letter or digit"),
    ("host-name ‸a.;", "'a.' is not a host name: it starts and ends with a letter or digit"),
    ("host-name ‸a..b;", "'a..b' is not a host name: it has an empty label"),
    (f"host-name ‸{LONG}a;", "a host name has at most 255 characters, not 256"),
    ("family { ipv4 ‸unicats; }", "unknown SAFI of ipv4 'unicats': did you mean 'unicast'?"),
    ("family { ‸ipv5 unicast; }", "unknown AFI 'ipv5': did you mean 'ipv6'?"),
    ("family { ipv4‸; }", "a SAFI of ipv4 expected, but the statement ends"),
    ("family { l2vpn ‸unicast; }", "unknown SAFI of l2vpn 'unicast': expected one of evpn, vpls"),
    ("family { ipv4 unicast; ‸ipv4 unicast; }", "ipv4 unicast is listed twice, here and on line 2"),
    ("family { all; ‸ipv4 unicast; }", "'all' includes ipv4 unicast: it stands alone"),
    ("family { ipv4 unicast; ‸all; }", "'all' stands alone, without other families"),
    ("capability { graceful-restart ‸65536; }", "65536 is not in the range 0 to 65535"),
    ("capability { graceful-restart ‸x; }", "'x' is not one of: 0..65535 | disable | disabled | false"),
    (
        "capability { add-path ‸both; }",
        "unknown word 'both': expected one of send, receive, send/receive, disable, disabled",
    ),
    ("capability { asn4 ‸4; }", "'4' is not a boolean: true, enable, false or disable expected"),
    ("add-path { ipv4 unicast limit ‸0; }", "0 is not in the range 1 to 65535"),
    ("add-path { ipv4 unicast limit ‸many; }", "'many' is not a number from 1 to 65535"),
    (
        f"add-path {{ ipv4 unicast limit ‸{'9' * 5000}; }}",  # Python converts no number of so many digits
        f"{'9' * 200} … {'9' * 169} is not in the range 1 to 65535",
    ),
    ("add-path { ipv4 unicast limit‸; }", "a number of paths expected, but the statement ends"),
    ("add-path { ipv4 unicast ‸most 4; }", "'limit' expected, not 'most'"),
    ("family { ipv4 unicast ‸limit 4; }", "end of statement expected, not 'limit'"),
    (
        "capability { role ‸customers; }",
        "unknown word 'customers': expected one of provider, rs, rs-client, customer, peer",
    ),
    ("nexthop { ipv4 unicast‸; }", "the AFI of the next hop (ipv4, ipv6) expected, but the statement ends"),
    ("nexthop { ipv4 unicast ‸ipv4; }", "the next hop of ipv4 unicast is ipv4 anyway"),
    ("nexthop { ipv4 ‸flow ipv6; }", "next hops of another family are not defined for ipv4 flow"),
    ("nexthop { ipv4 unicast ‸l2vpn; }", "unknown AFI of a next hop 'l2vpn': expected one of ipv4, ipv6"),
    (
        "operational { ‸foo afi ipv4 safi unicast; }",
        "unknown operational message 'foo': expected one of adm, apcp, apcq, asm, lpcp, lpcq, rpcp, rpcq",
    ),
    ("operational { asm afi ‸ipv4 safi foo advisory x; }", "unknown family 'ipv4 foo': did you mean 'ipv4 flow'?"),
]


@pytest.mark.parametrize(("statements", "message"), REFUSED, ids=[row[0][:60] for row in REFUSED])
def test_a_value_out_of_its_range_is_an_error_at_its_place(statements: str, message: str) -> None:
    text, line, column = marked(neighbor(statements))
    assert errors_of(text) == [(line, column, message)]


def test_defaults_of_the_tables_are_those_of_the_model() -> None:
    built = one("")
    for name, directive in NEIGHBOR.items():
        field = name.replace("-", "_")
        if directive.default is not REQUIRED and field not in ("local_address", "md5_base64"):
            assert getattr(built, field) == directive.default, name


WORDS = {
    "neighbor": {*NEIGHBOR, *SECTIONS, "inherit"},
    "capability": CAPABILITY,
    "api": {*EVENTS, "processes", "processes-match", "receive", "send"},
    "process": {*PROCESS, "receive", "send"},
    "messages": {*MESSAGES, *MESSAGE_SYNONYMS},
    "root": {"process", "neighbor", "template"},
}


@pytest.mark.parametrize("section", HINTS)
def test_no_word_of_today_is_said_to_be_one_of_another_release(section: str) -> None:
    assert HINTS[section].keys().isdisjoint(WORDS[section])


@pytest.mark.parametrize("table", [NEIGHBOR, CAPABILITY, EVENTS, MESSAGES, PROCESS])
def test_every_directive_is_documented(table: dict[str, Any]) -> None:
    for name, directive in table.items():
        assert directive.help.endswith("."), name
        assert directive.value.syntax, name
