"""Packing: ExaBGP's octets for a few routes, density for many, and nothing broken for routes that do not fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bgp.attribute import (
    Aggregator,
    Aigp,
    AsPath,
    Attribute,
    ClusterList,
    Communities,
    ExtendedCommunities,
    LargeCommunities,
    LocalPref,
    Med,
    OnlyToCustomer,
    OriginatorId,
    Segment,
    UnknownAttribute,
)
from bgp.family import (
    FAMILIES,
    IPV4_FLOW,
    IPV4_MCAST_VPN,
    IPV4_MPLS_VPN,
    IPV4_MULTICAST,
    IPV4_MUP,
    IPV4_NLRI_MPLS,
    IPV4_UNICAST,
    IPV6_MCAST_VPN,
    IPV6_MPLS_VPN,
    IPV6_MUP,
    IPV6_NLRI_MPLS,
    IPV6_UNICAST,
    L2VPN_VPLS,
    Family,
)
from bgp.negotiated import Negotiated
from bgp.pack import MARKER, SEPARATE_ROUTES, Packer, end_of_rib
from bgp.route import encode_set
from bgp.shape import Shape
from bgp.update import decode_update
from tests.shared import shared

EVERYTHING = tuple(FAMILIES.values())
OURS = bytes((127, 0, 0, 1))
IBGP = Shape(ibgp=True, local_as=1, local_address=OURS, group_updates=False, families=EVERYTHING)
EBGP = Shape(ibgp=False, local_as=65001, local_address=OURS, families=EVERYTHING)
HOP = bytes((10, 0, 0, 1))
HOP6 = bytes.fromhex("20010db8" + "00" * 11 + "01")

Route = tuple[Family, Sequence[Attribute], bytes | None, list[str]]


@pytest.mark.parametrize(
    ("family", "announced", "withdrawn"),
    [
        (IPV4_NLRI_MPLS, "48 000c80 0012c1 0a0200", "30 800000 0a0200"),
        (IPV6_NLRI_MPLS, "60 000c80 0012c1 20010db80002", "48 800000 20010db80002"),
        (IPV4_MPLS_VPN, "88 000c80 0012c1 0000fde800000001 0a0200", "70 800000 0000fde800000001 0a0200"),
        (IPV4_MPLS_VPN, "70 0012c1 0000fde800000001 0a0200", "70 0012c1 0000fde800000001 0a0200"),
        (IPV4_NLRI_MPLS, "18 000c80", "18 000c80"),
    ],
)
def test_a_stack_of_labels_is_not_withdrawn_as_one(family: Family, announced: str, withdrawn: str) -> None:
    packer = Packer(replace(EBGP, families=(family,)))
    (message,) = packer.withdraw(family, {b"": items([announced])})
    assert message.endswith(family.octets + bytes.fromhex(withdrawn))


def items(routes: Sequence[str]) -> list[bytes]:
    return [bytes(4) + bytes.fromhex(route) for route in routes]


def prefixes(count: int) -> list[bytes]:
    return [bytes(4) + b"\x18" + (0x0A0000 + number).to_bytes(3, "big") for number in range(count)]


def prefixes6(count: int) -> list[bytes]:
    return [bytes.fromhex("0000000030200100") + number.to_bytes(3, "big") for number in range(count)]


def pack(packer: Packer, family: Family, announce: dict[bytes, list[bytes]], withdraw: list[bytes]) -> list[bytes]:
    """Withdrawals, those of what could not be announced included, and then announcements: as ribd does."""
    announcements = packer.announce(family, announce)
    unsent = [item for skipped in packer.skipped for item in skipped.items]
    return packer.withdraw(family, {b"": withdraw + unsent} if withdraw + unsent else {}) + announcements


def packed(shape: Shape, routes: Sequence[Route]) -> list[str]:
    packer = Packer(shape)
    messages = []
    for family, attributes, next_hop, nlris in routes:
        octets = encode_set(attributes, next_hop)
        assert packer.unsendable(family, octets) is None
        messages += pack(packer, family, {octets: items(nlris)}, [])
    return [message.hex() for message in messages]


def expected(name: str) -> list[str]:
    """The routes among the messages of a conformance case; End-of-RIB is not the packer's."""
    found = []
    for line in shared(f"conformance/encoding/{name}.msg").read_text().splitlines():
        match = re.match(r"\w+:raw:([0-9A-F:]+)", line)
        if match:
            octets = match[1].replace(":", "").lower()
            if octets[38:] not in ("00000000",) and "0000000790" not in octets[38:48]:
                found.append(octets)
    return found


def community(*texts: str) -> ExtendedCommunities:
    return ExtendedCommunities(tuple(map(bytes.fromhex, texts)))


TARGET = community("0102c0a85e0c0005")
TEN = community("0002000a0000000a")
VPN = [community("0002fde800000001", "0002271000000001")]
SPLIT = [Med(200), Communities((0x00AE029A,))]
VPLS = [
    AsPath((Segment(2, (30740,) * 7),)),
    Med(2000),
    Communities((0xD53F007B,)),
    OriginatorId(bytes((192, 168, 22, 1))),
    ClusterList((bytes((3, 3, 3, 3)), bytes((192, 168, 201, 1)))),
    community("0002d53f00000006", "800a130005dc006f"),
]
VPLS_ROUTES = [
    "00110001c0a8c901007b000500010008029ce1",
    "00110001c0a8c901007c000500010008029ec1",
]
LARGE = [LargeCommunities(((2914, 0, 666), (2914, 3320, 123), (2914, 3320, 123)))]
HOP_600 = bytes.fromhex("2a020b80000100000000000000000001")
NET_600 = ["802a020b80000000010000000000000001", "802a020b80000000020000000000000002"]
MVPN_JOINS = [
    "07160000fde80001869f0000fde8200a630c0220effbffe4",
    "06160000fde80001869f0000fde8200a63c70120effbffe4",
]
MVPN_JOINS6 = [
    "072e0000fde80001869f0000fde880fd12000000000000000000000000000280ff0e0000000000000000000000000001",
    "062e0000fde80001869f0000fde880fd00000000000000000000000000000180ff0e0000000000000000000000000001",
]
MVPN_ACTIVE = ["05120000fde80001869f200a630c0420effbffe4"]
MVPN_ACTIVE6 = ["052a0000fde80001869f80fd12000000000000000000000000000480ff0e0000000000000000000000000001"]
MUP = ["0100031c000000640000006420c0a800020000303909200a000001200a000101"]
MUP6 = [
    "01000340" + "000000640000006480" + "20010db8000100010000000000000002" + "0000303909"
    "80" + "20010000000000000000000000000001" + "80" + "20020000000000000000000000000002"
]

CONFORMANCE: list[tuple[str, Shape, list[Route]]] = [
    (
        "conf-attributes",
        IBGP,
        [
            (
                IPV4_UNICAST,
                [UnknownAttribute(0x20, 0xC0, bytes.fromhex("0000000100000002000000030000000a0000000b0000000c"))],
                b"\xff" * 4,
                ["200a000007"],
            )
        ],
    ),
    (
        "conf-generic-attribute",
        replace(IBGP, local_as=65533),
        [
            (IPV4_UNICAST, [UnknownAttribute(4, 0x80, b"\0\0\0d")], bytes((192, 168, 1, 100)), ["2064646464"]),
            (IPV4_UNICAST, [UnknownAttribute(0x99, 0x60, b"\0\0\0d")], bytes((192, 168, 1, 100)), ["2065656565"]),
            (IPV4_UNICAST, [UnknownAttribute(0x99, 0x70, b"\0\0\0d")], bytes((192, 168, 1, 100)), ["206f6f6f6f"]),
        ],
    ),
    ("conf-group", IBGP, [(IPV4_UNICAST, [], b"\1\1\1\1", ["0801", "0802", "0803", "0804"])]),
    (
        "conf-group-limit",
        replace(IBGP, group_updates=True),
        [
            (IPV4_UNICAST, [], HOP, ["20c1000201", "20c1000202"]),
            (IPV6_UNICAST, [], HOP_600, NET_600),
        ],
    ),
    ("conf-ipv46routes4family", IBGP, [(IPV4_UNICAST, [community("0002004800000001")], HOP, ["20c1000201"])]),
    (
        "conf-ipv46routes6family",
        IBGP,
        [
            (
                IPV6_UNICAST,
                [LocalPref(200), Communities((0x78147814, 0x78140000))],
                bytes.fromhex("2a020b80000000020000000000000001"),
                NET_600[:1],
            )
        ],
    ),
    ("conf-largecommunity", IBGP, [(IPV4_UNICAST, LARGE, bytes((192, 0, 2, 1)), ["200808080a", "200909090a"])]),
    (
        "conf-split",
        IBGP,
        [(IPV4_UNICAST, SPLIT, bytes((192, 0, 2, 1)), [f"18ac0a{number:02x}" for number in range(8)])],
    ),
    (
        "conf-vpn",
        IBGP,
        [
            (
                IPV4_MPLS_VPN,
                VPN,
                bytes((200, 10, 0, 101)),
                ["71003e810000fde800000001" + tail for tail in ("0a000000", "0a000080", "14000000", "14000080")],
            )
        ],
    ),
    (
        "conf-l2vpn",
        replace(IBGP, local_as=54591),
        [
            (L2VPN_VPLS, [*VPLS, LocalPref(1)], bytes((192, 168, 201, 1)), VPLS_ROUTES),
            (L2VPN_VPLS, [*VPLS, LocalPref(100)], bytes((192, 168, 201, 1)), VPLS_ROUTES[:1]),
        ],
    ),
    (
        "conf-mvpn",
        replace(IBGP, group_updates=True, local_as=65000),
        [
            (IPV4_MCAST_VPN, [TARGET], bytes((10, 10, 6, 3)), MVPN_JOINS[::-1]),
            (IPV6_MCAST_VPN, [TARGET], bytes((10, 10, 6, 3)), MVPN_JOINS6[::-1]),
            (IPV4_MCAST_VPN, [community("0002fde80001869f")], bytes((10, 10, 6, 4)), MVPN_ACTIVE),
            (IPV6_MCAST_VPN, [community("0002fde80001869f")], bytes((10, 10, 6, 4)), MVPN_ACTIVE6),
        ],
    ),
    (
        "conf-srv6-mup-v3",
        replace(IBGP, group_updates=True, local_as=65000),
        [
            (IPV4_MUP, [TEN], bytes((10, 0, 0, 2)), MUP),
            (IPV6_MUP, [TEN], bytes((10, 0, 0, 2)), MUP6),
        ],
    ),
]


@pytest.mark.parametrize(("name", "shape", "routes"), CONFORMANCE, ids=[case[0] for case in CONFORMANCE])
def test_messages_are_those_of_the_conformance_case(name: str, shape: Shape, routes: list[Route]) -> None:
    assert sorted(packed(shape, routes)) == sorted(expected(name))


def test_path_identifiers_are_sent_where_agreed_and_stripped_elsewhere() -> None:
    shape = replace(IBGP, add_path=(IPV4_UNICAST, IPV4_MPLS_VPN))
    unicast = encode_set([community("0002004800000001")], HOP)
    vpn = encode_set([community("0002000000000000", "0002000100000001"), LocalPref(100)], bytes((192, 168, 0, 1)))
    packer = Packer(shape)
    messages = pack(packer, IPV4_UNICAST, {unicast: [bytes.fromhex("0102030420c1000201")]}, [])
    messages += pack(packer, IPV4_MPLS_VPN, {vpn: [bytes.fromhex("0000000a7004e2c100000064000000640a0000")]}, [])
    assert messages[0].hex() == expected("conf-addpath")[0]
    assert len(messages) == 2
    stripped = pack(Packer(IBGP), IPV4_UNICAST, {unicast: [bytes.fromhex("0102030420c1000201")]}, [])
    assert stripped[0].endswith(bytes.fromhex("08000200480000000120c1000201"))


# ExaBGP 5.0.15, connected to a sink: (shape, route, body of the UPDATE).
CAPTURED: list[tuple[str, Shape, Route, str]] = [
    (
        "ebgp-defaults",
        EBGP,
        (IPV4_UNICAST, [Med(5), LocalPref(50), Aigp(((1, bytes(7) + b"d"),))], HOP, ["180a0001"]),
        "0000001b4001010040020602010000fde94003040a00000180040400000005180a0001",
    ),
    (
        "ibgp-keeps-local-pref-and-aigp",
        replace(EBGP, ibgp=True),
        (IPV4_UNICAST, [Med(5), LocalPref(50), Aigp(((1, bytes(7) + b"d"),))], HOP, ["180a0001"]),
        "0000002a400101004002004003040a0000018004040000000540050400000032801a0b01000b0000000000000064180a0001",
    ),
    (
        "old-speaker-default-path",
        replace(EBGP, asn4=False),
        (IPV4_UNICAST, [Med(5)], HOP, ["180a0001"]),
        "00000019400101004002040201fde94003040a00000180040400000005180a0001",
    ),
    (
        "old-speaker-large-numbers",
        replace(EBGP, asn4=False),
        (
            IPV4_UNICAST,
            [AsPath((Segment(2, (1, 2, 70000)), Segment(1, (5, 3)))), Aggregator(70000, b"\1\2\3\4")],
            HOP,
            ["180a0002"],
        ),
        "0000004b" + "40010100" + "40020e0203000100025ba0010200050003"
        "c01118020300000001000000020001117001020000000500000003" + "4003040a000001" + "c007065ba001020304"
        "c012080001117001020304" + "180a0002",
    ),
    (
        "empty-path-is-sent-as-given",
        EBGP,
        (IPV4_UNICAST, [AsPath(())], HOP, ["180a0400"]),
        "0000000e" + "40010100" + "400200" + "4003040a000001" + "180a0400",
    ),
    (
        "next-hop-self",
        EBGP,
        (IPV4_UNICAST, [], b"", ["180a0300"]),
        "000000144001010040020602010000fde94003047f000001180a0300",
    ),
    (
        "labelled",
        EBGP,
        (IPV4_NLRI_MPLS, [], HOP, ["300000a10a0102"]),
        "000000274001010040020602010000fde94003040a000001800e10000104040a00000100300000a10a0102",
    ),
    (
        "vpn-next-hop-self",
        EBGP,
        (IPV4_MPLS_VPN, [], b"", ["7000005100000001000000010a0301"]),
        (
            "000000374001010040020602010000fde94003047f000001800e200001800c00000000000000007f000001"
            "007000005100000001000000010a0301"
        ),
    ),
    (
        "vpn-ipv6",
        EBGP,
        (IPV6_MPLS_VPN, [], HOP6, ["880000a1000000010000000120010db80006"]),
        (
            "0000003f4001010040020602010000fde9800e2f00028018000000000000000020010db8000000000000000000000001"
            "00880000a1000000010000000120010db80006"
        ),
    ),
    (
        "flow-without-next-hop",
        EBGP,
        (IPV4_FLOW, [community("8006000000000000")], None, ["0602200a000001"]),
        "000000274001010040020602010000fde9c010088006000000000000800e0c00018500000602200a000001",
    ),
    (
        "flow-redirect",
        EBGP,
        (IPV4_FLOW, [community("0800000000000000")], b"\1\2\3\4", ["0602200a000001"]),
        "0000002b4001010040020602010000fde9c010080800000000000000800e100001850401020304000602200a000001",
    ),
    (
        "multiprotocol-stands-behind-all-others",
        EBGP,
        (
            IPV6_UNICAST,
            [LargeCommunities(((1, 2, 3),)), UnknownAttribute(0x99, 0xC0, b"\1"), UnknownAttribute(0x1B, 0xC0, b"\1")],
            HOP6,
            ["3020010db80001"],
        ),
        "00000043" + "40010100" + "40020602010000fde9" + "c01b0101" + "c0200c000000010000000200000003" + "c0990101"
        "800e1c0002011020010db8000000000000000000000001003020010db80001",
    ),
]


@pytest.mark.parametrize(("name", "shape", "route", "body"), CAPTURED, ids=[case[0] for case in CAPTURED])
def test_messages_are_those_of_exabgp(name: str, shape: Shape, route: Route, body: str) -> None:
    (message,) = packed(shape, [route])
    assert message[38:] == body


def test_ipv6_next_hops_for_ipv4_routes_share_a_message() -> None:
    shape = replace(EBGP, next_hop=((IPV4_UNICAST, 2),))
    (message,) = packed(shape, [(IPV4_UNICAST, [], HOP6, ["180a0001", "180a0002"])])
    assert message[38:] == (
        "0000002d4001010040020602010000fde9800e1d0001011020010db800000000000000000000000100180a0001180a0002"
    )


@pytest.mark.parametrize("family", [IPV6_UNICAST, IPV6_MPLS_VPN])
def test_ipv4_next_hops_for_ipv6_routes_are_mapped(family: Family) -> None:
    (message,) = pack(Packer(EBGP), family, {encode_set([], HOP): prefixes6(1)}, [])
    assert "00000000000000000000ffff0a000001" in message.hex()
    assert "400304" not in message.hex()


@pytest.mark.parametrize(
    ("family", "expected_octets"),
    [(IPV4_UNICAST, "00000000"), (IPV6_UNICAST, "00000007900f0003000201"), (L2VPN_VPLS, "00000007900f0003001941")],
)
def test_end_of_rib_has_the_octets_of_exabgp(family: Family, expected_octets: str) -> None:
    message = end_of_rib(family)
    assert message[:16] == MARKER
    assert int.from_bytes(message[16:18], "big") == len(message)
    assert message[18:].hex() == "02" + expected_octets


def test_withdrawals_come_first_and_share_messages() -> None:
    messages = pack(Packer(EBGP), IPV4_UNICAST, {encode_set([], HOP): prefixes(1)}, prefixes(3))
    assert [len(message) for message in messages] == [23 + 12, 23 + 20 + 4]
    assert messages[0][19:].hex() == "000c" + "180a0000180a0001180a0002" + "0000"


def test_a_few_ipv6_routes_have_a_message_each_and_many_share() -> None:
    few, many = prefixes6(SEPARATE_ROUTES), prefixes6(SEPARATE_ROUTES + 1)
    octets = encode_set([], HOP6)
    packer = Packer(EBGP)
    assert len(pack(packer, IPV6_UNICAST, {octets: few}, [])) == SEPARATE_ROUTES
    assert len(pack(packer, IPV6_UNICAST, {octets: many}, [])) == 1
    assert len(pack(packer, IPV6_UNICAST, {}, few)) == SEPARATE_ROUTES
    assert len(pack(packer, IPV6_UNICAST, {}, many)) == 1


def test_without_group_updates_every_route_has_its_message() -> None:
    packer = Packer(replace(EBGP, group_updates=False))
    routes = prefixes(40)
    assert len(pack(packer, IPV4_UNICAST, {encode_set([], HOP): routes}, [])) == 40
    assert len(pack(packer, IPV4_UNICAST, {}, routes)) == 40


@pytest.mark.parametrize("size", [4096, 65535])
@pytest.mark.parametrize("family", [IPV4_UNICAST, IPV6_UNICAST])
@pytest.mark.parametrize("withdraw", [False, True])
def test_bulk_fills_every_message_but_the_last(size: int, family: Family, withdraw: bool) -> None:
    packer = Packer(replace(EBGP, message_size=size))
    routes = prefixes(20000) if family == IPV4_UNICAST else prefixes6(20000)
    octets = encode_set([], HOP if family == IPV4_UNICAST else HOP6)
    messages = pack(packer, family, {} if withdraw else {octets: routes}, routes if withdraw else [])
    longest = len(routes[0]) - 4
    assert all(size - longest < len(message) <= size for message in messages[:-1])
    assert all(int.from_bytes(message[16:18], "big") == len(message) for message in messages)
    negotiated = Negotiated(local_as=65001, peer_as=65002, families=EVERYTHING)
    found = []
    for message in messages:
        update = decode_update(message[19:], negotiated)
        for part in update.withdrawn if withdraw else update.announced:
            found += part.items
    assert found == routes


UNSENDABLE = [
    ("not-negotiated", replace(EBGP, families=(IPV4_UNICAST,)), IPV6_UNICAST, HOP6, "was not negotiated"),
    ("ipv6-next-hop", EBGP, IPV4_UNICAST, HOP6, "no IPv6 next hops agreed for ipv4 unicast"),
    ("ipv6-next-hop-multicast", EBGP, IPV4_MULTICAST, HOP6, "no IPv6 next hops agreed for ipv4 multicast"),
    ("self-of-wrong-family", EBGP, IPV6_UNICAST, b"", "127.0.0.1 is no address for ipv6 unicast"),
    ("no-next-hop", EBGP, IPV4_UNICAST, None, "routes need a next hop"),
]


@pytest.mark.parametrize(("name", "shape", "family", "hop", "reason"), UNSENDABLE, ids=[case[0] for case in UNSENDABLE])
def test_routes_that_a_session_cannot_carry_are_reported(
    name: str, shape: Shape, family: Family, hop: bytes | None, reason: str
) -> None:
    packer = Packer(shape)
    found = packer.unsendable(family, encode_set([], hop))
    assert found is not None
    assert reason in found


@pytest.mark.parametrize("family", [IPV4_NLRI_MPLS, IPV4_MPLS_VPN])
def test_an_ipv6_next_hop_of_a_labelled_route_is_sent_without_being_agreed(family: Family) -> None:
    assert Packer(EBGP).unsendable(family, encode_set([], HOP6)) is None


def test_routes_that_cannot_be_sent_are_withdrawn_and_remembered() -> None:
    packer = Packer(EBGP)
    octets, good = encode_set([], HOP6), encode_set([], HOP)
    messages = pack(packer, IPV4_UNICAST, {octets: prefixes(1), good: prefixes(2)[1:]}, [])
    assert [message[19:23].hex() for message in messages] == ["0004180a", "00000014"]
    assert [(skipped.attribute_set, skipped.items) for skipped in packer.skipped] == [(octets, prefixes(1))]
    pack(packer, IPV4_UNICAST, {good: prefixes(1)}, [])
    assert packer.skipped == []


def test_attributes_too_large_for_a_message_are_refused_and_fit_an_extended_one() -> None:
    octets = encode_set([Communities(tuple(range(1, 1300)))], HOP)
    reason = Packer(EBGP).unsendable(IPV4_UNICAST, octets)
    assert reason is not None
    assert "exceed a message of 4096" in reason
    extended = Packer(replace(EBGP, message_size=65535))
    assert extended.unsendable(IPV4_UNICAST, octets) is None
    assert len(pack(extended, IPV4_UNICAST, {octets: prefixes(1)}, [])[0]) > 5000


def test_one_route_too_large_does_not_keep_the_others() -> None:
    packer = Packer(EBGP)
    flow = bytes(4) + b"\xff\xa0" + bytes(0xFA0)
    octets = encode_set([Communities(tuple(range(1, 100)))], None)
    messages = pack(packer, IPV4_FLOW, {octets: [flow, *items(["0602200a000001"])]}, [])
    assert len(messages) == 2  # the large one's withdrawal fits
    assert [skipped.items for skipped in packer.skipped] == [[flow]]


def test_a_route_is_withdrawn_whatever_attributes_its_withdrawal_names() -> None:
    packer = Packer(EBGP)
    small = items(["0602200a000001"])
    flow = bytes(4) + b"\xfb\xc4" + bytes(3012)
    for count in (1, 185, 1010, 1300):
        named = encode_set([Communities(tuple(range(1, 1 + count)))], None)
        messages = packer.withdraw(IPV4_FLOW, {named: [flow, *small]})
        assert len(messages) == 2
        assert all(any(message.endswith(item[4:]) for message in messages) for item in (flow, *small))
        assert all(len(message) <= 4096 for message in messages)


def test_the_largest_attributes_leave_room_for_one_route() -> None:
    for padding in range(1, 60):
        octets = encode_set([UnknownAttribute(99, 0xC0, bytes(4000 + padding))], HOP)
        packer = Packer(EBGP)
        messages = pack(packer, IPV4_UNICAST, {octets: items(["200a000001"])}, [])
        assert all(len(message) <= 4096 for message in messages)
        assert len(messages) == 1


@pytest.mark.parametrize(
    ("role", "marked", "sent"),
    [(0, False, True), (1, False, True), (4, False, True), (2, True, None), (3, True, None), (4, True, None)],
)
def test_only_to_customer_is_added_or_obeyed(role: int, marked: bool, sent: bool | None) -> None:
    packer = Packer(replace(EBGP, role=role))
    octets = encode_set([OnlyToCustomer(65009)] if marked else [], HOP)
    if sent is None:
        assert "only-to-customer" in str(packer.unsendable(IPV4_UNICAST, octets))
    else:
        (message,) = pack(packer, IPV4_UNICAST, {octets: prefixes(1)}, [])
        assert b"\xc0\x23\x04\x00\x00\xfd\xe9" in message


def test_aigp_leaves_the_as_where_it_is_configured() -> None:
    octets = encode_set([Aigp(((1, bytes(8)),))], HOP)
    (message,) = pack(Packer(replace(EBGP, aigp=True)), IPV4_UNICAST, {octets: prefixes(1)}, [])
    assert b"\x80\x1a\x0b" in message


@pytest.mark.parametrize(
    ("agreed", "own"), [((), "40030401020304"), (((IPV4_UNICAST, 2),), "00010110" + "20010db8" + "00" * 11 + "01")]
)
def test_over_ipv6_self_is_the_router_id_to_an_ipv4_route_unless_ipv6_was_agreed(
    agreed: tuple[tuple[Family, int], ...], own: str
) -> None:
    address = bytes.fromhex("20010db8" + "00" * 11 + "01")
    shape = replace(IBGP, local_address=address, router_id=bytes((1, 2, 3, 4)), next_hop=agreed)
    (message,) = pack(Packer(shape), IPV4_UNICAST, {encode_set([], b""): prefixes(1)}, [])
    assert bytes.fromhex(own) in message


def test_only_ipv6_sessions_differ_by_router_id() -> None:
    four = Negotiated(local_as=1, peer_as=1, local_address=HOP, local_id=bytes((1, 2, 3, 4)))
    assert Shape.of(four).router_id == bytes(4)
    assert Shape.of(replace(four, local_address=bytes(16))).router_id == bytes((1, 2, 3, 4))


@pytest.mark.parametrize(
    "changes", [{"local_as": 0}, {"local_as": 1 << 32}, {"message_size": 100}, {"message_size": 1 << 20}, {"role": 5}]
)
def test_a_shape_that_no_session_has_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Shape.from_wire(replace(EBGP, **changes).to_wire())


def test_shapes_survive_the_bus() -> None:
    negotiated = Negotiated(
        local_as=65001,
        peer_as=65002,
        local_address=HOP,
        families=(IPV6_UNICAST, IPV4_UNICAST),
        add_path_send=frozenset({IPV4_UNICAST}),
        next_hop=frozenset({(IPV4_UNICAST, 2)}),
        role=3,
    )
    shape = Shape.of(negotiated, group_updates=False)
    assert shape.families == (IPV4_UNICAST, IPV6_UNICAST)
    assert Shape.from_wire(shape.to_wire()) == shape
    assert hash(Shape.from_wire(shape.to_wire())) == hash(shape)


@pytest.mark.parametrize("position", range(12))
def test_shapes_that_are_none_are_refused(position: int) -> None:
    fields = EBGP.to_wire()
    fields[position] = "x"
    with pytest.raises(ValueError):
        Shape.from_wire(fields)
    with pytest.raises(ValueError):
        Shape.from_wire(fields[:position])


@given(octets=st.binary(max_size=60), family=st.sampled_from(EVERYTHING))
def test_damaged_sets_are_reported_not_raised(octets: bytes, family: Family) -> None:
    reason = Packer(replace(EBGP, asn4=False)).unsendable(family, octets)
    assert reason is None or isinstance(reason, str)


@pytest.mark.parametrize("family", [IPV4_MULTICAST, IPV6_UNICAST])
def test_a_withdrawal_of_plain_prefixes_has_no_attributes_beside_it(family: Family) -> None:
    item = prefixes(1)[0] if family == IPV4_MULTICAST else prefixes6(1)[0]
    (message,) = Packer(replace(EBGP, families=(family,))).withdraw(family, {b"": [item]})
    unreach = family.octets + item[4:]
    assert message[23:] == bytes((0x80, 15, len(unreach))) + unreach


def test_a_path_identifier_that_is_not_sent_orders_routes_as_one_that_is() -> None:
    packer = Packer(Shape(families=(IPV4_UNICAST,)))
    items = [bytes.fromhex(item) for item in ("00000000080a", "78000000080b", "00000001080c", "000000000809")]
    [message] = pack(packer, IPV4_UNICAST, {encode_set([], HOP): items}, [])
    assert message[-8:].hex(" ", 2) == "080c 0809 080a 080b"


def test_routes_without_a_path_identifier_stand_where_exabgp_puts_them() -> None:
    packer = Packer(Shape(families=(IPV4_UNICAST,), add_path=(IPV4_UNICAST,)))
    paths = [bytes.fromhex(path) for path in ("78000000", "00000001", "00000000", "6e6f2d70")]
    [message] = pack(packer, IPV4_UNICAST, {encode_set([], HOP): [path + b"\x08\x0a" for path in paths]}, [])
    assert [message[-24:][place : place + 4].hex() for place in range(0, 24, 6)] == [
        "00000001", "6e6f2d70", "00000000", "78000000",
    ]  # fmt: skip
