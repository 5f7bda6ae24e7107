"""The NLRI registry as a whole: vectors, truncation, hostile octets, keys; and the prefix families."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgp.family import (
    FAMILIES,
    IPV4_MPLS_VPN,
    IPV4_NLRI_MPLS,
    IPV4_RTC,
    IPV4_UNICAST,
    IPV6_MPLS_VPN,
    IPV6_NLRI_MPLS,
    IPV6_UNICAST,
    L2VPN_VPLS,
    SAFI,
    Family,
)
from bgp.nlri import (
    CODECS,
    KINDS,
    NLRI,
    LabelledPrefix,
    OpaqueNlri,
    Prefix,
    RouteDistinguisher,
    RouteTarget,
    Vpls,
    VpnPrefix,
    decode,
    register,
    register_kind,
    route_key,
    split,
    split_withdrawn,
)
from bgp.nlri.evpn_route import EthernetSegment
from tests.unit.nlri_vectors import Vector, dump, load, vectors

VECTORS = vectors()
IDS = [vector.id for vector in VECTORS]
FRAMED = [vector for vector in VECTORS if vector.family in CODECS]  # not so where the family is unknown
FRAMED_IDS = [vector.id for vector in FRAMED]
NO_PATH = bytes(4)
UNKNOWN = Family(1, 241)
EVERY_FAMILY = [*CODECS, UNKNOWN]
RD = bytes.fromhex("0000fde800000001")


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_vector_decodes_to_its_value(vector: Vector) -> None:
    assert dump(decode(vector.family, NO_PATH + vector.wire)) == vector.value


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_value_encodes_to_its_vector(vector: Vector) -> None:
    route = load(vector.value, family=vector.family, path_id=7)
    assert route.encode() == vector.wire
    assert route.item() == b"\0\0\0\x07" + vector.wire


@pytest.mark.parametrize("vector", FRAMED, ids=FRAMED_IDS)
def test_vector_twice_in_a_field_splits_into_two_items(vector: Vector) -> None:
    with_path = b"\0\0\0\x05" + vector.wire
    assert split(vector.family, vector.wire * 2, False) == [NO_PATH + vector.wire] * 2
    assert split(vector.family, with_path * 2, True) == [with_path] * 2
    assert split_withdrawn(vector.family, with_path * 2, True) == [with_path] * 2


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_route_key_is_path_identifier_and_key_of_the_vector(vector: Vector) -> None:
    assert route_key(vector.family, b"\0\0\0\x05" + vector.wire) == b"\0\0\0\x05" + vector.key


@pytest.mark.parametrize("vector", FRAMED, ids=FRAMED_IDS)
def test_vector_cut_at_any_octet_is_refused(vector: Vector) -> None:
    item = NO_PATH + vector.wire
    for size in range(len(item)):
        with pytest.raises(ValueError):
            decode(vector.family, item[:size])
        if size:
            with pytest.raises(ValueError):
                split(vector.family, item[:size], True)
    for size in range(1, len(vector.wire)):
        with pytest.raises(ValueError):
            split(vector.family, vector.wire[:size], False)


@pytest.mark.parametrize("vector", FRAMED, ids=FRAMED_IDS)
def test_item_with_an_octet_too_many_is_refused(vector: Vector) -> None:
    with pytest.raises(ValueError):
        decode(vector.family, NO_PATH + vector.wire + b"\0")


@pytest.mark.parametrize("family", CODECS, ids=str)
def test_every_family_has_a_vector(family: Family) -> None:
    assert any(vector.family == family for vector in VECTORS)


@pytest.mark.parametrize("key", KINDS, ids=str)
def test_every_route_type_has_a_vector(key: tuple[Family, int]) -> None:
    family, kind = key
    assert any(
        isinstance(decode(vector.family, NO_PATH + vector.wire), KINDS[key])
        for vector in VECTORS
        if vector.family == family
    ), f"{family} type {kind}"


def test_every_known_family_has_a_codec() -> None:
    assert set(FAMILIES.values()) == set(CODECS)


def test_a_second_codec_for_a_family_or_type_is_refused() -> None:
    with pytest.raises(ValueError, match="already registered to Prefix"):
        register(IPV4_UNICAST)(Vpls)
    with pytest.raises(ValueError, match="already EthernetSegment"):
        register_kind(4, *(family for family, kind in KINDS if KINDS[family, kind] is EthernetSegment))(EthernetSegment)


def only_value_error(family: Family, octets: bytes, add_path: bool) -> None:
    """Whatever the octets: ValueError or routes; what is accepted re-encodes to a fixed point."""
    for cut in (split, split_withdrawn):
        try:
            items = cut(family, octets, add_path)
        except ValueError:
            continue
        for item in items:
            check_item(family, item)
    check_item(family, octets)


def check_item(family: Family, item: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(route_key(family, item), bytes)
    try:
        route = decode(family, item)
    except ValueError:
        return
    assert isinstance(route, NLRI)
    again = route.item()
    assert decode(family, again).item() == again
    assert decode(family, again) == route
    assert split(family, again, True) == [again]


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=str)
@given(octets=st.binary(max_size=80), add_path=st.booleans())
@settings(max_examples=60, deadline=None)
def test_random_octets_raise_value_error_alone(family: Family, octets: bytes, add_path: bool) -> None:
    only_value_error(family, octets, add_path)


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_vector_with_any_octet_damaged_raises_value_error_alone(vector: Vector) -> None:
    for index in range(min(len(vector.wire), 64)):
        for value in (0x00, 0x01, 0x7F, 0x80, 0xF0, 0xFF):
            damaged = bytearray(vector.wire)
            damaged[index] = value
            only_value_error(vector.family, NO_PATH + bytes(damaged), True)


ONE_OBJECT = [
    family
    for family in CODECS
    if family.safi in (SAFI.UNICAST, SAFI.MULTICAST, SAFI.NLRI_MPLS, SAFI.MPLS_VPN, SAFI.RTC)
]


@pytest.mark.parametrize("family", ONE_OBJECT, ids=str)
@given(octets=st.binary(max_size=60), add_path=st.booleans())
@settings(max_examples=60, deadline=None)
def test_prefixes_that_split_also_decode_to_the_very_item(family: Family, octets: bytes, add_path: bool) -> None:
    try:
        items = split(family, octets, add_path)
    except ValueError:
        return
    for item in items:
        assert decode(family, item).item() == item


def test_an_empty_field_has_no_items() -> None:
    for family in EVERY_FAMILY:
        assert split(family, b"", False) == split(family, b"", True) == []


def test_key_of_unicast_and_flow_is_the_very_item() -> None:
    for family in CODECS:
        if family.safi in (SAFI.UNICAST, SAFI.MULTICAST, SAFI.FLOW, SAFI.FLOW_VPN):
            item = bytes.fromhex("00000000180a0203")
            assert route_key(family, item) is item


def test_bits_beyond_the_length_do_not_make_another_item() -> None:
    assert (
        split(IPV4_UNICAST, bytes.fromhex("14 0a01ff 14 0a01f0 14 0a01f1"), False)
        == [bytes.fromhex("00000000 14 0a01f0")] * 3
    )
    assert decode(IPV4_UNICAST, bytes.fromhex("00000000 14 0a01ff")) == Prefix(
        family=IPV4_UNICAST, length=20, address=bytes.fromhex("0a01f000")
    )
    assert split(IPV6_UNICAST, bytes.fromhex("00000009 1d 20010dbf"), True) == [bytes.fromhex("00000009 1d 20010db8")]
    assert split(IPV4_NLRI_MPLS, bytes.fromhex("2c 001011 c000ff"), False) == [
        bytes.fromhex("00000000 2c 001011 c000f0")
    ]


@pytest.mark.parametrize(
    ("family", "octets", "message"),
    [
        (IPV4_UNICAST, "21 0a00000000", "33 is not within 0..32"),
        (IPV4_UNICAST, "ff", "255 is not within 0..32"),
        (IPV4_UNICAST, "18 0a01", "3 octets expected, 2 left"),
        (IPV6_UNICAST, "81" + "00" * 17, "129 is not within 0..128"),
        (IPV4_NLRI_MPLS, "10 0011", "-8 is not within 0..32"),
        (IPV4_NLRI_MPLS, "40 001010 c000020101", "40 is not within 0..32"),
        (IPV4_NLRI_MPLS, "40 001011 c000020101", "40 is not within 0..32"),
        (IPV4_MPLS_VPN, "50 001011 0000fde8000001", "-8 is not within 0..32"),
        (IPV4_MPLS_VPN, "80 001011 0000fde800000001 0a00000001", "40 is not within 0..32"),
        (IPV4_RTC, "1f 00000016", "neither 0 nor within 32..96"),
        (IPV4_RTC, "61 00000016" + "00" * 9, "97 is not within 0..96"),
    ],
)
def test_lengths_that_make_no_sense_are_refused(family: Family, octets: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split(family, bytes.fromhex(octets), False)


def test_path_identifier_without_a_route_is_refused() -> None:
    with pytest.raises(ValueError, match="5 octets expected, 4 left"):
        split(IPV4_UNICAST, bytes(4), True)


def test_labels_do_not_make_another_route() -> None:
    keys = {
        route_key(IPV4_MPLS_VPN, NO_PATH + bytes.fromhex(octets))
        for octets in (
            "70 001011 0000fde800000001 0a0000",
            "70 800000 0000fde800000001 0a0000",
            "88 001010 001021 0000fde800000001 0a0000",
        )
    }
    assert keys == {bytes.fromhex("00000000 58 0000fde800000001 0a0000")}


def test_a_single_label_needs_no_bottom_of_stack() -> None:
    assert split(IPV4_MPLS_VPN, bytes.fromhex("68 000102 0000000200ff0304 0a01"), False) == [
        bytes.fromhex("00000000 68 000103 0000000200ff0304 0a01")
    ]
    assert split(IPV4_NLRI_MPLS, bytes.fromhex("30 001010 c00002"), False) == [
        bytes.fromhex("00000000 30 001011 c00002")
    ]


def test_label_of_a_withdrawn_route_is_ignored() -> None:
    field = bytes.fromhex("68 000102 0000000200ff0304 0a01  70 001011 0000fde800000001 0a0000")
    assert split_withdrawn(IPV4_MPLS_VPN, field, False) == [
        bytes.fromhex("00000000 68 000103 0000000200ff0304 0a01"),
        bytes.fromhex("00000000 70 001011 0000fde800000001 0a0000"),
    ]
    assert split_withdrawn(IPV4_NLRI_MPLS, bytes.fromhex("30 001010 c00002"), False) == [
        bytes.fromhex("00000000 30 001011 c00002")
    ]


@pytest.mark.parametrize(
    ("family", "received", "item"),
    [
        (IPV4_NLRI_MPLS, "30 001010 0a0101", "30 001011 0a0101"),
        (IPV4_MPLS_VPN, "70 fffffe 0000fde8000003ee 0a0101", "70 ffffff 0000fde8000003ee 0a0101"),
        (IPV6_NLRI_MPLS, "48 000000 20010db80001", "48 000000 20010db80001"),
        (IPV6_NLRI_MPLS, "48 001010 20010db80001", "48 001011 20010db80001"),
        (IPV4_NLRI_MPLS, "48 001010 001021 0a0101", "48 001010 001021 0a0101"),
    ],
)
def test_the_octets_behind_the_label_of_a_withdrawn_route_are_no_labels(
    family: Family, received: str, item: str
) -> None:
    assert split_withdrawn(family, bytes.fromhex(received), False) == [NO_PATH + bytes.fromhex(item)]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Prefix(family=IPV4_UNICAST, length=24, address=bytes(16)), "4 octets, not 16"),
        (lambda: Prefix(family=IPV4_UNICAST, length=33, address=bytes(4)), "33 is not within 0..32"),
        (lambda: Prefix(family=IPV4_UNICAST, length=24, address=b"\x0a\0\0\x01"), "beyond its length"),
        (lambda: Prefix(family=IPV4_UNICAST, length=0, address=bytes(4), path_id=1 << 32), "path identifier"),
        (lambda: LabelledPrefix(family=IPV4_NLRI_MPLS, labels=(), length=0, address=bytes(4)), "not none"),
        (
            lambda: LabelledPrefix(family=IPV4_NLRI_MPLS, labels=(0x1010,), length=0, address=bytes(4)),
            "no bottom",
        ),
        (
            lambda: LabelledPrefix(family=IPV4_NLRI_MPLS, labels=(17, 33), length=0, address=bytes(4)),
            "goes on after its bottom",
        ),
        (
            lambda: LabelledPrefix(family=IPV4_NLRI_MPLS, labels=(1 << 24,), length=0, address=bytes(4)),
            "fit 24 bits",
        ),
        (
            lambda: VpnPrefix(family=IPV6_MPLS_VPN, labels=(16, 32, 49), rd=RD, length=128, address=bytes(16)),
            "264 bits is longer than 255",
        ),
        (
            lambda: VpnPrefix(family=IPV4_MPLS_VPN, labels=(17,), rd=b"\0", length=0, address=bytes(4)),
            "8 octets, not 1",
        ),
        (lambda: RouteTarget(family=IPV4_RTC, origin=1, target=bytes(7), length=96), "8 octets, not 7"),
        (lambda: RouteTarget(family=IPV4_RTC, origin=1, target=b"", length=0), "origin AS 0, not 1"),
        (
            lambda: Vpls(family=L2VPN_VPLS, rd=RD, endpoint=65536, offset=0, size=8, base=0),
            "endpoint 65536 does not fit 16 bits",
        ),
        (
            lambda: Vpls(family=L2VPN_VPLS, rd=RD, endpoint=1, offset=0, size=8, base=1 << 20),
            "base 1048576 does not fit 20 bits",
        ),
    ],
)
def test_constructor_says_what_is_wrong(build: object, message: str) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=message):
        build()


def test_vpls_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="17 octets, not 16"):
        decode(L2VPN_VPLS, NO_PATH + b"\0\x10" + bytes(16))


def test_field_of_an_unknown_family_is_one_opaque_item() -> None:
    assert split(UNKNOWN, b"\x01\x02", False) == [NO_PATH + b"\x01\x02"]
    assert decode(UNKNOWN, b"\0\0\0\x03\x01\x02") == OpaqueNlri(family=UNKNOWN, path_id=3, data=b"\x01\x02")


@pytest.mark.parametrize(
    ("octets", "kind", "administrator", "number"),
    [
        ("0000fde800000064", 0, 65000, 100),
        ("0001ac1401010002", 1, 0xAC140101, 2),
        ("0002000100000005", 2, 65536, 5),
    ],
)
def test_route_distinguisher_has_three_types(octets: str, kind: int, administrator: int, number: int) -> None:
    rd = RouteDistinguisher(kind, administrator, number)
    assert RouteDistinguisher.decode(bytes.fromhex(octets)) == rd
    assert rd.encode().hex() == octets


@pytest.mark.parametrize(
    ("kind", "administrator", "number", "message"),
    [
        (3, 1, 1, "type 3 is not 0, 1 or 2"),
        (0, 65536, 1, "administrator 65536 .* 16 bits"),
        (0, 1, 1 << 32, "number .* 32 bits"),
        (2, 1, 65536, "number 65536 .* 16 bits"),
    ],
)
def test_route_distinguisher_out_of_range_is_refused(kind: int, administrator: int, number: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RouteDistinguisher(kind, administrator, number)
