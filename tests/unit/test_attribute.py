"""Path attributes: golden vectors in both directions, and rules that hold over the whole registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bgp.attribute
from bgp.attribute import ATTRIBUTES, Aigp, As4Path, AsPath, Attribute, Communities, Origin, Segment
from bgp.attribute.as_path import merge_paths
from bgp.attribute.registry import OPTIONAL_TRANSITIVE, register
from bgp.errors import AttributeDiscard, NotifyError, TreatAsWithdraw
from bgp.negotiated import Negotiated

GOLDEN = Path(__file__).parent.parent / "golden" / "attributes.jsonl"
VECTORS = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
ROWS = sorted(ATTRIBUTES.values(), key=lambda row: row.code)
INTERNAL = Negotiated()
OLD = Negotiated(asn4=False)
EXTERNAL = Negotiated(peer_as=65001)


def native(value: Any) -> Any:
    """Turn JSON into field values: `0x` strings into octets, lists into tuples."""
    if isinstance(value, str):
        return bytes.fromhex(value[2:])
    if isinstance(value, list):
        return tuple(map(native, value))
    return value


def build(vector: dict[str, Any]) -> Attribute:
    values = {name: native(value) for name, value in vector["value"].items()}
    if "segments" in values:
        values["segments"] = tuple(Segment(*segment) for segment in values["segments"])
    return getattr(bgp.attribute, vector["class"])(**values)


def context(vector: dict[str, Any]) -> Negotiated:
    return Negotiated(**vector.get("context", {}))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_octets_decode_to_the_value(vector: dict[str, Any]) -> None:
    cls = getattr(bgp.attribute, vector["class"])
    assert cls.decode(bytes.fromhex(vector["hex"]), context(vector)) == build(vector)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_value_encodes_to_the_octets(vector: dict[str, Any]) -> None:
    assert build(vector).encode(context(vector)).hex() == vector["hex"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_truncation_at_each_octet_raises_only_the_prescribed_error(vector: dict[str, Any]) -> None:
    cls = getattr(bgp.attribute, vector["class"])
    octets = bytes.fromhex(vector["hex"])
    for length in range(len(octets)):
        try:
            shorter = cls.decode(octets[:length], context(vector))
        except cls.MALFORMED:
            continue
        assert cls.decode(shorter.encode(context(vector)), context(vector)) == shorter


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
@pytest.mark.parametrize("negotiated", [INTERNAL, EXTERNAL, OLD], ids=["internal", "external", "two-octet"])
@given(data=st.binary(max_size=80))
def test_any_octets_raise_only_the_three_errors_or_reach_a_fixed_point(
    row: Any, negotiated: Negotiated, data: bytes
) -> None:
    try:
        attribute = row.attribute.decode(data, negotiated)
    except (NotifyError, TreatAsWithdraw, AttributeDiscard):
        return
    octets = attribute.encode(negotiated)
    again = row.attribute.decode(octets, negotiated)
    assert again == attribute
    assert again.encode(negotiated) == octets


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_every_row_agrees_with_its_class(row: Any) -> None:
    assert row.code == row.attribute.CODE
    assert row.flags == row.attribute.FLAGS
    assert row.malformed is row.attribute.MALFORMED
    assert all(name.islower() for name in row.attribute.__struct_fields__)


def test_a_code_is_registered_only_once() -> None:
    class Again(Attribute):
        CODE = Origin.CODE
        FLAGS = OPTIONAL_TRANSITIVE

    with pytest.raises(ValueError, match="attribute 1 is taken by ORIGIN"):
        register("AGAIN")(Again)


MALFORMED = [
    ("Origin", "", "ORIGIN length 0 is not 1"),
    ("Origin", "03", "ORIGIN value 3 is not 0, 1 or 2"),
    ("AsPath", "02", "AS_PATH ends within a segment header"),
    ("AsPath", "0200", "AS_PATH has a segment without AS numbers"),
    ("AsPath", "05010000fde9", "AS_PATH segment type 5 is not within 1..4"),
    ("AsPath", "02020000fde9", "AS_PATH segment needs 8 octets, 4 left"),
    ("AsPath", "020100000000", "AS_PATH contains AS 0"),
    ("AsPath", "03010000fde9", "AS_PATH has a confederation segment (type 3) from an external peer"),
    ("NextHop", "0a0000", "NEXT_HOP length 3 is not 4"),
    ("Med", "00", "MULTI_EXIT_DISC length 1 is not 4"),
    ("LocalPref", "00", "LOCAL_PREF length 1 is not 4"),
    ("AtomicAggregate", "00", "ATOMIC_AGGREGATE length 1 is not 0"),
    ("Aggregator", "fde90a000001", "AGGREGATOR length 6 is not 8"),
    ("Aggregator", "000000000a000001", "AGGREGATOR contains AS 0"),
    ("Communities", "", "COMMUNITY length 0 is not a positive multiple of 4"),
    ("OriginatorId", "0a000001ff", "ORIGINATOR_ID length 5 is not 4"),
    ("ClusterList", "0a000001ff", "CLUSTER_LIST length 5 is not a positive multiple of 4"),
    ("ExtendedCommunities", "02", "EXTENDED COMMUNITIES length 1 is not a positive multiple of 8"),
    ("As4Path", "0201000000", "AS4_PATH segment needs 4 octets, 3 left"),
    ("As4Aggregator", "000000000a000001", "AS4_AGGREGATOR contains AS 0"),
    ("PmsiTunnel", "00090000000a000001", "PMSI_TUNNEL tunnel type 9 is undefined"),
    ("PmsiTunnel", "00060000000a00000100", "PMSI_TUNNEL identifier of tunnel type 6 has 5 octets, not 4 or 16"),
    (
        "Ipv6ExtendedCommunities",
        "00" * 21,
        "IPv6 EXTENDED COMMUNITIES length 21 is not a positive multiple of 20",
    ),
    ("Aigp", "01000a00000000000000", "AIGP TLV of type 1 has length 10, not 11"),
    ("Aigp", "01000b", "AIGP 8 octets expected, 0 left"),
    ("Aigp", "020003", "AIGP has no TLV of type 1"),
    ("Aigp", "01000b" + "ff" * 8, "AIGP the metric is the largest that there is"),
    ("LargeCommunities", "00" * 11, "LARGE_COMMUNITY length 11 is not a positive multiple of 12"),
    ("OnlyToCustomer", "000001", "OTC length 3 is not 4"),
    ("OnlyToCustomer", "00000000", "OTC contains AS 0"),
    ("AttrSet", "0000fd", "ATTR_SET length 3 is less than 4"),
    (
        "AttrSet",
        "0000fde9400105",
        "ATTR_SET holds a damaged attribute: attribute 1: 5 octets expected, 0 left",
    ),
    ("AttrSet", "0000fde9800e00", "ATTR_SET holds attribute 14"),
]


@pytest.mark.parametrize(("name", "octets", "reason"), MALFORMED, ids=[reason for _, _, reason in MALFORMED])
def test_errors_say_what_was_seen_and_what_was_expected(name: str, octets: str, reason: str) -> None:
    cls = getattr(bgp.attribute, name)
    with pytest.raises(cls.MALFORMED) as caught:
        cls.decode(bytes.fromhex(octets), EXTERNAL)
    assert str(caught.value) == reason


def test_confederation_segments_are_dropped_from_as4_path() -> None:
    octets = bytes.fromhex("0301 0000fde8 0201 00011170 0401 0000fde8")
    assert As4Path.decode(octets, OLD) == As4Path((Segment(2, (70000,)),))


MERGES = [
    ("as4-path-covers-the-end", [(2, (1, 23456, 23456))], [(2, (70000, 70001))], [(2, (1, 70000, 70001))]),
    ("equal-length-replaces-all", [(2, (23456, 5))], [(2, (70000, 5))], [(2, (70000, 5))]),
    ("longer-as4-path-is-ignored", [(2, (23456,))], [(2, (70000, 5))], [(2, (23456,))]),
    ("empty-as4-path-is-ignored", [(2, (23456,))], [], [(2, (23456,))]),
    (
        "a-set-counts-one",
        [(2, (1, 23456)), (1, (5, 6))],
        [(2, (70000,)), (1, (5, 6))],
        [(2, (1, 70000)), (1, (5, 6))],
    ),
    ("leading-set-is-kept", [(1, (9, 8)), (2, (23456,))], [(2, (70000,))], [(1, (9, 8)), (2, (70000,))]),
    (
        "leading-confederation-is-kept",
        [(3, (65000,)), (2, (23456,))],
        [(2, (70000,))],
        [(3, (65000,)), (2, (70000,))],
    ),
]


@pytest.mark.parametrize(("name", "path", "path4", "merged"), MERGES, ids=[case[0] for case in MERGES])
def test_as4_path_merges_into_as_path(name: str, path: Any, path4: Any, merged: Any) -> None:
    def segments(pairs: Any) -> tuple[Segment, ...]:
        return tuple(Segment(*pair) for pair in pairs)

    assert merge_paths(AsPath(segments(path)), As4Path(segments(path4))) == AsPath(segments(merged))


def test_large_as_numbers_become_as_trans_in_two_octets() -> None:
    assert AsPath((Segment(2, (70000, 5)),)).encode(OLD).hex() == "02025ba00005"


def test_constructors_validate() -> None:
    for build_one in (
        lambda: Origin(3),
        lambda: AsPath((Segment(2, ()),)),
        lambda: AsPath((Segment(2, (0,)),)),
        lambda: Communities((1 << 32,)),
        lambda: Aigp(()),
    ):
        with pytest.raises(ValueError):
            build_one()


def test_metric_is_that_of_the_first_aigp_tlv() -> None:
    assert Aigp(((2, b""), (1, bytes(7) + b"\x05"), (1, bytes(8)))).metric == 5
