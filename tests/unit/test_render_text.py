"""Lines of text: updates, opens, `show adj-rib`, and its JSON."""

from __future__ import annotations

import json

import pytest

from apid.render import (
    RECEIVE,
    Form,
    Renderer,
    ShownRoute,
    decode_event,
    octets_of,
    route_json,
    route_json_v2,
    route_text,
)
from apid.render.decode import decode_context
from bgp.attribute import Attribute, Communities, ExtendedCommunities, OnlyToCustomer, Origin, UnknownAttribute
from bgp.capability import GracefulRestart, Hostname, Multiprotocol, SoftwareVersion
from bgp.family import FAMILIES, IPV4_UNICAST, Family
from bgp.message import build
from bgp.nlri import split
from bgp.open import Open
from bgp.route import encode_set
from tests.unit.test_render_strict import NEIGHBOR, PROCESS, WHEN, strict

FULL = (
    "40010101 400214 0202 0000fde9 0000fe4c 0102 0000fde9 00000001 400304c0000201 800404 00000032 400504 00000064"
    "400600 c00708 0000fde9 0a000001 c00808 fde90001 ffffff01 800904 0a000001 800a08 0a000001 0a000002"
    "c01008 0002fde900000001 c0200c 000000010000000200000003 c06304 deadbeef"
)


def lines(attributes: str, nlri: str = "", withdrawn: str = "") -> list[str]:
    """Render an UPDATE as text, without what each line begins with."""
    fields = octets_of(withdrawn), octets_of(attributes)
    body = b"".join(len(field).to_bytes(2, "big") + field for field in fields) + octets_of(nlri)
    text = decode_event(build(2, body), encoder="text")
    start = "neighbor 127.0.0.1 in update "
    said = text.splitlines()
    assert said[0] == f"{start}start"
    assert said[-1] == f"{start}end"
    return [line.removeprefix(start) for line in said[1:-1]]


def test_attributes_are_in_the_order_of_their_codes() -> None:
    assert lines(FULL, "180a0001") == [
        (
            "announced 10.0.1.0/24 next-hop 192.0.2.1 origin egp as-path ( 65001 65100 ) [ 65001 1 ] med 50 "
            "local-preference 100 atomic-aggregate aggregator ( 65001:10.0.0.1 ) community [ 65001:1 no-export ] "
            "originator-id 10.0.0.1 cluster-list [ 10.0.0.1 10.0.0.2 ] extended-community target:65001:1 "
            "large-community 1:2:3 attribute [ 0x63 0xE0 0xdeadbeef ]"
        )
    ]


def test_one_value_stands_alone_and_several_in_brackets() -> None:
    base = "40010100 400200 400304c0000201 400504 00000064"
    (one,) = lines(f"{base} c00804 fde90001", "180a0001")
    assert one.endswith("community 65001:1")
    (several,) = lines(f"{base} c0200c 000000010000000200000003 c00808 fde90001 fde90002", "180a0001")
    assert "community [ 65001:1 65001:2 ]" in several


def test_ipv4_comes_before_other_families_and_of_each_what_is_withdrawn() -> None:
    reach = "800e1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db9"
    attributes = f"40010100 400200 400304c0000201 400504 00000064 {reach} 800f08 0002 01 20 20010db8"
    assert lines(attributes, "180a0001", "180a0002") == [
        "withdrawn 10.0.2.0/24",
        "announced 10.0.1.0/24 next-hop 192.0.2.1 origin igp local-preference 100",
        "withdrawn 2001:db8::/32",
        "announced 2001:db9::/32 next-hop 2001:db8::1 origin igp local-preference 100",
    ]


def test_a_route_with_two_next_hops_has_its_two_lines_together() -> None:
    hops = "20010db8000000000000000000000001 fe800000000000000000000000000001"
    attributes = f"40010100 400200 400504 00000064 800e2f 0002 01 20 {hops} 00 20 20010db9 20 20010dba"
    assert [line.split(" origin")[0] for line in lines(attributes)] == [
        "announced 2001:db9::/32 next-hop 2001:db8::1",
        "announced 2001:db9::/32 next-hop fe80::1",
        "announced 2001:dba::/32 next-hop 2001:db8::1",
        "announced 2001:dba::/32 next-hop fe80::1",
    ]


def test_end_of_rib_is_a_line() -> None:
    assert lines("800f03 0002 01") == ["route eor 2/1 (ipv6 unicast)"]


def test_routes_that_are_no_prefix_nor_flow_nor_vpls_are_told_by_family() -> None:
    mup = "40010100 400200 400504 00000064 800e19 0001 55 04 c0000201 00 010001 0c 0000006400000064 18 0a0001"
    assert lines(mup) == ["announced afi ipv4 safi mup origin igp local-preference 100"]


def test_confederation_segments_are_in_braces() -> None:
    (line,) = lines("40010100 40020c 0301 000003e9 0201 0000fde9 400304c0000201 400504 00000064", "180a0001")
    assert "as-path {( 1001 )} ( 65001 )" in line


def test_an_open_lists_capabilities_by_number_and_escapes_what_a_stranger_says() -> None:
    message = Open(
        65002,
        180,
        bytes((10, 0, 0, 2)),
        (
            SoftwareVersion(b"evil\n\x1b[2J"),
            Hostname(b"a\nb", b"\xff"),
            GracefulRestart(8, 60, ((IPV4_UNICAST, 0x80),)),
            Multiprotocol(IPV4_UNICAST),
        ),
    ).message()
    renderer = Renderer(NEIGHBOR, PROCESS, encoder="text")
    (event,) = renderer.open(message, WHEN, RECEIVE, None, 1, Form.PARSED)
    assert event.decode() == (
        "neighbor 127.0.0.2 receive open version 4 asn 65002 hold_time 180 router_id 10.0.0.2 capabilities "
        "[multiprotocol(ipv4 unicast), graceful restart flags 0x8 time 60 ipv4/unicast=0x80, "
        "hostname(a\\nb \ufffd), software(evil\\n\\x1b[2j)]\n\n"
    )


def shown(family: Family, nlri: str, next_hop: bytes | None, *attributes: Attribute, path_id: int = 0) -> ShownRoute:
    """Build a route to announce."""
    (item,) = split(family, octets_of(nlri), False)
    return ShownRoute.to_announce(family, path_id.to_bytes(4, "big") + item[4:], encode_set(attributes, next_hop))


HOP = bytes((192, 0, 2, 9))
SHOWN = [
    # Lines that ExaBGP 5.0.15 printed.
    ("ipv4 unicast", "180a0202", HOP, 0x01020304, "10.2.2.0/24 path-information 1.2.3.4 next-hop 192.0.2.9"),
    (
        "ipv4 mpls-vpn",
        "70 000c81 0000fde900000064 0a0500",
        HOP,
        0,
        "10.5.0.0/24 label 200 next-hop 192.0.2.9 rd 65001:100",
    ),
    ("ipv4 nlri-mpls", "48 000640 000641 0a0002", HOP, 0, "10.0.2.0/24 label [ 100 100 ] next-hop 192.0.2.9"),
    (
        "ipv4 flow-vpn",
        "10 0000fde900000064 01180a0009 038106",
        None,
        0,
        "flow destination-ipv4 10.0.9.0/24 protocol =tcp rd 65001:100",
    ),
    (
        "l2vpn vpls",
        "0011 0000fde90000000a 0003 0001 0008 013881",
        HOP,
        0,
        "vpls rd 65001:10 endpoint 3 base 5000 offset 1 size 8 next-hop 192.0.2.9",
    ),
    ("ipv4 mup", "010001 0c 0000006400000064 18 0a0001", HOP, 0, "mup:isd::100:100:10.0.1.0/24"),
    ("ipv4 mup", "010002 0c 0000006400000064 0a000001", HOP, 0, "mup:dsd::100:100:10.0.0.1"),
    (
        "ipv4 mup",
        "010003 1c 0000006400000064 20 c0000001 00003039 09 20 0a000001 20 0a000002",
        HOP,
        0,
        "mup:t1st::100:100:192.0.0.1/32:12345:9:10.0.0.1/32:10.0.0.2/32",
    ),
    ("ipv4 mup", "010004 11 0000006400000064 40 0a000001 00003039", HOP, 0, "mup:t2st::100:100:64:10.0.0.1:12345:"),
    (
        "ipv4 mcast-vpn",
        "0512 0000fde90001869f 20 0a630c04 20 effbffe4",
        HOP,
        0,
        "mvpn:sourcead::65001:99999:10.99.12.4:239.251.255.228",
    ),
    (
        "ipv4 mcast-vpn",
        "0616 0000fde90001869f 0000fde9 20 0a630c04 20 effbffe4",
        HOP,
        0,
        "mvpn:shared-join::65001:99999:65001:10.99.12.4:239.251.255.228",
    ),
    ("ipv4 mcast-vpn", "010c 0000fde90001869f0a630c04", HOP, 0, "mvpn:unknown:0x0000fde90001869f0a630c04"),
    ("ipv4 rtc", "60 0000fde9 0002fde900000064", HOP, 0, "rtc 65001:target:65001:100"),
    ("ipv4 rtc", "00", HOP, 0, "rtc wildcard"),
    (
        "l2vpn evpn",
        "0119 0000fde900000064 00112233445566778899 00000064 000641",
        HOP,
        0,
        "evpn:ethernetad::65001:100:00:11:22:33:44:55:66:77:88:99:100: label 100 (1601)",
    ),
    (
        "l2vpn evpn",
        "0221 0000fde900000064 00000000000000000000 00000064 30 aabbccddeeff 00 000641",
        HOP,
        0,
        "evpn:macadv::65001:100:-:100:AA:BB:CC:DD:EE:FF/48:: label 100 (1601)",
    ),
    ("l2vpn evpn", "0311 0000fde900000064 00000064 20 0a000001", HOP, 0, "evpn:multicast::65001:100:100:10.0.0.1"),
    (
        "l2vpn evpn",
        "0522 0000fde900000064 00000000000000000000 00000064 18 0a000100 00000000 000641",
        HOP,
        0,
        "evpn:prfxadv::65001:100:-:100:10.0.1.0/24:0.0.0.0: label 100 (1601)",
    ),
    ("l2vpn evpn", "0903 aabbcc", HOP, 0, "evpn:unknown:0xaabbcc"),
]


@pytest.mark.parametrize(("family", "nlri", "next_hop", "path_id", "expected"), SHOWN)
def test_show_adj_rib_prints_a_route_as_exabgp_does(
    family: str, nlri: str, next_hop: bytes | None, path_id: int, expected: str
) -> None:
    assert route_text(shown(FAMILIES[family], nlri, next_hop, path_id=path_id)) == f"{family} {expected}"


def test_a_route_without_octets_of_next_hop_has_that_of_the_session() -> None:
    assert route_text(shown(IPV4_UNICAST, "180a0202", b"")) == "ipv4 unicast 10.2.2.0/24 next-hop self"


def test_extensive_adds_the_attributes() -> None:
    route = shown(IPV4_UNICAST, "180a0202", HOP, Origin(0), Communities((0xFDE90001,)))
    text = "ipv4 unicast 10.2.2.0/24 next-hop 192.0.2.9"
    assert route_text(route, extensive=True) == f"{text} community 65001:1"
    received = ShownRoute.received(route.family, route.item, route.attributes, HOP)
    assert route_text(received, extensive=True) == f"{text} origin igp community 65001:1"


def test_what_we_announce_as_octets_is_shown_with_the_flags_it_was_given() -> None:
    given = UnknownAttribute(0x99, 0xC0, b"\1\2"), OnlyToCustomer(65001)
    route = shown(IPV4_UNICAST, "180a0202", HOP, *given)
    text = "ipv4 unicast 10.2.2.0/24 next-hop 192.0.2.9 attribute [ 0x23 {} 0x0000fde9 ] attribute [ 0x99 {} 0x0102 ]"
    assert route_text(route, extensive=True) == text.format("0xC0", "0xC0")
    received = ShownRoute.received(route.family, route.item, route.attributes, HOP)
    assert route_text(received, extensive=True) == text.format("0xE0", "0xE0")


def test_configured_flows_are_shown_with_names_of_services() -> None:
    route = shown(FAMILIES["ipv4 flow"], "0c 038106 050150 121f40 d42328", None)
    names = {80: "http", 8000: "irdmi", 9000: "cslistener"}
    assert route_text(route, services=names) == (
        "ipv4 flow flow protocol =tcp destination-port [ =http >irdmi&<cslistener ]"
    )
    assert route_text(route) == "ipv4 flow flow protocol =tcp destination-port [ =80 >8000&<9000 ]"


def test_the_first_json_of_show_has_prefixes_as_release_5_and_the_others_as_release_6() -> None:
    assert route_json("127.0.0.2", shown(IPV4_UNICAST, "180a0202", HOP)) == (
        '{"127.0.0.2": {"routes": [{"prefix": "10.2.2.0/24", "family": "ipv4 unicast"}]}}'
    )
    assert route_json("127.0.0.2", shown(FAMILIES["ipv4 flow"], "03038106", None)) == (
        '{"127.0.0.2": {"routes": [{"family": "ipv4 flow", "nlri": "flow protocol =tcp"}]}}'
    )


def test_the_second_json_of_show_has_routes_of_all_families() -> None:
    vpn = shown(FAMILIES["ipv4 mpls-vpn"], "70 000c81 0000fde900000064 0a0500", HOP, Communities((0xFDE90001,)))
    assert json.loads(route_json_v2("127.0.0.1", vpn)) == {
        "peer": {"address": "127.0.0.1"},
        "route": {
            "nlri": {
                "prefix": "10.5.0.0/24",
                "nexthop": "192.0.2.9",
                "family": {"afi": "ipv4", "safi": "mpls-vpn"},
                "label": [[200]],
                "rd": "65001:100",
            },
            "attributes": {"community": ["65001:1"]},
        },
    }
    flow = shown(FAMILIES["ipv4 flow"], "03038106", None, ExtendedCommunities((bytes.fromhex("8006000000000000"),)))
    assert json.loads(route_json_v2("127.0.0.1", flow))["route"] == {
        "nlri": {
            "rules": {"protocol": ["=tcp"]},
            "nexthop": None,
            "rd": None,
            "family": {"afi": "ipv4", "safi": "flow"},
        },
        "attributes": {"extended-community": ["rate-limit:0"]},
    }


SHOWN_V2 = [
    # Lines that ExaBGP 5.0.15 printed.
    (
        "ipv4 mcast-vpn",
        "05120000FDE80001869F200A630C0220EFFBFFE4",
        (
            '{"code": 5, "parsed": true, "raw": "05120000FDE80001869F200A630C0220EFFBFFE4", '
            '"name": "Source Active A-D Route", "family": {"afi": "ipv4", "safi": "mcast-vpn"}, "rd": "65000:99999", '
            '"source": "10.99.12.2", "group": "239.251.255.228"}'
        ),
    ),
    (
        "ipv4 mcast-vpn",
        "06160000FDE80001869F0000FDE8200A63C70120EFFBFFE4",
        (
            '{"code": 6, "parsed": true, "raw": "06160000FDE80001869F0000FDE8200A63C70120EFFBFFE4", '
            '"name": "C-Multicast Shared Tree Join route", "family": {"afi": "ipv4", "safi": "mcast-vpn"}, '
            '"rd": "65000:99999", "source-as": 65000, "source": "10.99.199.1", "group": "239.251.255.228"}'
        ),
    ),
    (
        "ipv4 mup",
        "0100010C0000006400000064180A0001",
        (
            '{"arch": 1, "code": 1, "raw": "0100010C0000006400000064180A0001", "name": '
            '"InterworkSegmentDiscoveryRoute", "family": {"afi": "ipv4", "safi": "mup"}, "rd": "100:100", '
            '"prefix_ip_len": 24, "prefix_ip": "10.0.1.0"}'
        ),
    ),
    (
        "ipv4 mup",
        "010004110000006400000064400A00000100003039",
        (
            '{"arch": 1, "code": 4, "raw": "010004110000006400000064400A00000100003039", '
            '"name": "Type2SessionTransformedRoute", "family": {"afi": "ipv4", "safi": "mup"}, "rd": "100:100", '
            '"endpoint_len": 64, "endpoint_ip": "10.0.0.1", "teid": 12345}'
        ),
    ),
    (
        "l2vpn vpls",
        "00110000fde90000000a000300010008013881",
        (
            '{"rd": "65001:10", "endpoint": 3, "base": 5000, "offset": 1, "size": 8, "nexthop": "192.0.2.9", '
            '"family": {"afi": "l2vpn", "safi": "vpls"}}'
        ),
    ),
    (
        "ipv4 flow",
        "0b01180a09000501509101bb",
        (
            '{"rules": {"destination-ipv4": ["10.9.0.0/24"], "destination-port": ["=http", "=https"]}, '
            '"nexthop": null, "rd": null, "family": {"afi": "ipv4", "safi": "flow"}}'
        ),
    ),
]


@pytest.mark.parametrize(("family", "nlri", "expected"), SHOWN_V2)
def test_the_second_json_of_show_says_of_a_route_what_exabgp_does(family: str, nlri: str, expected: str) -> None:
    route = shown(FAMILIES[family], nlri, None if family.endswith("flow") else HOP, Origin(0))
    said = json.loads(route_json_v2("127.0.0.1", route, {80: "http", 443: "https"}))["route"]
    assert said == {"nlri": json.loads(expected), "attributes": {}}


@pytest.mark.parametrize(("family", "nlri", "next_hop", "path_id", "expected"), SHOWN)
def test_the_second_json_of_show_is_json(
    family: str, nlri: str, next_hop: bytes | None, path_id: int, expected: str
) -> None:
    said = strict(route_json_v2("127.0.0.2", shown(FAMILIES[family], nlri, next_hop, path_id=path_id)))
    afi, _, safi = family.partition(" ")
    assert said["route"]["nlri"]["family"] == {"afi": afi, "safi": safi}


def test_the_context_of_decode_knows_every_family() -> None:
    assert set(FAMILIES.values()) <= set(decode_context().families)


def test_a_metric_is_in_small_letters() -> None:
    (line,) = lines("40010100 400200 400304c0000201 801a0b 01000b 00000000000000fe", "180a0001")
    assert line.endswith(" aigp 0x00000000000000fe")


def test_the_next_hop_of_a_rule_follows_its_route_distinguisher() -> None:
    nlri = "0d 0000000100000001 01180a0000"
    event = strict(
        decode_event(octets_of(f"00000028 40010100 400200 40050400000064 800e17 000186 04c0000201 00 {nlri}"))
    )
    ((rule,),) = event["neighbor"]["message"]["update"]["announce"]["ipv4 flow-vpn"].values()
    assert rule["string"] == "flow destination-ipv4 10.0.0.0/24 rd 1:1 next-hop 192.0.2.1"
