"""BGP-LS NLRI: what events show, what is refused (RFC 9552 section 5.2, RFC 9514 section 6).

`test_nlri.py` runs the same vectors in both directions, cut, damaged and with random octets.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgp.family import BGP_LS, BGP_LS_VPN, Family
from bgp.nlri import (
    LinkStateIpv4Prefix,
    LinkStateKind,
    LinkStateNlri,
    LinkStateNode,
    OpaqueLinkState,
    decode,
    route_key,
)
from bgp.nlri.link_state_tlv import read_tlvs, write_tlvs
from tests.shared import ROOT, shared
from tests.unit.nlri_vectors import family_of

ROWS = [json.loads(line) for line in (ROOT / "tests/golden/nlri_link_state.jsonl").read_text().splitlines()]
NO_PATH = bytes(4)
NODE = (256, bytes.fromhex("02030006000100000001"))


def item(kind: int, *tlvs: tuple[int, bytes], protocol: int = 2, rd: bytes = b"") -> bytes:
    """Frame descriptors."""
    body = rd + bytes((protocol,)) + bytes(8) + write_tlvs(tlvs)
    return NO_PATH + kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize("row", [row for row in ROWS if "event" in row], ids=lambda row: str(row["id"]))
def test_route_says_in_events_what_exabgp_says(row: dict[str, Any]) -> None:
    route = decode(family_of(row["family"]), NO_PATH + bytes.fromhex(row["hex"]))
    assert isinstance(route, LinkStateNlri)
    pairs = route.as_pairs()
    assert dict(pairs) == row["event"]
    assert len(dict(pairs)) == len(pairs)


@pytest.mark.parametrize("name", ["bgp-ls-3", "bgp-ls-4", "bgp-ls-5", "bgp-ls-7"])
def test_route_of_a_conformance_case_says_what_the_case_says(name: str) -> None:
    _, octets, text = shared(f"conformance/decoding/{name}").read_text().splitlines()[:3]
    message = bytes.fromhex(octets.replace(" ", ""))
    start = message.find(b"\x40\x04\x47\x04") + 9
    size = 4 + int.from_bytes(message[start + 2 : start + 4], "big")
    update = json.loads(text)["neighbor"]["message"]["update"]
    (expected,) = next(iter(update["announce"]["bgp-ls bgp-ls"].values()))
    expected.pop("nexthop", None)
    route = decode(BGP_LS, NO_PATH + message[start : start + size])
    assert isinstance(route, LinkStateNlri)
    assert dict(route.as_pairs()) == expected


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (item(1, (256, b"\x02\x00\x00")), "4 octets expected, 3 left"),
        (item(1, (256, b"\x02\x00\x00\x04\x00\x00")), "TLV 512: 4 octets expected, 2 left"),
        (item(1, (256, b"\x02\x00\x00\x02\x00\x00")), "TLV 512 has 4 octets, not 2"),
        (item(2, NODE, (258, bytes(4))), "TLV 258 has 8 octets, not 4"),
        (item(2, NODE, (259, bytes(3))), "TLV 259 has 4 octets, not 3"),
        (item(2, NODE, (262, bytes(4))), "TLV 262 has 16 octets, not 4"),
        (item(2, NODE, (263, bytes(3))), "length 3 is not a multiple of 2"),
        (item(3, (512, bytes(5))), "TLV 512 has 4 octets, not 5"),
        (item(3, NODE, (265, b"")), "at least 1 octet, not 0"),
        (item(3, NODE, (265, b"\x21" + bytes(5))), "33 is not within 0..32"),
        (item(3, NODE, (265, b"\x08\x0a\x01")), "8 bits has 1 octets, not 2"),
        (item(3, NODE, (264, b""), (265, b"\0")), "TLV 264 has 1 octets, not 0"),
        (item(4, NODE, (265, b"\x81" + bytes(17))), "129 is not within 0..128"),
        (item(6, NODE, (518, bytes(15))), "TLV 518 has 16 octets, not 15"),
        (NO_PATH + bytes.fromhex("0001000401020304"), "8 octets expected, 3 left"),
    ],
)
def test_malformed_route_is_refused(octets: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(BGP_LS, octets)


@pytest.mark.parametrize(
    "octets",
    [
        item(1),
        item(1, (257, b"")),
        item(2, (257, NODE[1])),
        item(3, NODE),
        item(3, (265, b"\x08\x0a")),
        item(4, NODE, (263, bytes(2))),
        item(6, (518, bytes(16))),
    ],
)
def test_a_route_that_lacks_descriptors_is_not_malformed_and_carried_as_octets(octets: bytes) -> None:
    route = decode(BGP_LS, octets)
    assert isinstance(route, OpaqueLinkState)
    assert route.kind == octets[5]
    assert route.item() == octets


def test_a_node_within_a_node_is_not_looked_into() -> None:
    nested = b""
    for _ in range(12000):  # as deep as an extended message allows, beyond what a recursion survives
        nested = bytes.fromhex("0100") + len(nested).to_bytes(2, "big") + nested
    octets = item(1, (256, nested))
    assert decode(BGP_LS, octets).item() == octets


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: node(BGP_LS, rd=bytes(8)), "BGP-LS-VPN has a route distinguisher"),
        (lambda: node(BGP_LS_VPN), "BGP-LS-VPN has a route distinguisher"),
        (lambda: node(BGP_LS_VPN, rd=bytes(7)), "8 octets, not 7"),
        (lambda: node(BGP_LS, descriptors=()), "no local node descriptors"),
        (lambda: node(BGP_LS, protocol=256), "256 is not within 0..255"),
        (lambda: node(BGP_LS, identifier=1 << 64), "does not fit 64 bits"),
        (lambda: node(BGP_LS, descriptors=(NODE, (65536, b""))), "65536 is not within 0..65535"),
        (lambda: node(BGP_LS, descriptors=(NODE, (999, bytes(65500)), (999, bytes(65500)))), "at most 65535"),
        (lambda: node(BGP_LS, descriptors=(NODE, (999, bytes(65536)))), "at most 65535 octets, not 65536"),
        (lambda: OpaqueLinkState(family=BGP_LS, kind=65536, data=b""), "65536 is not within 0..65535"),
        (lambda: OpaqueLinkState(family=BGP_LS, kind=9, data=bytes(65536)), "at most 65535 octets"),
    ],
)
def test_constructor_says_what_is_wrong(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def node(family: Family, **fields: Any) -> LinkStateNode:
    """Build a node with some fields changed."""
    whole: dict[str, Any] = {"protocol": 2, "identifier": 0, "descriptors": (NODE,), **fields}
    return LinkStateNode(family=family, **whole)


def test_route_of_an_unknown_type_is_opaque() -> None:
    route = decode(BGP_LS, NO_PATH + bytes.fromhex("0007000401020304"))
    assert route == OpaqueLinkState(family=BGP_LS, kind=7, data=b"\x01\x02\x03\x04")


def test_prefix_is_there_in_packed_form_too() -> None:
    route = decode(BGP_LS, item(LinkStateKind.IPV4_PREFIX, NODE, (265, bytes.fromhex("110a01ff"))))
    assert isinstance(route, LinkStateIpv4Prefix)
    assert (route.address, route.length, route.ospf_route_type) == (bytes.fromhex("0a018000"), 17, None)


def test_every_multi_topology_and_link_identifier_is_shown() -> None:
    tlvs = ((263, bytes.fromhex("00020003")), (258, bytes(8)), (258, bytes.fromhex("0000000100000002")))
    route = decode(BGP_LS, item(LinkStateKind.LINK, NODE, *tlvs))
    assert isinstance(route, LinkStateNlri)
    said = dict(route.as_pairs())
    assert said["multi-topology-ids"] == [2, 3]
    assert said["link-identifiers"] == [
        {"link-local-id": 0, "link-remote-id": 0},
        {"link-local-id": 1, "link-remote-id": 2},
    ]


@pytest.mark.parametrize(("protocol", "octets"), [(2, 4), (2, 8), (3, 6), (1, 0), (5, 6), (3, 0)])
def test_router_identifier_of_a_strange_length_is_shown_in_hexadecimal(protocol: int, octets: int) -> None:
    value = bytes(octets)
    route = decode(BGP_LS, item(1, (256, write_tlvs([(515, value)])), protocol=protocol))
    assert isinstance(route, LinkStateNlri)
    assert dict(route.as_pairs())["node-descriptors"] == [{"generic-node-descriptor-515": "0x" + value.hex()}]


def test_all_octets_identify_a_route() -> None:
    octets = item(1, NODE)
    assert route_key(BGP_LS, octets) is octets


TLVS = st.lists(
    st.tuples(
        st.sampled_from([256, 257, 258, 259, 260, 261, 262, 263, 264, 265, 512, 513, 514, 515, 518, 999]),
        st.binary(max_size=17),
    ),
    max_size=4,
)


@given(kind=st.sampled_from([1, 2, 3, 4, 6, 7]), protocol=st.integers(0, 9), inner=TLVS, tlvs=TLVS)
@settings(max_examples=300, deadline=None)
def test_random_descriptors_raise_value_error_alone_and_can_be_shown(
    kind: int, protocol: int, inner: list[tuple[int, bytes]], tlvs: list[tuple[int, bytes]]
) -> None:
    octets = item(kind, (256, write_tlvs(inner)), *tlvs, protocol=protocol)
    try:
        route = decode(BGP_LS, octets)
    except ValueError:
        return
    assert route.item() == octets
    if isinstance(route, LinkStateNlri):
        json.dumps(dict(route.as_pairs()))


@given(octets=st.binary(max_size=40))
def test_tlvs_that_are_read_are_written_the_same(octets: bytes) -> None:
    try:
        tlvs = read_tlvs(octets)
    except ValueError:
        return
    assert write_tlvs(tlvs) == octets
