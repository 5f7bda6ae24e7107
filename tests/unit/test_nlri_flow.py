"""Flow specifications: lengths, order, operators, offsets (RFC 8955 section 4, RFC 8956 section 3)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgp.family import IPV4_FLOW, IPV4_FLOW_VPN, IPV6_FLOW, Family
from bgp.nlri import Component, Flow, FlowKind, OperatorComponent, PrefixComponent, Term, decode, split
from bgp.nlri.flow_component import BITMASK_KINDS, LONGEST_VALUES, operator_mask, pattern_mask

NO_PATH = bytes(4)
RD = bytes.fromhex("0000fde800000001")


def flow(octets: str, family: Family = IPV4_FLOW) -> Flow:
    """Decode the components of `octets`, with the length put in front."""
    value = bytes.fromhex(octets)
    route = decode(family, NO_PATH + bytes((len(value),)) + value)
    assert isinstance(route, Flow)
    return route


def ports(count: int) -> OperatorComponent:
    """Make a component of 1 + 2 * count octets."""
    return OperatorComponent(FlowKind.PORT, (Term(1, 80),) * count)


@pytest.mark.parametrize(
    ("family", "octets", "message"),
    [
        (IPV4_FLOW, "", "at least one component"),
        (IPV4_FLOW, "04 81 19 03 81 06", "component 3 after 4"),
        (IPV4_FLOW, "03 81 06 03 81 11", "component 3 after 3"),
        (IPV4_FLOW, "0d 81 06", r"no component 13 \(flow label\)"),
        (IPV4_FLOW, "0e 81 06", "type 14 is not within 3..13"),
        (IPV4_FLOW, "00 81 06", "type 0 is not within 3..13"),
        (IPV4_FLOW, "03 01 06", "1 octets expected, 0 left"),
        (IPV4_FLOW, "03 91 06", "2 octets expected, 1 left"),
        (IPV4_FLOW, "09 a1 00000002", "component 9 has values of at most 2 octets, not 4"),
        (IPV4_FLOW, "0b 91 002e", "component 11 has values of at most 1 octets, not 2"),
        (IPV4_FLOW, "0c 90 0001", "component 12 has values of at most 1 octets, not 2"),
        (IPV6_FLOW, "0b 11 0001 81 02", "component 11 has values of at most 1 octets, not 2"),
        (IPV4_FLOW, "01 21 c000020100", "33 is not within 0..32"),
        (IPV4_FLOW, "01 18 c000", "3 octets expected, 2 left"),
        (IPV6_FLOW, "01 81 00" + "00" * 17, "129 is not within 0..128"),
        (IPV6_FLOW, "01 40 40", "offset 64 is not within 0..63"),
        (IPV6_FLOW, "01 00 01", "offset 1 is not within 0..0"),
        (IPV4_FLOW_VPN, "0000fde8", "8 octets expected, 4 left"),
        (IPV4_FLOW_VPN, "0000fde800000001", "at least one component"),
    ],
)
def test_malformed_flow_is_refused(family: Family, octets: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        flow(octets, family)


def test_malformed_flow_in_a_sound_frame_still_splits() -> None:
    field = bytes.fromhex("06 04 81 19 03 81 06  03 03 81 06")
    assert len(split(IPV4_FLOW, field, False)) == 2


def test_reserved_bits_and_the_first_and_bit_are_ignored() -> None:
    assert flow("03 c9 06") == flow("03 81 06")
    assert flow("09 8c 02") == flow("09 80 02")
    assert flow("03 c9 06").encode().hex() == "03038106"


def test_values_are_written_in_the_fewest_octets() -> None:
    assert flow("04 b1 0000000000000050").encode().hex() == "03048150"
    assert flow("04 a1 00001f90").encode().hex() == "0404911f90"
    assert flow("0a 21 00010000 b1 0000000100000000").encode().hex() == "0f0a2100010000b10000000100000000"


def test_bits_beyond_a_prefix_are_cleared() -> None:
    assert flow("01 14 0a01ff") == flow("01 14 0a01f0")
    assert flow("01 68 41 2468acf135", IPV6_FLOW) == flow("01 68 41 2468acf134", IPV6_FLOW)


@pytest.mark.parametrize(("count", "head"), [(119, "ef"), (120, "f0f1"), (127, "f0ff"), (128, "f101"), (2047, "ffff")])
def test_length_takes_two_octets_from_240_on(count: int, head: str) -> None:
    route = Flow(family=IPV4_FLOW, components=(ports(count),))
    assert route.encode().hex().startswith(head + "04")
    assert decode(IPV4_FLOW, route.item()) == route
    assert split(IPV4_FLOW, route.encode() * 2, False) == [route.item()] * 2


def test_flow_longer_than_its_length_field_is_refused() -> None:
    with pytest.raises(ValueError, match="4097 octets is longer than 4095"):
        Flow(family=IPV4_FLOW, components=(ports(2048),))


def test_short_flow_with_a_long_length_field_is_read_and_written_short() -> None:
    route = decode(IPV4_FLOW, NO_PATH + bytes.fromhex("f003 038106"))
    assert route.encode().hex() == "03038106"


@pytest.mark.parametrize(
    ("address", "length", "offset", "octets"),
    [
        ("20010db8000000000000000000000001", 128, 0, "01 80 00 20010db8000000000000000000000001"),
        ("00000000000000000000000000000001", 128, 64, "01 80 40 0000000000000001"),
        ("00000000000000000000000000000001", 128, 127, "01 80 7f 80"),
        ("00000000800000000000000000000000", 33, 31, "01 21 1f 40"),
        ("00000001800000000000000000000000", 33, 31, "01 21 1f c0"),
        ("00000000000000000000000000000000", 0, 0, "01 00 00"),
    ],
)
def test_pattern_starts_at_the_offset(address: str, length: int, offset: int, octets: str) -> None:
    component = PrefixComponent(FlowKind.DESTINATION, length, offset, bytes.fromhex(address))
    assert component.encode() == bytes.fromhex(octets)
    assert flow(octets, IPV6_FLOW).components == (component,)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PrefixComponent(3, 0, 0, bytes(4)), "component 3 is not a prefix"),
        (lambda: PrefixComponent(1, 24, 8, bytes(4)), "offset 8 is not 0"),
        (lambda: PrefixComponent(1, 24, 0, b"\x0a\0\0\x01"), "bits set outside 0..24"),
        (lambda: PrefixComponent(1, 64, 32, b"\x20" + bytes(15)), "bits set outside 32..64"),
        (lambda: PrefixComponent(1, 24, 0, b"\x0a\0\0"), "4 or 16 octets, not 3"),
        (lambda: OperatorComponent(1, (Term(1, 1),)), "type 1 is not within 3..13"),
        (lambda: OperatorComponent(3, ()), "at least one term"),
        (lambda: OperatorComponent(3, (Term(0x41, 1),)), "nothing to be ANDed with"),
        (lambda: OperatorComponent(3, (Term(0x81, 1),)), "operator 0x81 is not within 0x47"),
        (lambda: OperatorComponent(9, (Term(0x04, 1),)), "operator 0x4 is not within 0x43"),
        (lambda: OperatorComponent(3, (Term(1, 1 << 64),)), "does not fit 64 bits"),
        (lambda: OperatorComponent(3, (Term(1, -1),)), "does not fit 64 bits"),
        (lambda: OperatorComponent(9, (Term(1, 1 << 16),)), "does not fit 16 bits"),
        (lambda: OperatorComponent(11, (Term(1, 256),)), "does not fit 8 bits"),
        (lambda: Flow(family=IPV4_FLOW, components=(ports(1),), rd=RD), "a route distinguisher"),
        (lambda: Flow(family=IPV4_FLOW_VPN, components=(ports(1),)), "no route distinguisher"),
        (
            lambda: Flow(family=IPV6_FLOW, components=(PrefixComponent(1, 0, 0, bytes(4)),)),
            "prefix of 4 octets",
        ),
        (lambda: Flow(family=IPV4_FLOW, components=(ports(1), ports(1))), "component 4 after 4"),
    ],
)
def test_constructor_says_what_is_wrong(build: object, message: str) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=message):
        build()


@st.composite
def operator_components(draw: st.DrawFn, kind: int) -> OperatorComponent:
    mask = operator_mask(kind)
    values = st.integers(0, (1 << LONGEST_VALUES.get(kind, 8) * 8) - 1)
    terms = draw(st.lists(st.builds(Term, st.integers(0, 0x7F), values), min_size=1, max_size=4))
    kept = [Term(term.operator & mask & (0xFF if index else 0x3F), term.value) for index, term in enumerate(terms)]
    return OperatorComponent(kind, tuple(kept))


@st.composite
def prefix_components(draw: st.DrawFn, kind: int, bits: int) -> PrefixComponent:
    length = draw(st.integers(0, bits))
    offset = draw(st.integers(0, max(0, length - 1))) if bits == 128 else 0
    pattern = draw(st.integers(0, (1 << bits) - 1)) & pattern_mask(length, offset, bits)
    return PrefixComponent(kind, length, offset, pattern.to_bytes(bits // 8, "big"))


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    family, bits, last = draw(st.sampled_from([(IPV4_FLOW, 32, 12), (IPV6_FLOW, 128, 13)]))
    kinds = sorted(draw(st.sets(st.integers(1, last), min_size=1)))
    components: list[Component] = [
        draw(prefix_components(kind, bits) if kind < FlowKind.PROTOCOL else operator_components(kind)) for kind in kinds
    ]
    return Flow(family=family, components=tuple(components))


@given(route=flows())
@settings(max_examples=200, deadline=None)
def test_any_flow_survives_the_wire(route: Flow) -> None:
    assert decode(route.family, route.item()) == route
    assert split(route.family, route.encode() * 2, False) == [route.item()] * 2


def test_bitmask_components_are_tcp_flags_and_fragment() -> None:
    assert BITMASK_KINDS == (FlowKind.TCP_FLAGS, FlowKind.FRAGMENT)
