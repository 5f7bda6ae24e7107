"""Routes that no other implementation could be asked about, and every error of a route's statement."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apid.grammar.attributes import ATTRIBUTES
from apid.grammar.command import RouteChange, parse_command
from apid.grammar.draft import ROUTE_KEYWORDS
from apid.grammar.route import STATEMENTS, RouteEntry, parse_entry
from apid.grammar.tokens import command_tokens, scan
from apid.grammar.words import GrammarError, Words
from bgp.attribute import AsPath, PmsiTunnel
from bgp.attribute.tunnel import TunnelEncapsulation
from bgp.attribute.tunnel_sr_policy import SrPolicyPath
from bgp.family import BGP_LS, IPV4_MPLS_VPN, IPV6_SR_POLICY, L2VPN_EVPN, L2VPN_VPLS
from bgp.nlri import (
    EthernetAutoDiscovery,
    EthernetSegment,
    InclusiveMulticast,
    IpPrefix,
    MacAdvertisement,
    RouteTarget,
    SrPolicy,
    Vpls,
    VpnPrefix,
    decode,
    route_key,
)
from bgp.route import decode_set

RD = bytes.fromhex("0000fde900000064")


def entry(line: str) -> RouteEntry:
    command = parse_command(line)
    assert isinstance(command, RouteChange)
    (only,) = command.entries
    return only


def nlri(line: str) -> object:
    found = entry(line)
    (item,) = found.items
    return decode(found.family, item)


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("65001", [(2, (65001,))]),
        ("65001 65002", [(2, (65001, 65002))]),
        ("[ 1 2 ] ( 3 4 )", [(2, (1, 2)), (1, (3, 4))]),
        ("[ 1 2 ( 3 4 ) 5 ]", [(2, (1, 2)), (1, (3, 4)), (2, (5,))]),
        ("[ 1 2 [ 3 4 ] ]", [(2, (1, 2)), (1, (3, 4))]),
        ("[ 1, 2.3 ]", [(2, (1, 131075))]),
        ("[ ]", []),
        ("confed-sequence [ 1 ] [ 2 ] confed-set ( 3 4 )", [(3, (1,)), (2, (2,)), (4, (3, 4))]),
        (f"[ {' '.join(['7'] * 300)} ]", [(2, (7,) * 255), (2, (7,) * 45)]),
    ],
)
def test_an_as_path_has_its_segments(path: str, segments: list[tuple[int, tuple[int, ...]]]) -> None:
    attributes, _ = decode_set(entry(f"announce route 10.0.0.0/24 next-hop self as-path {path} med 1").attributes)
    found = attributes[AsPath.CODE]
    assert isinstance(found, AsPath)
    assert [(segment.kind, segment.asns) for segment in found.segments] == segments


def test_a_keyword_given_twice_counts_once_and_extended_communities_add_up() -> None:
    line = (
        "announce route 10.0.0.0/24 next-hop 1.2.3.4 next-hop 1.2.3.5 med 5 med 6 "
        "route-target [ 2:2 ] extended-community origin:1:1 route-target target:1:1"
    )
    assert entry(line).attributes.hex() == (
        "400101004003040102030480040400000005c01018000200010000000100020002000000020003000100000001"
    )


def test_a_raw_attribute_that_is_known_equals_its_keyword() -> None:
    raw = entry("announce route 10.0.0.0/24 next-hop self attribute [ 0x04 0x80 0x00000005 ]")
    assert raw == entry("announce route 10.0.0.0/24 next-hop self med 5")


def test_a_raw_as_path_of_two_octets_becomes_four() -> None:
    raw = entry("announce route 10.0.0.0/24 next-hop self attribute [ 0x02 0x40 0x0201fde8 ]")
    assert raw == entry("announce route 10.0.0.0/24 next-hop self as-path [ 65000 ]")


def test_a_long_raw_attribute_gets_the_extended_length_flag() -> None:
    found = entry(f"announce route 10.0.0.0/24 next-hop self attribute [ 0x99 0xc0 0x{'00' * 300} ]")
    assert found.attributes[7:11].hex() == "d099012c"


def test_a_withdrawal_has_the_attributes_that_it_names_and_needs_neither_next_hop_nor_label() -> None:
    assert entry("withdraw route 10.0.0.0/24").attributes == b""
    assert entry("withdraw route 10.0.0.0/24 next-hop 192.0.2.1").attributes.endswith(b"\x40\x03\x04\xc0\x00\x02\x01")
    found = entry("withdraw route 10.0.0.0/24 rd 65001:100")
    assert found.attributes == b""
    announced = entry("announce route 10.0.0.0/24 rd 65001:100 label 5 next-hop self")
    assert route_key(IPV4_MPLS_VPN, found.items[0]) == route_key(IPV4_MPLS_VPN, announced.items[0])


def test_a_watchdog_route_may_begin_withdrawn() -> None:
    found = entry("announce route 10.0.0.0/24 next-hop self watchdog dog withdraw name site")
    assert (found.watchdog, found.withdrawn, found.name) == ("dog", True, "site")
    assert not entry("announce route 10.0.0.0/24 next-hop self withdraw").withdrawn


def test_attributes_may_cover_unicast_and_multicast_prefixes() -> None:
    command = parse_command("announce attributes next-hop self nlri 10.0.0.0/24 224.0.0.0/24 10.0.1.0/24")
    assert isinstance(command, RouteChange)
    assert [(str(e.family), len(e.items)) for e in command.entries] == [("ipv4 unicast", 2), ("ipv4 multicast", 1)]


def test_vpnv4_may_do_without_label() -> None:
    found = nlri("announce vpnv4 10.0.0.0/24 next-hop 192.168.1.2 route-distinguisher 65001:100")
    assert isinstance(found, VpnPrefix)
    assert (found.rd, found.labels) == (RD, (0x31,))


def test_vpnv4_and_route_with_rd_are_the_same() -> None:
    rest = "10.0.0.0/24 next-hop 192.168.1.2 {} 65001:100 label 16 extended-community [ target:65001:100 ]"
    assert entry(f"announce vpnv4 {rest.format('route-distinguisher')}") == entry(f"announce route {rest.format('rd')}")
    assert str(entry("announce vpnv6 2001:db8::/32 next-hop 2001:db8::1 rd 65001:100").family) == "ipv6 mpls-vpn"


def test_route_target_equals_the_extended_community() -> None:
    assert entry("announce route 10.0.0.0/24 next-hop self route-target [ 65001:100 target:1:1 ]") == entry(
        "announce route 10.0.0.0/24 next-hop self extended-community [ target:65001:100 target:1:1 ]"
    )


def test_a_vpls_by_position_is_told_by_its_address() -> None:
    found = entry("announce vpls 192.168.1.1 10 8 rd 65001:100 route-target [ target:65001:100 ]")
    assert decode(found.family, found.items[0]) == Vpls(
        family=L2VPN_VPLS, rd=RD, endpoint=257, offset=10, size=8, base=16
    )
    assert found.attributes.hex() == "40010100400304c0a80101c010080002fde900000064"
    assert entry("withdraw vpls 192.168.1.1 10 8 rd 65001:100").items == found.items


def test_a_vpls_by_position_may_say_endpoint_and_base() -> None:
    found = nlri("announce vpls 192.168.1.1 10 8 rd 65001:100 endpoint 3 base 5000")
    assert found == Vpls(family=L2VPN_VPLS, rd=RD, endpoint=3, offset=10, size=8, base=5000)
    assert entry("announce vpls 3 10 8 rd 65001:100 base 5000").attributes.hex() == "40010100400300"


def test_an_evpn_mac_advertisement_is_read() -> None:
    line = "evpn macadvertisement aa:bb:cc:dd:ee:ff 100.10.0.1 1000 rd 65001:100"
    found = nlri(f"announce {line} route-target [ target:65001:100 ] label 16")
    assert found == MacAdvertisement(
        family=L2VPN_EVPN,
        rd=RD,
        esi=bytes(10),
        ethernet_tag=1000,
        mac=bytes.fromhex("aabbccddeeff"),
        address=bytes([100, 10, 0, 1]),
        labels=(0x101,),
    )
    assert route_key(L2VPN_EVPN, entry(f"withdraw {line}").items[0]) == route_key(L2VPN_EVPN, found.item())


def test_an_evpn_mac_advertisement_may_do_without_address_and_have_two_vnis() -> None:
    found = nlri("announce evpn macadvertisement aa:bb:cc:dd:ee:ff 7 rd 65001:100 label [ 5000000 5000001 ]")
    assert isinstance(found, MacAdvertisement)
    assert (found.address, found.ethernet_tag, found.labels) == (None, 7, (5000000, 5000001))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "multicast 192.168.1.1 rd 65001:100 route-target [ target:65001:100 ]",
            InclusiveMulticast(family=L2VPN_EVPN, rd=RD, ethernet_tag=0, address=bytes([192, 168, 1, 1])),
        ),
        (
            "ethernet-ad 00:11:22:33:44:55:66:77:88:99 5 rd 65001:100 label 3",
            EthernetAutoDiscovery(
                family=L2VPN_EVPN,
                rd=RD,
                esi=bytes.fromhex("00112233445566778899"),
                ethernet_tag=5,
                label=0x31,
            ),
        ),
        (
            "ethernet-segment 0x00112233445566778899 2001:db8::1 rd 65001:100",
            EthernetSegment(
                family=L2VPN_EVPN,
                rd=RD,
                esi=bytes.fromhex("00112233445566778899"),
                address=bytes.fromhex("20010db8000000000000000000000001"),
            ),
        ),
        (
            "prefix 10.0.0.0/24 9 rd 65001:100 gateway 192.0.2.1 label 100",
            IpPrefix(
                family=L2VPN_EVPN,
                rd=RD,
                esi=bytes(10),
                ethernet_tag=9,
                length=24,
                address=bytes([10, 0, 0, 0]),
                gateway=bytes([192, 0, 2, 1]),
                label=0x641,
            ),
        ),
    ],
)
def test_an_evpn_route_of_every_kind_is_read(line: str, expected: object) -> None:
    assert nlri(f"announce evpn {line}") == expected
    assert nlri(f"announce l2vpn evpn {line} next-hop 1.2.3.4") == expected


def test_an_evpn_multicast_route_may_carry_its_tunnel() -> None:
    line = "announce evpn multicast 192.0.2.1 rd 65001:100 pmsi-tunnel ingress-replication 16 192.0.2.1"
    attributes, next_hop = decode_set(entry(line).attributes)
    assert attributes[22] == PmsiTunnel(0, 6, 0x100, bytes([192, 0, 2, 1]))
    assert next_hop == b""


def test_a_route_target_membership_is_read() -> None:
    found = nlri("announce rtc 65000 target:65001:100")
    assert isinstance(found, RouteTarget)
    assert found.encode().hex() == "600000fde80002fde900000064"
    assert entry("announce ipv4 rtc default next-hop 1.2.3.4").items == (bytes(5),)
    assert entry("announce rtc 65000").items[0].hex() == "00000000200000fde8"


def test_an_sr_policy_is_read() -> None:
    found = entry(
        "announce ipv6 sr-policy distinguisher 1 color 100 endpoint 2001:db8::1 next-hop 2001:db8::2 preference 200 "
        "binding-sid mpls 1000 segment-list weight 5 segment type-a mpls 16001 segment type-b srv6 2001:db8::3 "
        "endpoint-behavior 0x48 segment-list segment type-a mpls 16002 policy-name gold"
    )
    policy = decode(found.family, found.items[0])
    assert policy == SrPolicy(
        family=IPV6_SR_POLICY,
        distinguisher=1,
        color=100,
        endpoint=bytes.fromhex("20010db8000000000000000000000001"),
    )
    attributes, _ = decode_set(found.attributes)
    encapsulation = attributes[TunnelEncapsulation.CODE]
    assert isinstance(encapsulation, TunnelEncapsulation)
    path = SrPolicyPath.of_tunnel(encapsulation.tunnels[0])
    assert (path.preference, path.policy_name, len(path.segment_lists)) == (200, "gold", 2)
    assert path.binding_sid is not None
    assert path.binding_sid.label == 1000


def test_raw_octets_become_items() -> None:
    found = entry("announce bgp-ls raw 0x00ff000401020304 next-hop 1.2.3.4 path-information 5")
    assert (found.family, found.items[0].hex()) == (BGP_LS, "0000000500ff000401020304")
    found = entry("announce raw ipv4 unicast 0x180a0000180a0001 next-hop 1.2.3.4")
    assert [item.hex() for item in found.items] == ["00000000180a0000", "00000000180a0001"]


def test_a_block_reads_like_a_row() -> None:
    row = parse_entry("static", Words(list(scan("route 10.0.0.0/24 next-hop 1.2.3.4 med 5;"))))
    block = parse_entry("static", Words(list(scan("route 10.0.0.0/24 {\n next-hop 1.2.3.4;\n med 5;\n}"))))
    assert row == block


def test_an_ipv6_next_hop_for_an_ipv4_route_stays_in_the_set() -> None:
    _, next_hop = decode_set(entry("announce route 10.0.0.0/24 next-hop 2001:db8::1").attributes)
    assert next_hop == bytes.fromhex("20010db8000000000000000000000001")


ERRORS = (
    ("route 10.0.0.0/24 med 5", "'next-hop' is missing"),
    ("route", "prefix expected"),
    ("route 10.0.0.1/24 next-hop self", "10.0.0.1/24"),
    ("route 10.0.0.0/24 next-hop", "IP address or self expected"),
    ("route 10.0.0.0/24 next-hop me", "'me'"),
    ("route 10.0.0.0/24 next-hop self mde 5", "unknown attribute 'mde': did you mean 'med'?"),
    ("route 10.0.0.0/24 next-hop self med 4294967296", "'4294967296'"),
    ("route 10.0.0.0/24 next-hop self med 0x10", "'0x10'"),
    ("route 10.0.0.0/24 next-hop self origin igpp", "did you mean 'igp'"),
    ("route 10.0.0.0/24 next-hop self as-path [ 1 2", "']' expected"),
    ("route 10.0.0.0/24 next-hop self as-path [ 1 x ]", "'x'"),
    ("route 10.0.0.0/24 next-hop self as-path [ 0 ]", "'0'"),
    ("route 10.0.0.0/24 next-hop self as-path confed-set 5", "'(' expected, not '5'"),
    ("route 10.0.0.0/24 next-hop self community [ 1:1", "']' expected"),
    ("route 10.0.0.0/24 next-hop self community 70000:1", "'70000'"),
    ("route 10.0.0.0/24 next-hop self cluster-list [ ]", "at least one"),
    ("route 10.0.0.0/24 next-hop self aggregator 65001", "'65001'"),
    ("route 10.0.0.0/24 next-hop self aggregator ( 1:1.2.3.4", "')' expected"),
    ("route 10.0.0.0/24 next-hop self label 1048576", "'1048576'"),
    ("route 10.0.0.0/24 next-hop self label []", "at least one label"),
    ("route 10.0.0.0/24 next-hop self rd 1", "'1'"),
    ("route 10.0.0.0/24 next-hop self split 26", "'26'"),
    ("route 10.0.0.0/24 next-hop self split /33", "/33"),
    ("route 10.0.0.0/8 next-hop self split /32", "16777216 routes"),
    ("route 10.0.0.0/24 next-hop self watchdog withdraw", "'withdraw'"),
    ("route 10.0.0.0/24 next-hop self attribute [ 99 0xc0 0x01 ]", "'99'"),
    ("route 10.0.0.0/24 next-hop self attribute [ 0x0e 0xc0 0x01 ]", "attribute 14"),
    ("route 10.0.0.0/24 next-hop self attribute [ 0x99 0xc0 0x1 ]", "'0x1'"),
    ("route 10.0.0.0/24 next-hop self bgp-prefix-sid [ x ]", "'x'"),
    ("route 10.0.0.0/24 next-hop self bgp-prefix-sid-srv6 ( l4-service ::1 )", "did you mean"),
    ("route 10.0.0.0/24 next-hop self bgp-prefix-sid-srv6 ( l3-service ::1 5 [ 1,2 ] )", "6 lengths, not 2"),
    ("route 10.0.0.0/24 { next-hop self;", "'}' expected"),
    ("route 10.0.0.0/24 { next-hop self; } med 5", "not 'med'"),
    ("attributes next-hop self", "'nlri' expected"),
    ("attributes next-hop self nlri", "prefix expected"),
    ("attributes med 5 nlri 10.0.0.0/24", "'next-hop' is missing"),
    ("attributes next-hop self nlri 10.0.0.0/24 2001:db8::/32", "2001:db8::/32"),
    ("ipv4 unicast 2001:db8::/32 next-hop self", "2001:db8::/32"),
    ("ipv4 unicast 10.0.0.0/24 label 5 next-hop self", "'label'"),
    ("ipv4 unicast 10.0.0.0/24 rd 1:1 next-hop self", "'rd'"),
    ("ipv4 nlri-mpls 10.0.0.0/24 next-hop self", "'label' is missing"),
    ("ipv4 mpls-vpn 10.0.0.0/24 next-hop self label 5", "'rd' is missing"),
    ("ipv4 unicst 10.0.0.0/24 next-hop self", "did you mean 'unicast'"),
    ("vpnv4 10.0.0.0/24 next-hop self", "'rd' is missing"),
    ("vpls rd 1:1 endpoint 1 offset 1 size 8 next-hop self", "'base' is missing"),
    ("vpls rd 1:1 endpoint 1 base 1048575 offset 1 size 8 next-hop self", "1048575"),
    ("vpls rd 1:1 endpoint 65536 base 1 offset 1 size 8 next-hop self", "'65536'"),
    ("vpls nonsense", "'nonsense'"),
    ("evpn foo", "'foo'"),
    ("evpn macadvertisement xx", "'xx'"),
    ("evpn multicast 10.0.0.1", "'rd' is missing"),
    ("evpn prefix 10.0.0.0/24 rd 1:1 label 16777216", "'16777216'"),
    ("ipv4 mup mup-t1st 10.0.0.0/24 rd 1:1 teid 1 qfi 256 endpoint 1.2.3.4 next-hop self", "'256'"),
    ("ipv4 mup mup-t2st 10.0.0.1 rd 1:1 teid 65536/16 next-hop self", "'65536'"),
    ("ipv4 mup mup-t2st 10.0.0.1 rd 1:1 teid 1 next-hop self", "TEID/BITS"),
    ("ipv4 mup mup-dsd ::1 rd 1:1 next-hop self", "'::1'"),
    ("ipv4 mup mup-isd 10.0.0.0/24 next-hop self", "'rd' is missing"),
    ("ipv4 mcast-vpn source-ad source ::1 group ::2 rd 1:1 next-hop self", "not an ipv4 address"),
    ("ipv4 mcast-vpn source-join source 1.2.3.4 group 1.2.3.4 rd 1:1 next-hop self", "'source-as' is missing"),
    ("ipv4 mcast-vpn foo", "'foo'"),
    ("ipv4 sr-policy distinguisher 1 color 1 endpoint ::1 next-hop self", "16"),
    ("ipv4 sr-policy segment-list segment type-x x", "'type-x'"),
    ("rtc x", "'x'"),
    ("raw ipv4 unicast 0x", "at least one octet"),
    ("raw ipv4 unicast 0x18", "0x18"),
    ("raw ipv9 unicast 0x00", "did you mean"),
    ("bgp-ls 0x00", "'raw' expected"),
)


@pytest.mark.parametrize(("statement", "named"), ERRORS, ids=[statement for statement, _ in ERRORS])
def test_an_error_names_the_word(statement: str, named: str) -> None:
    with pytest.raises(GrammarError) as error:
        parse_command(f"announce {statement}")
    assert named.strip("'") in str(error.value)


def test_an_unknown_statement_names_the_section() -> None:
    with pytest.raises(GrammarError, match="unknown word in 'static' 'rout': did you mean 'route'"):
        parse_entry("static", Words(list(scan("rout 10.0.0.0/24"))))


def test_every_keyword_has_help() -> None:
    assert all(keyword.help for keyword in ATTRIBUTES.values())
    assert all(text for _, _, text in ROUTE_KEYWORDS.values())


WORDS = sorted({*ATTRIBUTES, *ROUTE_KEYWORDS, *(word for statements in STATEMENTS.values() for word in statements)})
VALUES = """
[ ] ( ) { } ; , 1 5000000000 10.0.0.0/24 1.2.3.4 2001:db8::/32 ::1 1:1 target:1:1 0x01 self
macadvertisement multicast mup-isd source-ad aa:bb:cc:dd:ee:ff match then source protocol tcp
"""
SAMPLES = [*WORDS, *VALUES.split()]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(SAMPLES), max_size=16), st.sampled_from(["announce", "withdraw"]))
def test_any_words_are_routes_or_a_grammar_error(words: list[str], verb: str) -> None:
    with suppress(GrammarError):
        parse_command(" ".join([verb, *words]))


@pytest.mark.parametrize(
    ("text", "seconds"), [("1", 1), ("30", 30), ("30s", 30), ("5m", 300), ("1h", 3600), ("365d", 31_536_000)]
)
def test_a_lease_is_a_number_of_seconds_or_has_a_unit(text: str, seconds: int) -> None:
    command = parse_command(f"announce route 10.0.0.0/24 next-hop self ttl {text}")
    assert isinstance(command, RouteChange)
    assert [entry.lease for entry in command.entries] == [seconds]


@pytest.mark.parametrize(
    "line",
    [
        "announce attributes next-hop self ttl 30s nlri 10.0.0.0/24 10.1.0.0/24",
        "announce ipv4 unicast 10.0.0.0/24 next-hop self ttl 30s",
        "announce route 10.0.0.0/24 { next-hop self; } ttl 30s",
        "announce route 10.0.0.0/24 { next-hop self; ttl 30s; }",
        "announce route 10.0.0.0/24 rd 1:1 label 5 next-hop self ttl 30s",
        "announce vpnv4 10.0.0.0/24 rd 1:1 next-hop self ttl 30s",
        "announce flow route destination 10.0.0.0/24 discard ttl 30s",
        "announce flow route { match { destination 10.0.0.0/24; } then { discard; } } ttl 30s",
        "announce vpls rd 1:1 endpoint 3 base 5000 offset 1 size 8 next-hop 192.0.2.1 ttl 30s",
        "announce evpn multicast 192.0.2.1 rd 1:1 next-hop self ttl 30s",
        "announce rtc default next-hop self ttl 30s",
        "announce raw ipv4 unicast 0x180a0000 next-hop self ttl 30s",
    ],
)
def test_every_announcement_takes_a_lease_and_no_withdrawal_has_one(line: str) -> None:
    command = parse_command(line)
    assert isinstance(command, RouteChange)
    assert {entry.lease for entry in command.entries} == {30}
    withdrawal = parse_command(line.replace("announce", "withdraw"))
    assert isinstance(withdrawal, RouteChange)
    assert {entry.lease for entry in withdrawal.entries} == {0}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ttl", "seconds, or a number"),
        ("ttl 0", "out of range"),
        ("ttl 366d", "out of range"),
        ("ttl 1w", "not a number"),
        ("ttl s", "not a number"),
        ("ttl -1", "not a number"),
        ("ttl 1 watchdog dog", "'ttl' and 'watchdog'"),
    ],
)
def test_a_lease_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(GrammarError, match=reason):
        parse_command(f"announce route 10.0.0.0/24 next-hop self {text}")


def test_a_route_of_the_configuration_has_no_lease() -> None:
    with pytest.raises(GrammarError, match="'ttl' is for commands"):
        parse_entry("static", Words(command_tokens("route 10.0.0.0/24 next-hop self ttl 30s")))
