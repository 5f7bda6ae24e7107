"""MVPN, MUP and SR policy NLRI: what is refused, and what identifies a route.

RFC 6514 section 4, draft-ietf-bess-mup-safi section 3.1, RFC 9830 section 2.1.

The golden vectors (`nlri_mvpn.jsonl`, `nlri_mup.jsonl`, `nlri_sr_policy.jsonl`) are run by `test_nlri.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bgp.family import (
    IPV4_MCAST_VPN,
    IPV4_MUP,
    IPV4_SR_POLICY,
    IPV6_MCAST_VPN,
    IPV6_MUP,
    IPV6_SR_POLICY,
    Family,
)
from bgp.nlri import (
    DirectSegmentDiscovery,
    InterworkSegmentDiscovery,
    OpaqueMup,
    OpaqueTyped,
    SharedTreeJoin,
    SourceActive,
    SrPolicy,
    Type1SessionTransformed,
    Type2SessionTransformed,
    decode,
    route_key,
    split,
)
from tests.shared import shared

NO_PATH = bytes(4)
RD = "0000006400000064"
V6 = "20010db8000000000000000000000001"


def mup_item(kind: int, body: str, architecture: int = 1) -> bytes:
    """Frame a MUP body of hex digits."""
    octets = bytes.fromhex(body)
    return NO_PATH + bytes((architecture,)) + kind.to_bytes(2, "big") + bytes((len(octets),)) + octets


def mvpn_item(kind: int, body: str) -> bytes:
    """Frame an MVPN body of hex digits."""
    octets = bytes.fromhex(body)
    return NO_PATH + bytes((kind, len(octets))) + octets


@pytest.mark.parametrize(
    ("family", "kind", "body", "message"),
    [
        (IPV4_MUP, 1, f"{RD} 21 0a00010001", "33 is not within 0..32"),
        (IPV4_MUP, 1, f"{RD} 18 0a000100", "1 octets too many"),
        (IPV4_MUP, 1, f"{RD} 18 0a00", "3 octets expected, 2 left"),
        (IPV4_MUP, 2, f"{RD} 0a0000", "4 or 16 octets, not 3"),
        (IPV4_MUP, 3, f"{RD} 20 c0a80002 00003039 09", "1 octets expected, 0 left"),
        (IPV4_MUP, 3, f"{RD} 20 c0a80002 00003039 09 18 0a0000", r"one of \(32, 128\), not 24"),
        (IPV4_MUP, 3, f"{RD} 20 c0a80002 00003039 09 20 0a000001 21 0a00000100", r"\(0, 32, 128\), not 33"),
        (IPV4_MUP, 4, f"{RD} 18 0a0000", "4 octets expected, 3 left"),
        (IPV4_MUP, 4, f"{RD} 1f 0a000001", "31 is not within 32..64"),
        (IPV4_MUP, 4, f"{RD} a0 {V6} 00003039", "is not within 32..64|octets too many"),
        (IPV6_MUP, 4, f"{RD} 80 0a000001", "16 octets expected, 4 left"),
        (IPV4_MUP, 4, f"{RD} 48 0a000001 0000303900", "72 is not within 32..64"),
    ],
)
def test_mup_route_that_makes_no_sense_is_refused(family: Family, kind: int, body: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(family, mup_item(kind, body))


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        (5, f"{RD} 20 0a000001 20 e00000", "4 octets expected, 3 left"),
        (5, f"{RD} 18 0a0000 20 e0000001", "32 or 128 bits, not 24"),
        (5, f"{RD} 20 0a000001 20 e0000001 00", "1 octets too many"),
        (6, f"{RD} 0000fde8 00 00", "32 or 128 bits, not 0"),
        (7, f"{RD} 0000", "4 octets expected, 2 left"),
    ],
)
def test_mvpn_route_that_makes_no_sense_is_refused(kind: int, body: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(IPV4_MCAST_VPN, mvpn_item(kind, body))


@pytest.mark.parametrize(
    ("family", "octets", "message"),
    [
        (IPV4_SR_POLICY, "5f 00000001 0000000a 0a000001", "length is 96 bits, not 95"),
        (IPV4_SR_POLICY, f"c0 00000001 0000000a {V6}", "length is 96 bits, not 192"),
        (IPV6_SR_POLICY, "60 00000001 0000000a 0a000001", "length is 192 bits, not 96"),
    ],
)
def test_sr_policy_of_another_length_is_refused(family: Family, octets: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(family, NO_PATH + bytes.fromhex(octets))


def test_tunnel_and_endpoint_do_not_make_another_type_1_session_transformed_route() -> None:
    one = mup_item(3, f"{RD} 20 c0a80002 00003039 09 20 0a000001")
    other = mup_item(3, f"{RD} 20 c0a80002 0000303a 05 80 {V6} 20 0a000101")
    another = mup_item(3, f"{RD} 20 c0a80003 00003039 09 20 0a000001")
    assert route_key(IPV4_MUP, one) == route_key(IPV4_MUP, other)
    assert route_key(IPV4_MUP, one) != route_key(IPV4_MUP, another)


def test_teid_makes_another_type_2_session_transformed_route() -> None:
    one = mup_item(4, f"{RD} 40 0a000001 00003039")
    other = mup_item(4, f"{RD} 40 0a000001 0000303a")
    assert route_key(IPV4_MUP, one) == one
    assert route_key(IPV4_MUP, other) == other


def test_key_of_a_route_of_another_architecture_is_all_its_octets() -> None:
    item = mup_item(3, f"{RD} 20 c0a80002 00003039", architecture=2)
    assert route_key(IPV4_MUP, item) == item
    assert isinstance(decode(IPV4_MUP, item), OpaqueMup)


def test_source_of_no_bits_is_no_source() -> None:
    route = decode(IPV4_MUP, mup_item(3, f"{RD} 20 c0a80002 00003039 09 20 0a000001 00"))
    assert isinstance(route, Type1SessionTransformed)
    assert route.source is None


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: InterworkSegmentDiscovery(family=IPV4_MUP, rd=bytes(8), length=24, address=bytes(16)),
            "4 octets, not 16",
        ),
        (
            lambda: InterworkSegmentDiscovery(family=IPV4_MUP, rd=bytes(8), length=0, address=bytes(4), architecture=2),
            "architecture is 1, not 2",
        ),
        (lambda: DirectSegmentDiscovery(family=IPV4_MUP, rd=bytes(7), address=bytes(4)), "8 octets, not 7"),
        (
            lambda: Type1SessionTransformed(
                family=IPV4_MUP,
                rd=bytes(8),
                length=0,
                address=bytes(4),
                teid=1 << 32,
                qfi=0,
                endpoint=bytes(4),
            ),
            "does not fit 32 bits",
        ),
        (
            lambda: Type1SessionTransformed(
                family=IPV4_MUP, rd=bytes(8), length=0, address=bytes(4), teid=0, qfi=256, endpoint=bytes(4)
            ),
            "QFI 256",
        ),
        (
            lambda: Type2SessionTransformed(family=IPV4_MUP, rd=bytes(8), length=40, endpoint=bytes(4), teid=256),
            "TEID 256 does not fit 8 bits",
        ),
        (
            lambda: Type2SessionTransformed(family=IPV6_MUP, rd=bytes(8), length=64, endpoint=bytes(4), teid=0),
            "16 octets, not 4",
        ),
        (lambda: OpaqueMup(family=IPV4_MUP, kind=9, data=bytes(256)), "at most 255 octets, not 256"),
        (lambda: OpaqueMup(family=IPV4_MUP, kind=1 << 16, data=b""), "65536 is not within"),
        (lambda: OpaqueTyped(family=IPV4_MCAST_VPN, kind=256, data=b""), "256 is not within"),
        (lambda: OpaqueTyped(family=IPV4_MCAST_VPN, kind=1, data=bytes(256)), "at most 255 octets"),
        (
            lambda: SourceActive(family=IPV4_MCAST_VPN, rd=bytes(8), source=bytes(5), group=bytes(4)),
            "source has 4 or 16 octets, not 5",
        ),
        (
            lambda: SharedTreeJoin(
                family=IPV6_MCAST_VPN, rd=bytes(8), source_as=1 << 32, source=bytes(16), group=bytes(16)
            ),
            "does not fit 32 bits",
        ),
        (lambda: SrPolicy(family=IPV4_SR_POLICY, distinguisher=-1, color=0, endpoint=bytes(4)), "distinguisher -1"),
        (lambda: SrPolicy(family=IPV6_SR_POLICY, distinguisher=0, color=0, endpoint=bytes(4)), "16 octets, not 4"),
    ],
)
def test_constructor_says_what_is_wrong(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("conf-mvpn", {(0, 1, 0, 5): IPV4_MCAST_VPN, (0, 2, 0, 5): IPV6_MCAST_VPN}),
        ("conf-srv6-mup-v3", {(0, 1, 0, 85): IPV4_MUP, (0, 2, 0, 85): IPV6_MUP}),
    ],
)
def test_routes_of_the_conformance_cases_round_trip(name: str, families: dict[tuple[int, ...], Family]) -> None:
    """Find the NLRI in each message by the MP_REACH_NLRI that ends it."""
    path = shared(f"conformance/encoding/{name}.msg")
    routes = 0
    for line in path.read_text().split():
        message = bytes.fromhex(line.rpartition(":")[2]) if ":raw:" in line else b""
        start = message.find(b"\x80\x0e")
        if start < 0:
            continue
        value = message[start + 3 : start + 3 + message[start + 2]]
        family = families[0, value[1], 0, value[2]]
        for item in split(family, value[5 + value[3] :], False):
            assert decode(family, item).item() == item
            routes += 1
    assert routes == {"conf-mvpn": 6, "conf-srv6-mup-v3": 2}[name]
