"""Neutral attribute sets: equal routes have equal octets, and nothing is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.attribute import (
    Aggregator,
    AsPath,
    AtomicAggregate,
    Attribute,
    Communities,
    ExtendedCommunities,
    Ipv6ExtendedCommunities,
    LargeCommunities,
    LocalPref,
    Med,
    NextHop,
    Origin,
    Segment,
    UnknownAttribute,
)
from bgp.route import decode_set, encode_set

HOP = bytes((10, 0, 0, 1))
PATH = AsPath((Segment(2, (65001, 70000)), Segment(1, (5, 3))))


def test_attributes_are_in_code_order_whatever_the_order_given() -> None:
    octets = encode_set([LocalPref(100), Med(5), PATH, Origin(0)], HOP)
    assert octets == encode_set([Origin(0), PATH, Med(5), LocalPref(100)], HOP)
    assert octets.hex() == (
        "40010100400214" + "02020000fde900011170" + "010200000005000000034003040a0000018004040000000540050400000064"
    )


@pytest.mark.parametrize(
    ("next_hop", "expected"),
    [
        (None, ""),
        (b"", "400300"),
        (HOP, "4003040a000001"),
        (bytes(15) + b"\1", "400310" + "00" * 15 + "01"),
        (bytes(32), "400320" + "00" * 32),
    ],
)
def test_next_hop_is_absent_symbolic_or_an_address(next_hop: bytes | None, expected: str) -> None:
    octets = encode_set([], next_hop)
    assert octets.hex() == expected
    assert decode_set(octets) == ({}, next_hop)


def test_next_hop_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="not 5"):
        encode_set([], bytes(5))


def test_communities_are_sorted_and_large_ones_unique() -> None:
    large = LargeCommunities(((3, 2, 1), (1, 2, 3), (3, 2, 1)))
    assert encode_set([Communities((9, 1, 9))], None).hex() == "c0080c000000010000000900000009"
    assert encode_set([large], None).hex() == "c02018" + "000000010000000200000003" + "000000030000000200000001"
    high, low = bytes.fromhex("4004000100000000"), bytes.fromhex("0002000100000001")
    assert encode_set([ExtendedCommunities((high, low))], None) == bytes.fromhex("c01010") + low + high
    assert encode_set([Ipv6ExtendedCommunities((b"\2" * 20, b"\1" * 20))], None)[3:23] == b"\1" * 20


def test_raw_attributes_keep_flags_and_octets() -> None:
    raw = UnknownAttribute(0x99, 0x70, b"dddd")
    octets = encode_set([raw, UnknownAttribute(0x98, 0x60, b"")], HOP)
    assert octets.hex() == "4003040a000001" + "609800" + "7099000464646464"
    assert decode_set(octets)[0][0x99] == raw


def test_long_attributes_take_two_octets_of_length() -> None:
    octets = encode_set([Communities(tuple(range(1, 65)))], None)
    assert octets[:4].hex() == "d0080100"
    assert decode_set(octets) == ({8: Communities(tuple(range(1, 65)))}, None)


@pytest.mark.parametrize(
    "attributes",
    [
        [NextHop(HOP)],
        [UnknownAttribute(14, 0x80, b"")],
        [UnknownAttribute(15, 0x80, b"")],
        [Med(1), UnknownAttribute(4, 0x80, bytes(4))],
        [UnknownAttribute(99, 0xC0, bytes(65536))],
    ],
    ids=["next-hop", "mp-reach", "mp-unreach", "twice", "too-long"],
)
def test_what_cannot_be_in_a_set_is_refused(attributes: list[Attribute]) -> None:
    with pytest.raises(ValueError):
        encode_set(attributes, None)


def test_raw_attributes_that_are_malformed_stay_raw() -> None:
    raw = UnknownAttribute(4, 0x80, b"\1")
    assert decode_set(encode_set([raw], None)) == ({4: raw}, None)


@pytest.mark.parametrize("octets", ["40", "400103", "50010001"])
def test_octets_that_end_within_an_attribute_are_refused(octets: str) -> None:
    with pytest.raises(ValueError):
        decode_set(bytes.fromhex(octets))


u32 = st.integers(0, 0xFFFFFFFF)
asn = st.integers(1, 0xFFFFFFFF)
attribute = st.one_of(
    st.builds(Origin, st.integers(0, 2)),
    st.builds(Med, u32),
    st.builds(LocalPref, u32),
    st.builds(AtomicAggregate),
    st.builds(Aggregator, asn, st.binary(min_size=4, max_size=4)),
    st.builds(lambda values: Communities(tuple(sorted(values))), st.lists(u32, min_size=1, max_size=80)),
    st.builds(
        lambda values: AsPath((Segment(2, tuple(values)),)),
        st.lists(asn, min_size=1, max_size=80),
    ),
    st.builds(UnknownAttribute, st.integers(200, 255), st.sampled_from((0xC0, 0x80, 0xE0)), st.binary(max_size=40)),
)


@given(
    attributes=st.lists(attribute, unique_by=lambda one: one.code if isinstance(one, UnknownAttribute) else one.CODE),
    next_hop=st.sampled_from((None, b"", HOP, bytes(16))),
)
def test_sets_survive_the_round_trip(attributes: list[Attribute], next_hop: bytes | None) -> None:
    octets = encode_set(attributes, next_hop)
    found, hop = decode_set(octets)
    assert hop == next_hop
    assert sorted(map(repr, found.values())) == sorted(map(repr, attributes))
    assert encode_set(found.values(), hop) == octets
