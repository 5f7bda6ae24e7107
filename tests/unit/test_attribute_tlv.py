"""The attributes that are made of TLVs: BGP-LS (29), Prefix-SID (40), tunnel encapsulation (23)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from bgp.attribute import tunnel_segment, tunnel_sr_policy
from bgp.attribute.link_state import LinkState
from bgp.attribute.link_state_tlvs import LINK_STATE_TLVS
from bgp.attribute.prefix_sid import PrefixSid
from bgp.attribute.prefix_sid_service import SidStructure, Srv6Sid
from bgp.attribute.registry import ATTRIBUTES, Attribute
from bgp.attribute.tunnel import Tunnel, TunnelEncapsulation
from bgp.attribute.tunnel_behavior import EndpointBehavior
from bgp.attribute.tunnel_segment import SegmentA, SegmentB, SegmentList
from bgp.attribute.tunnel_sr_policy import BindingSid, SrPolicyPath, Srv6BindingSid
from bgp.errors import AttributeDiscard, TreatAsWithdraw
from bgp.negotiated import Negotiated
from bgp.nlri.link_state_tlv import write_tlvs
from tests.shared import ROOT

SESSION = Negotiated()
SID = bytes.fromhex("20010db8000100010000000000000000")


def golden(name: str) -> list[dict[str, Any]]:
    """Read the vectors of a file."""
    return [json.loads(line) for line in (ROOT / "tests/golden" / name).read_text().splitlines()]


LINK_STATE = golden("link_state.jsonl")
PREFIX_SID = golden("prefix_sid.jsonl")
TUNNEL = golden("tunnel.jsonl")
CODECS: tuple[type[LinkState] | type[PrefixSid] | type[TunnelEncapsulation], ...] = (
    LinkState,
    PrefixSid,
    TunnelEncapsulation,
)
VECTORS = [
    pytest.param(codec, bytes.fromhex(row["hex"]), id=f"{codec.__name__}-{row['id']}")
    for codec, rows in zip(CODECS, (LINK_STATE, PREFIX_SID, TUNNEL), strict=True)
    for row in rows
]


def identity(row: dict[str, Any]) -> str:
    """Name a vector."""
    return str(row["id"])


@pytest.mark.parametrize(("codec", "octets"), VECTORS)
def test_vector_round_trips(codec: type[Attribute], octets: bytes) -> None:
    assert codec.decode(octets, SESSION).encode(SESSION) == octets


@pytest.mark.parametrize(("codec", "octets"), VECTORS)
def test_vector_cut_anywhere_raises_one_of_the_errors_or_is_sound(codec: type[Attribute], octets: bytes) -> None:
    for size in range(len(octets)):
        survives(codec, octets[:size])


@pytest.mark.parametrize(("codec", "octets"), VECTORS)
def test_vector_with_any_octet_damaged_raises_one_of_the_errors_or_is_sound(
    codec: type[Attribute], octets: bytes
) -> None:
    for index in range(min(len(octets), 60)):
        for value in (0x00, 0x01, 0x7F, 0x80, 0xFF):
            survives(codec, octets[:index] + bytes((value,)) + octets[index + 1 :])


@pytest.mark.parametrize("codec", CODECS)
@given(octets=st.binary(max_size=80))
@settings(max_examples=200, deadline=None)
def test_random_octets_raise_one_of_the_errors_or_are_sound(codec: type[Attribute], octets: bytes) -> None:
    survives(codec, octets)


@given(kind=st.sampled_from(sorted(LINK_STATE_TLVS)), value=st.binary(max_size=48))
@settings(max_examples=500, deadline=None)
def test_random_link_state_tlv_raises_one_of_the_errors_or_is_sound(kind: int, value: bytes) -> None:
    survives(LinkState, write_tlvs([(kind, value)]))


@given(
    kind=st.sampled_from([9, 12, 13, 14, 15, 20, 128, 129, 130]),
    value=st.binary(max_size=40),
    inner=st.sampled_from([1, 9, 13, 3]),
)
@settings(max_examples=500, deadline=None)
def test_random_sr_policy_sub_tlv_raises_value_error_alone_or_is_built_to_a_fixed_point(
    kind: int, value: bytes, inner: int
) -> None:
    if kind == 128 and len(value) < 40:
        value = b"\0" + bytes((inner, len(value))) + value
    try:
        path = SrPolicyPath.of_tunnel(Tunnel(15, ((kind, value),)))
    except ValueError:
        return
    tunnel = path.tunnel()
    assert SrPolicyPath.of_tunnel(tunnel).tunnel() == tunnel


def survives(codec: type[Attribute], octets: bytes) -> None:
    """Whatever the octets: one of the errors, or a value that re-encodes to them and can be shown."""
    try:
        attribute = codec.decode(octets, SESSION)
    except (TreatAsWithdraw, AttributeDiscard):
        return
    assert attribute.encode(SESSION) == octets
    if isinstance(attribute, LinkState | PrefixSid):
        json.dumps(attribute.as_pairs(), allow_nan=False)


@pytest.mark.parametrize("codec", CODECS)
def test_attribute_is_registered_with_its_flags(codec: type[Attribute]) -> None:
    row = ATTRIBUTES[codec.CODE]
    assert row.attribute is codec
    assert row.flags == {23: 0xC0, 29: 0x80, 40: 0xC0}[codec.CODE]


# BGP-LS


@pytest.mark.parametrize("row", LINK_STATE, ids=identity)
def test_link_state_says_in_events_what_exabgp_says(row: dict[str, Any]) -> None:
    attribute = LinkState.decode(bytes.fromhex(row["hex"]), SESSION)
    assert [list(pair) for pair in attribute.as_pairs()] == row["event"]


def test_every_link_state_tlv_that_is_read_has_a_vector() -> None:
    seen = {kind for row in LINK_STATE for kind, _ in LinkState.decode(bytes.fromhex(row["hex"]), SESSION).tlvs}
    assert set(LINK_STATE_TLVS) <= seen


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (1024, "0102", "TLV 1024 .*1 octets expected, 2 seen"),
        (1027, "", "TLV 1027 .*at least 1"),
        (1028, "0a0001", "TLV 1028 .*4 or 16 octets expected, 3 seen"),
        (1034, "8000001f40", "TLV 1034 .*2 octets expected, 0 left"),
        (1034, "c000003e8004890001ff", "3 or 4 octets, not 1"),
        (1034, "c000003e80000100030000ff", "sub-TLV 1161 expected, 1 seen"),
        (1035, "", "TLV 1035"),
        (1038, "4000", "TLV 1038"),
        (1088, "000f", "4 octets expected, 2 seen"),
        (1089, "4cee", "4 octets expected, 2 seen"),
        (1091, "4cee6b28" * 7, "32 octets expected, 28 seen"),
        (1093, "01", "2 octets expected, 1 seen"),
        (1095, "0000000a", "1 or 2 or 3 octets expected, 4 seen"),
        (1096, "000001", "multiple of 4"),
        (1099, "000a", "TLV 1099"),
        (1099, "300000000493", "3 octets expected, 2 left"),
        (1099, "00000000049310", "4 octets expected, 3 left"),
        (1100, "0000", "TLV 1100"),
        (1106, "0001c0000a00", "16 octets expected, 0 left"),
        (1106, "0001c0000a00" + SID.hex() + "99990001", "1 octets expected, 0 left"),
        (1154, "00", "multiple of 8"),
        (1162, "80000000", "TLV 1162"),
        (1162, "008000000000000a9999", "TLV 1162"),
        (1170, "", "TLV 1170"),
        (1250, "0006", "TLV 1250"),
        (1252, "2010", "4 octets expected, 2 seen"),
    ],
)
def test_malformed_link_state_tlv_discards_the_attribute(kind: int, value: str, message: str) -> None:
    with pytest.raises(AttributeDiscard, match=message):
        LinkState.decode(write_tlvs([(1026, b"a"), (kind, bytes.fromhex(value))]), SESSION)


@pytest.mark.parametrize("octets", ["04", "040200", "04020005aabb", "040000ff00", "0402000141 0402"])
def test_link_state_that_does_not_end_with_a_tlv_is_discarded(octets: str) -> None:
    with pytest.raises(AttributeDiscard, match="BGP-LS link-state TLV"):
        LinkState.decode(bytes.fromhex(octets), SESSION)


def test_link_state_tlv_is_found_by_its_type() -> None:
    attribute = LinkState(((1026, b"a"), (1026, b"b")))
    assert attribute.get(1026) == b"a"
    assert attribute.get(1095) is None


# Prefix-SID


@pytest.mark.parametrize("row", PREFIX_SID, ids=identity)
def test_prefix_sid_says_in_events_what_its_vector_says(row: dict[str, Any]) -> None:
    attribute = PrefixSid.decode(bytes.fromhex(row["hex"]), SESSION)
    assert [list(pair) for pair in attribute.as_pairs()] == row["event"]


@pytest.mark.parametrize("row", [row for row in PREFIX_SID if "build" in row], ids=identity)
def test_prefix_sid_is_built_from_and_read_into_parts(row: dict[str, Any]) -> None:
    parts = row["build"]
    attribute = PrefixSid.decode(bytes.fromhex(row["hex"]), SESSION)
    if "service" in parts:
        sids = tuple(srv6_sid(sid) for sid in parts["sids"])
        assert PrefixSid.of_service(parts["service"], sids) == attribute
        assert (attribute.l3_service, attribute.l2_service) == ((sids, None) if parts["service"] == 5 else (None, sids))
        assert attribute.label_index is None
        assert attribute.blocks is None
    else:
        blocks = tuple((base, size) for base, size in parts["blocks"])
        assert PrefixSid.of_label(parts["label_index"], blocks) == attribute
        assert attribute.label_index == parts["label_index"]
        assert attribute.blocks == (blocks or None)
        assert attribute.l3_service is attribute.l2_service is None


def srv6_sid(parts: dict[str, Any]) -> Srv6Sid:
    """Build a SID from a vector."""
    structure = SidStructure(*parts["structure"]) if parts["structure"] else None
    return Srv6Sid(bytes.fromhex(parts["sid"]), parts["behavior"], parts["flags"], structure)


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        ("", "has no TLV"),
        ("01", "TLV header: 3 octets expected, 1 left"),
        ("0100ff000000", "TLV 1: 255 octets expected, 3 left"),
        ("010000", "TLV 1: length 0 is not 7"),
        ("0100080000000000012c00", "TLV 1: length 8 is not 7"),
        ("03000700000c35000010", "TLV 3: length 7 is not 2 and a positive multiple of 6"),
        ("0300020000", "TLV 3: length 2"),
        ("00" * 37, "TLV header: 3 octets expected, 1 left"),
    ],
)
def test_malformed_prefix_sid_is_discarded(octets: str, message: str) -> None:
    with pytest.raises(AttributeDiscard, match=f"BGP_PREFIX_SID {message}"):
        PrefixSid.decode(bytes.fromhex(octets), SESSION)


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        ("05001900", "TLV 5: 25 octets expected, 1 left"),
        ("050000", "TLV 5: 1 octets expected, 0 left"),
        ("0600030001 00", "TLV 6: 2 octets expected, 1 left"),
        ("05000500 01 0001 00", "TLV 5: 21 octets expected, 1 left"),
        (f"05002100 01 001d 00{SID.hex()}00004800 010005 4018100010", "length 5 is not 6"),
        (f"05002200 01 001e 00{SID.hex()}00004800 010006 401820401000", "136 bits|184 bits"),
        (f"05002200 01 001e 00{SID.hex()}00004800 010006 401810001900", "holds no 25 bits"),
        (f"05002200 01 001e 00{SID.hex()}00004800 010006 401810001080", "beyond 104 bits"),
        (f"05002200 01 001e 00{SID.hex()}00004800 010006 401810001059", "beyond 104 bits"),
        (f"05002200 01 001e 00{SID.hex()}00004800 010006 202010001100", "more than 16 bits"),
    ],
)
def test_malformed_srv6_service_withdraws_the_route(octets: str, message: str) -> None:
    with pytest.raises(TreatAsWithdraw, match=message):
        PrefixSid.decode(bytes.fromhex(octets), SESSION)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PrefixSid.of_label(1 << 32), "does not fit 32 bits"),
        (lambda: PrefixSid.of_label(1, [(1 << 24, 1)]), "24 bits"),
        (lambda: PrefixSid.of_service(1, ()), "TLV 5 or 6, not 1"),
        (lambda: Srv6Sid(bytes(4)), "16 octets, not 4"),
        (lambda: Srv6Sid(bytes(16), behavior=1 << 16), "65536 is not within"),
        (lambda: Srv6Sid(bytes(16), flags=256), "256 are not within"),
        (lambda: SidStructure(129, 0, 0, 0, 0, 0), "129 bits are not within"),
        (lambda: BindingSid.of_label(1 << 20), "does not fit 20 bits"),
        (lambda: BindingSid(bytes(5)), "0, 4 or 16 octets, not 5"),
        (lambda: BindingSid(b"", 256), "flags 256"),
        (lambda: Srv6BindingSid(bytes(4)), "16 octets, not 4"),
        (lambda: SegmentA.of_label(1 << 20), "does not fit 20 bits"),
        (lambda: SegmentA(1 << 32), "does not fit 32 bits"),
        (lambda: SegmentB(bytes(4)), "16 octets, not 4"),
        (lambda: SegmentB(bytes(16), -1), "flags -1"),
        (lambda: SegmentList((), 1 << 32), "does not fit 32 bits"),
        (lambda: EndpointBehavior(1 << 16), "65536 is not within"),
        (lambda: EndpointBehavior(1, 256), "is not within 0..255"),
        (lambda: SrPolicyPath(preference=-1), "does not fit 32 bits"),
        (lambda: SrPolicyPath(priority=256), "priority 256"),
        (lambda: SrPolicyPath(explicit_null=256), "explicit null label policy 256"),
        (lambda: SrPolicyPath(policy_name="x" * 65535).tunnel(), "at most 65535 octets, not 65536"),
        (lambda: Tunnel(1 << 16), "65536 is not within"),
        (lambda: Tunnel(1, ((256, b""),)), "256 is not within 0..255"),
        (lambda: Tunnel(1, ((1, bytes(256)),)), "at most 255 octets, not 256"),
        (lambda: Tunnel(1, ((128, bytes(65535)),)), "at most 65535 octets, not 65538"),
        (lambda: SrPolicyPath.of_tunnel(Tunnel(8)), "tunnel type 15, not 8"),
    ],
)
def test_builder_says_what_is_wrong(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


# Tunnel encapsulation


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        ("", "no tunnel"),
        ("000700", "2 octets expected, 1 left"),
        ("00070004 01ff", "4 octets expected, 2 left"),
        ("00070002 01ff", "255 octets expected, 0 left"),
        ("00070002 8000", "2 octets expected, 1 left"),
        ("00070001 01", "1 octets expected, 0 left"),
    ],
)
def test_malformed_tunnel_withdraws_the_route(octets: str, message: str) -> None:
    with pytest.raises(TreatAsWithdraw, match=f"TUNNEL_ENCAP .*{message}"):
        TunnelEncapsulation.decode(bytes.fromhex(octets), SESSION)


def dump(value: Any) -> Any:
    """Turn a path into what its vector holds: octets in hex, defaults of the path left out."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [dump(element) for element in value]
    if not isinstance(value, Struct):
        return value
    shown = {name: dump(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, SrPolicyPath):
        return {name: element for name, element in shown.items() if element not in (None, [])}
    if isinstance(value, tunnel_segment.Segment):
        return {"class": type(value).__name__, **shown}
    return shown


@pytest.mark.parametrize("row", [row for row in TUNNEL if "path" in row], ids=identity)
def test_sr_policy_is_read_and_built(row: dict[str, Any]) -> None:
    (tunnel,) = TunnelEncapsulation.decode(bytes.fromhex(row["hex"]), SESSION).tunnels
    path = SrPolicyPath.of_tunnel(tunnel)
    assert dump(path) == row["path"]
    assert path.tunnel() == tunnel


def test_endpoint_behavior_sets_its_flag() -> None:
    endpoint = EndpointBehavior(6, 40, 24, 16, 0)
    assert SegmentB(SID, endpoint=endpoint).sub_tlv()[1][0] == 0x10
    assert Srv6BindingSid(SID, 0x80, endpoint).encode()[0] == 0xA0


def test_labels_are_at_the_high_end_of_their_entry() -> None:
    assert SegmentA.of_label(16001).entry == 16001 << 12
    assert SegmentA.of_label(16001).label == 16001
    assert BindingSid.of_label(24001).label == 24001
    assert BindingSid(b"").label is None


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (12, "00000064", "preference length 4 is not 6"),
        (13, "0000 05dc", "0, 4 or 16 octets, not 2"),
        (14, "0000", "length 2 is not 3"),
        (15, "0a", "length 1 is not 2"),
        (20, "0000" + SID.hex() + "0006", "endpoint behavior length 2 is not 8"),
        (128, "", "1 octets expected, 0 left"),
        (128, "00 0904 00000001", "weight length 4 is not 6"),
        (128, "00 0104 00000001", "type A length 4 is not 6"),
        (128, "00 0d04 00000001", "16 octets expected, 2 left"),
        (130, "", "1 octets expected, 0 left"),
    ],
)
def test_malformed_sr_policy_sub_tlv_is_refused(kind: int, value: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SrPolicyPath.of_tunnel(Tunnel(tunnel_sr_policy.SR_POLICY_TUNNEL, ((kind, bytes.fromhex(value)),)))
