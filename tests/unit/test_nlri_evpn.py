"""EVPN: what each route type refuses, and what identifies a route (RFC 7432 section 7, RFC 9136 section 3)."""

from __future__ import annotations

import pytest

from bgp.family import L2VPN_EVPN
from bgp.nlri import (
    EthernetAutoDiscovery,
    EthernetSegment,
    IpPrefix,
    MacAdvertisement,
    OpaqueTyped,
    decode,
    route_key,
    split,
)

NO_PATH = bytes(4)
RD = "0001ac1401010002"
NO_ESI = "00" * 10
ESI = "00010203040506070809"
MAC = "00aabbccddee"
GATEWAY = "0a000001"


def item(kind: int, body: str) -> bytes:
    """Frame a body of hex digits."""
    octets = bytes.fromhex(body)
    return NO_PATH + bytes((kind, len(octets))) + octets


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        (1, f"{RD}{ESI}00000064 0003e9 00", "1 octets too many"),
        (1, f"{RD}{ESI}00000064", "3 octets expected, 0 left"),
        (2, f"{RD}{ESI}00000064 2f {MAC} 00 0003e9", "48 bits, not 47"),
        (2, f"{RD}{ESI}00000064 30 {MAC} 21 0a000001 0003e9", "0, 32 or 128 bits, not 33"),
        (2, f"{RD}{ESI}00000064 30 {MAC} 00", "3 or 6 octets of labels expected, 0 left"),
        (2, f"{RD}{ESI}00000064 30 {MAC} 00 0003e9 0003e9 0003e9", "3 or 6 octets .* 9 left"),
        (3, f"{RD}00000064 00", "32 or 128 bits, not 0"),
        (3, f"{RD}00000064 20 0a00000100", "1 octets too many"),
        (4, f"{RD}{ESI} 80 0a000001", "16 octets expected, 4 left"),
        (5, f"{RD}{ESI}00000064 18 c0000200 {GATEWAY} 0003e9 00", "34 or 58 octets, not 35"),
        (5, f"{RD}{ESI}00000064 21 c0000200 {GATEWAY} 0003e9", "33 is not within 0..32"),
    ],
)
def test_malformed_route_is_refused_but_framed_and_keyed(kind: int, body: str, message: str) -> None:
    route = item(kind, body)
    with pytest.raises(ValueError, match=message):
        decode(L2VPN_EVPN, route)
    assert split(L2VPN_EVPN, route, True) == [route]
    assert route_key(L2VPN_EVPN, route).startswith(NO_PATH)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (1, f"{RD}{ESI}00000064 0003e9", f"{RD}{ESI}00000064 000000"),
        (
            2,
            f"{RD}{ESI}00000064 30 {MAC} 20 {GATEWAY} 0003e9",
            f"{RD}{NO_ESI}00000064 30 {MAC} 20 {GATEWAY} 000000 000001",
        ),
        (
            5,
            f"{RD}{ESI}00000064 18 c0000200 {GATEWAY} 0003e9",
            f"{RD}{NO_ESI}00000064 18 c00002ff 00000000 000000",
        ),
    ],
)
def test_what_is_no_part_of_the_key_makes_no_other_route(kind: int, one: str, other: str) -> None:
    assert route_key(L2VPN_EVPN, item(kind, one)) == route_key(L2VPN_EVPN, item(kind, other))


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (1, f"{RD}{ESI}00000064 0003e9", f"{RD}{NO_ESI}00000064 0003e9"),
        (1, f"{RD}{ESI}00000064 0003e9", f"{RD}{ESI}00000065 0003e9"),
        (2, f"{RD}{ESI}00000064 30 {MAC} 00 0003e9", f"{RD}{ESI}00000064 30 {MAC} 20 {GATEWAY} 0003e9"),
        (2, f"{RD}{ESI}00000064 30 {MAC} 00 0003e9", f"{RD}{ESI}00000065 30 {MAC} 00 0003e9"),
        (3, f"{RD}00000064 20 {GATEWAY}", f"{RD}00000065 20 {GATEWAY}"),
        (4, f"{RD}{ESI} 20 {GATEWAY}", f"{RD}{NO_ESI} 20 {GATEWAY}"),
        (
            5,
            f"{RD}{ESI}00000064 18 c0000200 {GATEWAY} 0003e9",
            f"{RD}{ESI}00000064 19 c0000200 {GATEWAY} 0003e9",
        ),
        (6, f"{RD}01", f"{RD}02"),
    ],
)
def test_what_is_part_of_the_key_makes_another_route(kind: int, one: str, other: str) -> None:
    assert route_key(L2VPN_EVPN, item(kind, one)) != route_key(L2VPN_EVPN, item(kind, other))


def test_bits_beyond_the_length_of_an_ip_prefix_are_cleared() -> None:
    route = decode(L2VPN_EVPN, item(5, f"{RD}{ESI}00000064 18 c00002ff {GATEWAY} 0003e9"))
    assert isinstance(route, IpPrefix)
    assert route.address == bytes((192, 0, 2, 0))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: EthernetAutoDiscovery(family=L2VPN_EVPN, rd=bytes(8), esi=bytes(9), ethernet_tag=0, label=0),
            "10 octets, not 9",
        ),
        (
            lambda: EthernetAutoDiscovery(family=L2VPN_EVPN, rd=bytes(8), esi=bytes(10), ethernet_tag=1 << 32, label=0),
            "tag 4294967296 does not fit 32 bits",
        ),
        (
            lambda: EthernetAutoDiscovery(family=L2VPN_EVPN, rd=bytes(8), esi=bytes(10), ethernet_tag=0, label=1 << 24),
            "fit 24 bits",
        ),
        (
            lambda: MacAdvertisement(
                family=L2VPN_EVPN,
                rd=bytes(8),
                esi=bytes(10),
                ethernet_tag=0,
                mac=bytes(5),
                address=None,
                labels=(0,),
            ),
            "6 octets, not 5",
        ),
        (
            lambda: MacAdvertisement(
                family=L2VPN_EVPN,
                rd=bytes(8),
                esi=bytes(10),
                ethernet_tag=0,
                mac=bytes(6),
                address=None,
                labels=(),
            ),
            "1 or 2 labels, not 0",
        ),
        (
            lambda: EthernetSegment(family=L2VPN_EVPN, rd=bytes(8), esi=bytes(10), address=bytes(5)),
            "4 or 16 octets, not 5",
        ),
        (
            lambda: IpPrefix(
                family=L2VPN_EVPN,
                rd=bytes(8),
                esi=bytes(10),
                ethernet_tag=0,
                length=24,
                address=bytes(4),
                gateway=bytes(16),
                label=0,
            ),
            "gateway has 4 octets like its prefix, not 16",
        ),
        (lambda: OpaqueTyped(family=L2VPN_EVPN, kind=256, data=b""), "256 is not within 0..255"),
        (lambda: OpaqueTyped(family=L2VPN_EVPN, kind=9, data=bytes(256)), "at most 255 octets, not 256"),
    ],
)
def test_constructor_says_what_is_wrong(build: object, message: str) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=message):
        build()
